"""Whether released files keep what the table of kept attributes promises: public and synthetic files, by object.

``python -m benchmarks.kept_attributes``: for each SOP class the files that are released, the values that the rules
promise to keep as they are, how many say the same in the released file, and which do not. Ends with 1 where a kind is
below 99 %.
"""

import argparse
import sys

from app.logs import quieten_libraries
from tests.kept_values import LEAST, measure, real_files, synthetic_files


def main() -> int:
    """The command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    quieten_libraries()
    kinds = measure((*synthetic_files(), *real_files()))
    refused = kinds.pop("", None)
    for name, kept in sorted(kinds.items(), key=lambda kind: -kind[1].promised):
        print(f"{name}: {kept.files} files, {kept.promised} values promised, {kept.share:.2%} kept")
        for value, count in kept.lost.most_common():
            print(f"    lost: {value} ({count})")
    promised = sum(kept.promised for kept in kinds.values())
    lost = sum(kept.lost.total() for kept in kinds.values())
    files = sum(kept.files for kept in kinds.values())
    below = sum(kept.share < LEAST for kept in kinds.values())
    print(f"{files} files of {len(kinds)} kinds, {promised} values promised, {1 - lost / promised:.2%} kept")
    print(f"{below} kinds below {LEAST:.0%}; {refused.files if refused else 0} files are not released, by rule")
    return int(below > 0)


if __name__ == "__main__":
    sys.exit(main())
