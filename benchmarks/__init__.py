"""What the performance figures in the README come from; run by hand, see README.md beside this file."""
