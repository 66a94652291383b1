"""How well text in pictures is found: labelled pictures made from a seed, and what the detectors find in them.

``python -m benchmarks.burned_in --help``. The tuning half is for choosing settings, the test half for the figures; they
share no background and no seed.
"""
