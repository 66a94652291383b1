"""Where files come from: folders, media with a DICOMDIR, single files, and archives within any of them.

A source lists what it holds and opens nothing by name or path that the listing did not give. Links and
junctions are not followed, and nothing is copied or extracted.
"""
