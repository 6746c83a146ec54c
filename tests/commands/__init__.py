"""The command line as people type it, on a whole stack."""
