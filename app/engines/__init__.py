"""Text detectors: each finds burned-in text in one rendered image. None knows a file, a patient or a project."""
