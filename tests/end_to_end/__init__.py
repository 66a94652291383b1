"""The whole job, through the command line."""
