import pytest

from app.project.values import Suspicion
from app.review.suspicion import looks_like, suspect_frequency, suspect_text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b@example.org", Suspicion.EMAIL),
        ("call 555-123-4567", Suspicion.PHONE),
        ("+41 44 255 11 11", Suspicion.PHONE),
        ("(030) 1234 567", Suspicion.PHONE),
        ("044.255.11.11", Suspicion.PHONE),
        ("078-05-1120", Suspicion.IDENTITY_NUMBER),
        ("756.1234.5678.97", Suspicion.IDENTITY_NUMBER),
        ("123.456.789-09", Suspicion.IDENTITY_NUMBER),
        ("MRN12345", Suspicion.IDENTITY_NUMBER),
        ("1234567", Suspicion.IDENTITY_NUMBER),
        ("20240131", Suspicion.DATE),
        ("on 2024-01-31", Suspicion.DATE),
        ("31.01.2024", Suspicion.DATE),
        ("1/31/2024", Suspicion.DATE),
        ("31 Jan 2024", Suspicion.DATE),
        ("January 31, 2024", Suspicion.DATE),
        ("Mar 2024", Suspicion.DATE),
        ("01-02-24", Suspicion.DATE),
        ("at 14:35", Suspicion.TIME_STAMP),
        ("20240131-1435", Suspicion.TIME_STAMP),
        ("Basel 40510", Suspicion.POSTAL_CODE),
        ("12345-6789", Suspicion.POSTAL_CODE),
        ("D-69120", Suspicion.POSTAL_CODE),
        ("SW1A 1AA", Suspicion.POSTAL_CODE),
        ("K1A 0B1", Suspicion.POSTAL_CODE),
        ("192.168.0.12", Suspicion.IP_ADDRESS),
        ("00:1b:44:11:3a:b7", Suspicion.IP_ADDRESS),
        ("fe80::1ff:fe23:4567:890a", Suspicion.IP_ADDRESS),
        ("https://x", Suspicion.URL),
        ("pacs.hospital.org", Suspicion.URL),
        ("\\\\server\\share", Suspicion.URL),
    ],
)
def test_look_is_recognised(text: str, reason: Suspicion) -> None:
    assert reason in looks_like(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thorax 1.0 B70f",
        "AXIAL",
        "ORIGINAL\\PRIMARY\\AXIAL",
        "T1 MPRAGE 3D",
        "512x512 0.5 mm",
        "HEAD 5mm 120 kV",
        "syngo CT VA48A",
        "LightSpeed VCT",
        "1.2.840.10008.1.2.1",
        "b1000 64 dir",
        "TE 30 TR 2000",
    ],
)
def test_ordinary_descriptions_look_like_nothing(text: str) -> None:
    assert looks_like(text) == []


VOCABULARY = frozenset({"thorax", "routine"})


def test_word_outside_the_vocabulary_is_suspicious() -> None:
    assert suspect_text("SeriesDescription", "LO", "Thorax Zzyzx", VOCABULARY) == [Suspicion.UNKNOWN_WORD]
    assert suspect_text("SeriesDescription", "LO", "THORAX routine 5", VOCABULARY) == []


@pytest.mark.parametrize("vr", ["CS", "UI", "AS"])
def test_what_has_a_grammar_of_its_own_is_not_suspicious(vr: str) -> None:
    assert suspect_text("Modality", vr, "ZZYZX20240131", VOCABULARY) == []
    assert suspect_frequency("Modality", vr, "X", value_patients=1, path_values=99, all_patients=9) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("DeidentificationMethod", "Consign 0.1.0 zzyzx"),
        ("DeidentificationMethodCodeSequence.CodeMeaning", "Zzyzx"),
        ("(00E1,00xx)[ELSCINT1]", "ELSCINT1"),
    ],
)
def test_what_we_write_ourselves_is_not_suspicious(path: str, value: str) -> None:
    assert suspect_text(path, "LO", value, VOCABULARY) == []
    assert suspect_frequency(path, "LO", value, value_patients=1, path_values=99, all_patients=9) == []


def test_value_under_a_private_creator_that_is_not_its_name_is_suspicious() -> None:
    assert suspect_text("(00E1,00xx)[ELSCINT1]", "LO", "Zzyzx", VOCABULARY) == [Suspicion.UNKNOWN_WORD]


def test_rare_needs_five_patients() -> None:
    def reasons(all_patients: int, value_patients: int = 1) -> list[Suspicion]:
        return suspect_frequency(
            "StudyDescription",
            "LO",
            "x",
            value_patients=value_patients,
            path_values=1,
            all_patients=all_patients,
        )

    assert reasons(4) == []
    assert reasons(5) == [Suspicion.RARE]
    assert reasons(5, value_patients=2) == []


def test_high_cardinality_is_relative_to_the_patients() -> None:
    def reasons(path_values: int, all_patients: int) -> list[Suspicion]:
        return suspect_frequency(
            "StudyDescription",
            "LO",
            "x",
            value_patients=2,
            path_values=path_values,
            all_patients=all_patients,
        )

    assert reasons(20, 3) == []
    assert reasons(21, 3) == [Suspicion.HIGH_CARDINALITY]
    assert reasons(100, 100) == []
    assert reasons(101, 100) == [Suspicion.HIGH_CARDINALITY]


def test_only_a_known_identity_blocks() -> None:
    assert [reason for reason in Suspicion if reason.blocks] == [Suspicion.IDENTITY]
    assert min(Suspicion, key=lambda reason: reason.severity) is Suspicion.IDENTITY
