"""One module of the program at a time."""
