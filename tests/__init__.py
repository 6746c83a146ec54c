"""All tests. Each folder is a package: what lives as long as a package ends with the folder."""
