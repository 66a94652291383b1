"""The frozen window; with arguments the command line, as ``consign`` is everywhere."""

from app.__main__ import main

main()
