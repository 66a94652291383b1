"""Consign: from a hospital's imaging files to a de-identified, checksummed, verified bundle."""

__version__ = "0.1.0"
