"""The project folder: all state of a project, and the only code that knows its file names and its database.

Steps get a ``Project`` and ask it; nothing else opens ``catalog.sqlite``.
"""
