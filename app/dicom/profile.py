"""The vocabulary of PS3.15 Annex E: what can be done with an attribute, and which options a protocol can switch on."""

from enum import StrEnum


class Action(StrEnum):
    """What becomes of an element; closed, matched with ``assert_never``.

    A rule that names anything else does not load.
    """

    KEEP = "keep"  # the value, where it is what its VR and dictionary entry promise
    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"  # a non-empty value that says nothing
    UID = "uid"  # a keyed UID; well-known UIDs of the standard stay
    PSEUDONYM = "pseudonym"  # the patient's code, or a keyed accession number
    SHIFT = "shift"  # dates and date-times, by the patient's shift or to the year
    CLEAN = "clean"  # text: only safe words; sequences: their items by the same rules
    CAP_AGE = "cap-age"  # above 89 years: 090Y
    COARSEN = "coarsen"  # age, size and weight in steps; anything else goes


# Which attributes can be told in steps: years, metres, kilograms.
COARSE_STEPS: dict[int, float] = {0x00101010: 10, 0x00101020: 0.1, 0x00101030: 10}


class Option(StrEnum):
    """The options of PS3.15 Table E.1-1; the values are the protocol file's keywords."""

    RETAIN_SAFE_PRIVATE = "retain_safe_private"
    RETAIN_UIDS = "retain_uids"
    RETAIN_DEVICE_IDENTITY = "retain_device_identity"
    RETAIN_INSTITUTION_IDENTITY = "retain_institution_identity"
    RETAIN_PATIENT_CHARACTERISTICS = "retain_patient_characteristics"
    RETAIN_FULL_DATES = "retain_full_dates"
    RETAIN_MODIFIED_DATES = "retain_modified_dates"
    CLEAN_DESCRIPTORS = "clean_descriptors"
    CLEAN_STRUCTURED_CONTENT = "clean_structured_content"
    CLEAN_GRAPHICS = "clean_graphics"
    CLEAN_PIXEL_DATA = "clean_pixel_data"
    CLEAN_VISUAL_FEATURES = "clean_recognizable_visual_features"


class DatePreset(StrEnum):
    """How dates leave: shifted (expert determination, 45 CFR 164.514(b)(1)) or the year only (Safe Harbor, (b)(2))."""

    SHIFTED = "shifted"
    YEAR_ONLY = "year-only"


# PS3.16 CID 7050 "De-identification Method"
METHOD_CODES: dict[Option | None, tuple[str, str]] = {
    None: ("113100", "Basic Application Confidentiality Profile"),
    Option.CLEAN_PIXEL_DATA: ("113101", "Clean Pixel Data Option"),
    Option.CLEAN_VISUAL_FEATURES: ("113102", "Clean Recognizable Visual Features Option"),
    Option.CLEAN_GRAPHICS: ("113103", "Clean Graphics Option"),
    Option.CLEAN_STRUCTURED_CONTENT: ("113104", "Clean Structured Content Option"),
    Option.CLEAN_DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    Option.RETAIN_FULL_DATES: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    Option.RETAIN_MODIFIED_DATES: (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: ("113108", "Retain Patient Characteristics Option"),
    Option.RETAIN_DEVICE_IDENTITY: ("113109", "Retain Device Identity Option"),
    Option.RETAIN_UIDS: ("113110", "Retain UIDs Option"),
    Option.RETAIN_SAFE_PRIVATE: ("113111", "Retain Safe Private Option"),
    Option.RETAIN_INSTITUTION_IDENTITY: ("113112", "Retain Institution Identity Option"),
}
