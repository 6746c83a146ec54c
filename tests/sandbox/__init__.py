"""The embedded stack: started, killed, left behind, started again."""
