"""What holds for all tests."""

import os

from hypothesis import settings

os.environ["LANGUAGE"] = "en"  # tests read the sentences of commands, on whatever system they run

# The first example of a test pays for what it imports, and a test is no measurement: benchmarks/ is for that.
settings.register_profile("consign", deadline=None)
settings.load_profile("consign")
