"""The window: widgets and wiring. Anything with an ``if`` about data lives in the core."""
