"""A token in every attribute that PS3.6 knows, by declared VR, depth, encoding and spelling: what comes through.

See ``tests.canaries.matrix``. Prints the number of combinations and of findings; ends with 1 where there are any.
"""

import argparse
import sys
import time
from collections import Counter

from app.logs import quieten_libraries
from tests.canaries.matrix import attempt, combinations


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", action="store_true", help="only explicit little endian")
    arguments = parser.parse_args()
    quieten_libraries()
    began = time.process_time()
    attributes = leaving = files = 0
    found: Counter[str] = Counter()
    for one in combinations():
        if arguments.few and one.syntax != "explicit little":
            continue
        tried = attempt(one)
        attributes, leaving, files = attributes + tried.attributes, leaving + tried.leaving, files + tried.files
        found.update(f"{place} ({one})" for place in tried.found)
    for place, count in found.most_common(60):
        print(f"{count:4} {place}")
    seconds = time.process_time() - began
    print(f"{attributes} combinations in {files} files ({leaving} in files that leave), {seconds:.0f} s CPU")
    print(f"{found.total()} found")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
