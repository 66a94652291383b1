"""No screen is needed; a Linux without Qt's system libraries skips, and says so."""

import os
import tempfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="consign-tests-")  # reports of defects that tests make
