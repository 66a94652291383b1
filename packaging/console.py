"""The frozen command line."""

from app.__main__ import command_line

command_line()
