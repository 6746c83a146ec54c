"""What stands in for the outside world on one machine; nothing here runs in production."""
