"""Files that were made to hurt: each by a few lines of code, each with what has to become of it.

``corpus`` lists them all; ``headers``, ``pixels`` and ``containers`` make them. Every one tells a patient of its own in
canary tokens, so that whatever a run leaves behind can be searched for them.
"""
