"""The tests, and what they work on: ``factory`` (synthetic studies), ``canaries`` (what must stay inside)."""
