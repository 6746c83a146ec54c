"""One business and its accidents, found and healed."""
