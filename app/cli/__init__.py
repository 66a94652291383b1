"""The command line: a shell over ``app.pipeline``."""
