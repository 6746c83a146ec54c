"""What may import what, what the docs must say, and files that are checked as text."""
