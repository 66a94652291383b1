"""No screen is needed; a Linux without Qt's system libraries skips, and says so."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
