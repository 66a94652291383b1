"""What people look at before anything leaves: every unique value, and the held-back images.

The dump is computed from the catalogue whenever it is asked for, so it cannot be out of date; only decisions
are kept (``app.project.decisions``), and they travel as a CSV that people open in the spreadsheet they know.
"""
