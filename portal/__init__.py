"""What people and other programs reach by HTTP."""
