"""The window, tested with real widgets and no screen."""
