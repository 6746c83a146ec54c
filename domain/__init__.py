"""What is true: the rules of the business as pure functions, with no clock, no dice and no I/O."""
