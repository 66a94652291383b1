"""Frames: cut out of a file and decoded, rendered for eyes and detectors, masked and encoded again.

Headers are ``app.dicom``'s business; nothing here knows a patient or a project.
"""
