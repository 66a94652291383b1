"""What research needs of a file is in the released one: intervals, uptake, tables, meaning, references, words."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.dataset import Dataset

from app.deid.recipe import Patient, describe_patient
from app.dicom.codes import is_known_scheme
from app.dicom.identity import collect_identities
from app.dicom.reading import SOP_CLASS_UID, decode_text, read_header
from app.dicom.tagpath import format_path
from app.dicom.temporal import is_time
from app.dicom.tokens import dictionary_vr
from app.dicom.words import clean_text, fold, load_vocabulary, split_words
from app.errors import FileError
from tests.factory import ct_series, make_study, pet_series, rt_structure_set, segmentation
from tests.kept_attributes import Fate, fate
from tests.kept_values import Place, real_files, synthetic_files, tags_of, values_of
from tests.real_data import needs_real_files
from tests.unit.deid_case import known_patient, release, release_bytes

SHIFT = timedelta(days=100)
CODE_VALUES = frozenset((0x00080100, 0x00080119, 0x00080120))
SCHEME, CODE_MEANING = 0x00080102, 0x00080104
CODE_TAGS = CODE_VALUES | {SCHEME, 0x00080103, 0x00080105, 0x00080106, 0x00080107, 0x0008010F}
TEXT_VRS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
# Modality, VOI, palette and presentation tables: descriptors, data, segmented data, centres, widths, rescaling.
TABLES = re.compile(r"0028(?:10[56]\d|110[1-4]|120[1-4]|122[1-3]|300[236])\Z")
VOCABULARY = load_vocabulary()
WEB_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*")


@dataclass(frozen=True, slots=True)
class Pair:
    """One file before and after, for a patient who is known by what the file says."""

    sop_class_uid: str
    patient: Patient
    character_sets: tuple[str, ...]
    original: dict[Place, bytes]
    released: dict[Place, bytes]

    def promised(self, *fates: Fate) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
        """(path, value, released value) of what is not empty and has one of these fates."""
        for place, value in self.original.items():
            path = tags_of(place)
            if value.strip(b" \0") and fate(path) in fates:
                yield path, value.strip(b" \0"), self.released.get(place, b"").strip(b" \0")


def make_pair(content: bytes) -> Pair:
    original = read_header(io.BytesIO(content))
    identities = [(kind.value, value) for kind, value in collect_identities(original)]
    patient = describe_patient("SITE-ABC234", SHIFT.days, identities)
    _, released = release_bytes(content, patient=patient)
    return Pair(
        original.text(SOP_CLASS_UID),
        patient,
        original.character_sets,
        dict(values_of(original)),
        dict(values_of(read_header(io.BytesIO(released)))),
    )


@pytest.fixture(scope="module", params=["synthetic", pytest.param("public", marks=needs_real_files)])
def pairs(request: pytest.FixtureRequest) -> list[Pair]:
    found = []
    for content in synthetic_files() if request.param == "synthetic" else real_files():
        try:
            found.append(make_pair(content))
        except FileError:
            continue
    assert len(found) >= 10
    return found


def test_all_dates_move_by_one_step_and_no_time_moves(pairs: list[Pair]) -> None:
    dates = times = 0
    for pair in pairs:
        for path, value, released in pair.promised(Fate.MOVED, Fate.KEPT):
            vr = dictionary_vr(path[-1])
            if vr in ("DA", "DT"):
                text = value.decode() if value[:8].isdigit() else value.decode().replace(".", "")  # ACR-NEMA's dots
                assert moved(text[:8]) + text[8:] == released.decode(), format_path(path)
                dates += 1
            elif vr == "TM" and is_time(value.decode()):
                assert value.replace(b":", b"") == released, format_path(path)
                times += 1
    assert dates > 50
    assert times > 20


def moved(day: str) -> str:
    return (datetime.strptime(day, "%Y%m%d") - SHIFT).strftime("%Y%m%d")


def test_uptake_is_computed_the_same() -> None:
    original = pet_series(make_study(3), slices=1, rows=32)[0]
    released = release(original, patient=known_patient(original))
    assert uptake_factor(original) == uptake_factor(released) > 0
    for keyword in ("Units", "DecayCorrection", "DecayFactor", "CorrectedImage", "FrameReferenceTime", "PatientWeight"):
        assert original[keyword].value == released[keyword].value


@needs_real_files
def test_uptake_of_public_images_is_computed_the_same() -> None:
    compared = 0
    for content in real_files():
        try:
            if read_header(io.BytesIO(content)).text(SOP_CLASS_UID) != uids.PositronEmissionTomographyImageStorage:
                continue
            _, data = release_bytes(content)
        except FileError:
            continue
        original = dcmread(io.BytesIO(content), stop_before_pixels=True)
        released = dcmread(io.BytesIO(data), stop_before_pixels=True)
        assert uptake_factor(original) == uptake_factor(released) > 0
        compared += 1
    assert compared


def uptake_factor(dataset: Dataset) -> float:
    """SUV by body weight of one Bq/ml, 0 where the file does not tell enough: weight over the dose left at the scan."""
    isotope = dataset.RadiopharmaceuticalInformationSequence[0]
    if not all((dataset.get("PatientWeight"), isotope.get("RadionuclideTotalDose"))):
        return 0
    clock = [str(dataset.SeriesTime), str(isotope.RadiopharmaceuticalStartTime)]
    scan_s, injection_s = (int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:]) for text in clock)
    left = 2 ** (-(scan_s - injection_s) / float(isotope.RadionuclideHalfLife))
    return float(dataset.PatientWeight) * 1000 / (float(isotope.RadionuclideTotalDose) * left)


def test_palettes_and_grey_tables_stay_byte_for_byte(pairs: list[Pair]) -> None:
    tables = 0
    for pair in pairs:
        for path, value, released in pair.promised(Fate.KEPT):
            if TABLES.match(f"{path[-1]:08X}"):
                assert value == released, format_path(path)
                tables += 1
    assert tables > 10


def test_codes_of_public_schemes_stay(pairs: list[Pair]) -> None:
    codes, lost = 0, Counter[str]()
    for pair in pairs:
        for place, value in pair.original.items():
            if place[-1] not in CODE_VALUES or fate(tags_of(place)) is not Fate.WORDS:
                continue
            scheme = pair.original.get((*place[:-1], SCHEME), b"").strip(b" \0")
            if is_known_scheme(scheme.decode("ascii", "replace")):
                codes += 1
                same = pair.released.get(place, b"").strip(b" \0") == value.strip(b" \0")
                same &= pair.released.get((*place[:-1], SCHEME), b"").strip(b" \0") == scheme
                lost.update([] if same else [f"{format_path(tags_of(place))} {value!r}"])
    assert codes > 10
    assert lost.total() <= codes * 0.01, lost


def test_segments_and_regions_of_interest_keep_their_meaning() -> None:
    study = make_study(3)
    images = ct_series(study, slices=2, rows=16, columns=16)
    for original in (segmentation(study, images), rt_structure_set(study, images)):
        released = release(original, patient=known_patient(original))
        assert meanings(released) == meanings(original) != []


def meanings(dataset: Dataset) -> list[tuple[str, ...]]:
    """What each segment or region is, in codes and defined terms."""
    told: list[tuple[str, ...]] = []
    for segment in dataset.get("SegmentSequence", ()):
        codes = [*segment.SegmentedPropertyCategoryCodeSequence, *segment.SegmentedPropertyTypeCodeSequence]
        told += [(str(segment.SegmentNumber), segment.SegmentAlgorithmType, *code(item)) for item in codes]
    for region in dataset.get("RTROIObservationsSequence", ()):
        told.append((str(region.ReferencedROINumber), region.RTROIInterpretedType))
        told += [code(item) for item in region.get("RTROIIdentificationCodeSequence", ())]
    return told


def code(item: Dataset) -> tuple[str, str, str]:
    return item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning


def test_references_lead_to_what_they_led_to(pairs: list[Pair]) -> None:
    renamed: dict[bytes, bytes] = {}
    for pair in pairs:
        for path, value, released in pair.promised(Fate.RENAMED, Fate.KEPT):
            if dictionary_vr(path[-1]) == "UI":
                old, new = value.split(b"\\"), released.split(b"\\")
                assert len(old) == len(new) and all(new), format_path(path)
                for before, after in zip(old, new, strict=True):
                    assert renamed.setdefault(before.strip(b" \0"), after) == after, format_path(path)
    assert len(renamed) > 20
    assert len(set(renamed.values())) == len(renamed)


def texts(pair: Pair) -> Iterator[tuple[str, str, str]]:
    """(path, text, released text) of what is cleaned word by word."""
    for path, value, released in pair.promised(Fate.WORDS):
        if dictionary_vr(path[-1]) in TEXT_VRS and path[-1] not in CODE_TAGS:
            try:
                yield format_path(path), decode_text(value, pair.character_sets), released.decode()
            except FileError:
                continue  # not in the character set that the file declares: nobody can tell its words


def test_safe_words_stay_wherever_they_stand(pairs: list[Pair]) -> None:
    words, lost = 0, []
    for pair in pairs:
        for path, text, released in texts(pair):
            for word, count in Counter(safe_words(WEB_ADDRESS.sub(" ", text), pair.patient)).items():
                words += count
                lost += [f"{path} {word}"] * (count - split_words(released).count(word))
    assert words > 100
    assert lost == []


def safe_words(text: str, patient: Patient) -> list[str]:
    words = [word for word in split_words(text) if len(word) > 1 and not word.isdigit()]
    return [word for word in words if word in VOCABULARY and fold(word) not in patient.unsafe_words]


NAMES = ["Zzyxov^Annegret", "ZZYXOV ANNEGRET", "zzyxov, annegret", "Zzyxov_A"]


def test_description_stays_beside_a_name(pairs: list[Pair]) -> None:
    descriptions = {text for pair in pairs for _, text, released in texts(pair) if text == released and " " in text}
    patient = describe_patient("SITE-ABC234", 1, [("name", "Zzyxov^Annegret")])
    assert len(descriptions) > 5
    for text in descriptions:
        first, _, rest = text.partition(" ")
        for name in NAMES:
            for mixed in (f"{name} {text}", f"{text} {name}", f"{first} {name} {rest}", f"{text} ({name})"):
                cleaned = clean_text(mixed, VOCABULARY, patient.unsafe_words, technical=True).text
                assert "zzyx" not in cleaned.lower() and "annegret" not in cleaned.lower()
                kept = [word for word in split_words(cleaned) if len(word) > 1]
                assert kept == [word for word in split_words(text) if len(word) > 1], mixed


def test_description_of_a_patient_whose_name_is_in_it_loses_that_word_alone() -> None:
    dataset = ct_series(make_study(3), slices=1, rows=16, columns=16)[0]
    dataset.PatientName, dataset.BodyPartExamined = "Chest^Anna", "CHEST"
    dataset.StudyDescription, dataset.SeriesDescription = "CT CHEST W CONTRAST", "Anna Chest THORAX W CONTRAST"
    dataset.AnatomicRegionSequence = [Dataset()]
    region = dataset.AnatomicRegionSequence[0]
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "51185008", "SCT", "Chest"
    released = release(dataset, patient=known_patient(dataset))
    assert released.StudyDescription == "CT W CONTRAST"
    assert released.SeriesDescription == "THORAX W CONTRAST"
    # The region is told by a term and a code of the standard, which are nobody's name.
    assert (released.BodyPartExamined, released.AnatomicRegionSequence[0].CodeValue) == ("CHEST", "51185008")
    dataset.PatientName = "Smith^John"
    dataset.StudyDescription = "CT CHEST W CONTRAST Smith"
    assert release(dataset, patient=known_patient(dataset)).StudyDescription == "CT CHEST W CONTRAST"
