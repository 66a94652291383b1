"""What holds for all tests."""

import os

os.environ["LANGUAGE"] = "en"  # tests read the sentences of commands, on whatever system they run
