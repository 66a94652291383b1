"""Make ``attributes.tsv`` and ``uids.tsv`` of this folder from what pydicom ships; the output is committed.

    python resources/standard/make_dictionary.py

Importing pydicom takes half of what a start of the program and of each worker takes, and most of them need nothing else
of it. A test holds that the files are what the installed pydicom says.
"""

from pathlib import Path

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary

HERE = Path(__file__).resolve().parent


def attributes() -> list[str]:
    """Tag in hex, VR, VM, keyword, name (PS3.6 chapters 6 to 9); repeating groups last, ``x`` for any digit."""
    single = ((f"{tag:08X}", entry) for tag, entry in sorted(DicomDictionary.items()))
    repeating = ((tag.replace("x", "?").upper().replace("?", "x"), entry) for tag, entry in RepeatersDictionary.items())
    return ["\t".join((tag, vr, vm, keyword, name)) for tag, (vr, vm, name, _, keyword) in (*single, *repeating)]


def uids() -> list[str]:
    """UID, type, keyword, name (PS3.6 Annex A)."""
    return ["\t".join((uid, kind, keyword, name)) for uid, (name, kind, _, _, keyword) in UID_dictionary.items()]


def main() -> None:
    """Write the files."""
    for name, lines in (("attributes.tsv", attributes()), ("uids.tsv", uids())):
        (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
