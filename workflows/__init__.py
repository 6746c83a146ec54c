"""What must happen, step by step; never how."""
