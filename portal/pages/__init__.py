"""How a page is made: words, frame, errors."""
