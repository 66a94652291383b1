"""The step ``scan``: what the sources hold, one row a file and one row an instance, remade at any time.

``step`` walks the sources and owns the rows, ``worker`` opens files and reads headers, ``duplicates`` tells
copies from conflicts, ``table`` is what a command line or a page shows.
"""
