"""Searches the site's radiology reports for the protocol's terms, and has a person accept each hit in its sentence.

Report text is read where it lies and kept nowhere: not in the project's database, not in a log, not in a bundle. What
stays is a keyed digest of each hit with the decision on it; what comes out is a study list.
"""
