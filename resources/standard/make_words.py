"""Make ``words.txt`` and ``code_values.txt`` of this folder from what pydicom ships; the output is committed.

    python resources/standard/make_words.py

Collecting them takes a fifth of a second, which every start of the program and of each worker would pay. A test holds
that the files are what the installed pydicom says.
"""

from pathlib import Path

from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.sr._concepts_dict import concepts

from app.dicom.words import split_words

HERE = Path(__file__).resolve().parent


def code_meanings() -> dict[str, str]:
    """Code value to meaning of all coded concepts, whatever their scheme (PS3.16 and the schemes that it draws on)."""
    schemes: dict[str, dict[str, dict[str, tuple[str, list[int]]]]] = concepts  # type: ignore[assignment]  # typed as object
    return {
        code: meaning
        for codes_by_keyword in schemes.values()
        for codes in codes_by_keyword.values()
        for code, (meaning, _) in codes.items()
    }


def words() -> list[str]:
    """Words of the meanings, of names and keywords of attributes (PS3.6), of names of registered UIDs; sorted."""
    meanings = code_meanings().values()
    # Name and keyword: programs label dimensions with keywords.
    attributes = (text for entry in DicomDictionary.values() for text in (entry[2], entry[4]))
    uids = (entry[0] for entry in UID_dictionary.values())
    return sorted({word for text in (*meanings, *attributes, *uids) for word in split_words(text)})


def code_values() -> list[str]:
    """The values of all coded concepts; sorted."""
    return sorted(code_meanings())


def main() -> None:
    """Write the files."""
    for name, lines in (("words.txt", words()), ("code_values.txt", code_values())):
        (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
