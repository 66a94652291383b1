"""What speaks against a text without knowing any patient: its look, its words, how often it occurs.

The patterns are wide on purpose: a hit only puts the row first. Whatever has a grammar or a closed list of
terms (CS, UI, numbers, dates) was checked by its value rule and is not looked at here.
"""

import re
from collections.abc import Collection

from app.dicom.words import clean_text
from app.project.values import Suspicion

TEXT_VRS = frozenset(("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))

# Below, one patient is no rarity.
FEWEST_PATIENTS_FOR_RARE = 5
# A description has some dozens of wordings in a hospital; more texts than this, and than patients, are typed
# in anew for each study.
MOST_DISTINCT_VALUES = 20

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR, _MONTH_NUMBER, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

_LOOKS: dict[Suspicion, re.Pattern[str]] = {
    reason: re.compile(pattern, re.IGNORECASE)
    for reason, pattern in {
        Suspicion.EMAIL: r"[\w.+-]{1,64}\s?@\s?[\w-]+(?:\.[\w-]+)+",
        Suspicion.PHONE: (
            # Seven figures or more in at most six groups; decimals and the components of a UID are no
            # telephone.
            r"(?<![\w.])(?=(?:\D{0,3}\d){7,15}(?!\d))"
            r"(?:\+|00)?\(?\d{1,5}\)?(?:[ /-]{1,3}\(?\d{2,8}\)?){1,5}(?![\w.]\d)"
            r"|\+\d[\d .()/-]{6,}\d"
            r"|(?<![\w.])\d{2,4}(?:\.\d{2,4}){2,4}(?![\w.])"
        ),
        Suspicion.IDENTITY_NUMBER: (
            r"\d{6,}"
            r"|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # US social security
            r"|(?<!\d)\d{3}[ -]\d{3}[ -]\d{3,4}(?!\d)"  # NHS, SIN, TFN
            r"|(?<!\d)756\.\d{4}\.\d{4}\.\d{2}(?!\d)"  # AHV
            r"|(?<!\d)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\d)"  # CPF
            r"|(?<![^\W_])[a-z]{1,4}[-_ ]?\d{5,}"  # MRN, accession and device-made numbers
        ),
        Suspicion.DATE: (
            rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
            rf"|(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}(?!\d)"
            rf"|(?<![\d.]){_YEAR}\s?[-./]\s?{_MONTH_NUMBER}\s?[-./]\s?{_DAY}(?![\d.]*\d)"
            rf"|(?<![\d.])(?:{_DAY}\s?[-./]\s?{_MONTH_NUMBER}|{_MONTH_NUMBER}\s?[-./]\s?{_DAY})\s?[-./]\s?{_YEAR}(?!\d)"
            r"|(?<![\d.])\d{2}[-./]\d{2}[-./]\d{2}(?![\d.]*\d)"
            rf"|(?<!\d)\d{{1,2}}[ .-]*{_MONTH}[ .,-]*\d{{2,4}}(?!\d)"
            rf"|{_MONTH}\.?\s*\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}(?!\d)"
            rf"|{_MONTH}[ .,-]*{_YEAR}(?!\d)"
        ),
        Suspicion.TIME_STAMP: (
            r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?![\d:])"
            rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ T_-]?(?:[01]\d|2[0-3])[0-5]\d"
        ),
        Suspicion.POSTAL_CODE: (
            r"(?<![\w.])(?:[a-z]{1,2}[- ])?\d{5}(?:-\d{4})?(?![\w.]|-\d)"
            r"|(?<![^\W_])[a-z]{1,2}\d[a-z\d]?\s\d[a-z]{2}(?![^\W_])"  # United Kingdom
            r"|(?<![^\W_])[a-z]\d[a-z]\s?\d[a-z]\d(?![^\W_])"  # Canada
            r"|(?<![\w.])\d{4}\s[a-z]{2}(?![^\W_])"  # Netherlands
        ),
        Suspicion.IP_ADDRESS: (
            rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.]*\d)"
            r"|(?<![\w:])(?:[0-9a-f]{1,4}::?){3,7}[0-9a-f]{1,4}(?![\w:])"
            r"|(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])"  # a network card's address
        ),
        Suspicion.URL: (
            r"[a-z][a-z\d+.-]{0,16}://|\bwww\.|\\\\[\w.-]+\\\w"
            r"|(?<![\w@.-])(?:[a-z\d-]+\.)+(?:com|org|net|edu|gov|int|eu|de|uk|fr|ch|at|nl|us|ca|au|jp|cn|local)\b"
        ),
    }.items()
}

# Our own words about what we did; the vocabulary need not know them.
_WRITTEN_BY_US = re.compile(r"DeidentificationMethod(?:CodeSequence\..+)?\Z")
# What the value rules let through here is a code of a public scheme, its scheme or its version, and nothing else.
_PUBLIC_CODES = frozenset(
    (
        "CodeValue",
        "LongCodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "ContextGroupVersion",
        "ContextIdentifier",
    )
)
# A private creator's element holds the creator's name, and the path says which: a constant of the rule table.
_PRIVATE_CREATOR = re.compile(r".*\([0-9A-F]{4},00xx\)\[(.*)\]\Z", re.DOTALL)


def looks_like(text: str) -> list[Suspicion]:
    """Which kinds of identifying text it could be by its look."""
    return [reason for reason, pattern in _LOOKS.items() if pattern.search(text)]


def suspect_text(path: str, vr: str, value: str, vocabulary: Collection[str]) -> list[Suspicion]:
    """The reasons that lie in an unfolded value itself; ``vocabulary`` holds casefolded words."""
    if vr not in TEXT_VRS or is_constant(path, value):
        return []
    reasons = looks_like(value)
    if clean_text(value, vocabulary, (), technical=True).original_dropped:
        reasons.append(Suspicion.UNKNOWN_WORD)
    return reasons


def suspect_frequency(
    path: str, vr: str, value: str, *, value_patients: int, path_values: int, all_patients: int
) -> list[Suspicion]:
    """The reasons that lie in how often it occurs.

    Parameters
    ----------
    value_patients
        Patients with this value at this path.
    path_values
        Distinct values of this path.
    all_patients
        Patients with anything to release.
    """
    reasons: list[Suspicion] = []
    if vr not in TEXT_VRS or is_constant(path, value):
        return reasons
    if path_values > max(MOST_DISTINCT_VALUES, all_patients):
        reasons.append(Suspicion.HIGH_CARDINALITY)
    if value_patients == 1 and all_patients >= FEWEST_PATIENTS_FOR_RARE:
        reasons.append(Suspicion.RARE)
    return reasons


def is_constant(path: str, value: str) -> bool:
    """Whether a value is the standard's or ours: no patient's file could have put anything else there."""
    if path.rpartition(".")[2] in _PUBLIC_CODES:
        return True
    creator = _PRIVATE_CREATOR.match(path)
    return _WRITTEN_BY_US.match(path) is not None or (creator is not None and creator[1] == value)
