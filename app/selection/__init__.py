"""The step that says which instances of the catalogue the project takes, and why each other one is left out.

The question is a predicate (``app.protocol.predicates``). ``sql`` compiles it for the catalogue, ``evaluate`` answers
it in Python from the same definition; an instance is selected only when both say so. ``explain`` says why not.
"""
