"""How licenses and purchases are received, whoever brings them: the command line or a program by HTTP."""
