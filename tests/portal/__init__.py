"""The portal's pages, by HTTP and in a real browser."""
