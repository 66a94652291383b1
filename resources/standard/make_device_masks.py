"""Make ``resources/device_masks.csv`` from public sources; the output is committed, so nobody need run this.

    python resources/standard/make_device_masks.py STANDARDS

STANDARDS holds the sources that ``resources/device_masks.md`` names, one folder each. Only facts are taken: which image
of which device has text where. The same sources make the same bytes.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.detection.ctp_script import read_ctp_script
from app.detection.device_masks import ATTRIBUTES, DeviceMask, format_table, parse_table
from app.pixels.boxes import Box

TABLE = Path(__file__).resolve().parents[1] / "device_masks.csv"
CTP_SCRIPTS = {
    "RSNA CTP": "rsna_ctp/DicomPixelAnonymizer.script",
    "Stanford MIRC-CTP": "stanford_mirc-ctp/stanford-scrubber.script",
}
RECIPES = {"pydicom deid": "pydicom_deid/deid.dicom", "LUWAKX": "luwakx/deid.dicom.burnedin-pixel-recipe"}

KEYWORDS = {
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "model",
    "Modality": "modality",
    "Rows": "rows",
    "Columns": "columns",
    "ImageType": "image_type",
    "SeriesDescription": "series_description",
}
CONDITION = re.compile(r"(contains|equals) (\w+) (.*)")
# Two words that must both be there, not a name that ends in a plus sign.
ALL_OF = re.compile(r"[A-Z ]+(\+[A-Z ]+)+")


def main() -> None:
    """Read all sources and write the table; what is left out goes to stderr."""
    parser = argparse.ArgumentParser(description="Make resources/device_masks.csv")
    parser.add_argument("standards", type=Path)
    standards: Path = parser.parse_args().standards
    masks: list[DeviceMask] = []
    for source, name in CTP_SCRIPTS.items():
        text = (standards / name).read_text(encoding="utf-8")
        # File Meta tells who wrote the file last and is no part of a header; the maker's name says the same here.
        rows, problems = read_ctp_script(text.replace("ImplementationVersionName.", "Manufacturer."), source)
        # Overlays never leave, so what stands in them needs no box in the pixels.
        masks.extend(row for row in rows if "overlay_description" not in dict(row.patterns))
        for problem in problems:
            sys.stderr.write(f"{name}:{problem.line}: {problem.problem}\n")
    for source, name in RECIPES.items():
        masks.extend(read_recipe((standards / name).read_text(encoding="utf-8"), source))
    table = format_table(united(masks))
    parse_table(table)
    TABLE.write_text(table, encoding="utf-8", newline="\n")


def united(masks: Iterable[DeviceMask]) -> list[DeviceMask]:
    """The same fact of several sources as one row that names them all; sorted by device."""
    sources: dict[tuple[tuple[tuple[str, str], ...], tuple[Box, ...]], list[str]] = {}
    for mask in masks:
        named = sources.setdefault((mask.patterns, mask.boxes), [])
        if mask.source not in named:
            named.append(mask.source)
    rows = [DeviceMask(patterns, boxes, ", ".join(named)) for (patterns, boxes), named in sources.items()]
    return sorted(rows, key=lambda mask: [dict(mask.patterns).get(column, "").casefold() for column in ATTRIBUTES])


def read_recipe(text: str, source: str) -> Iterator[DeviceMask]:
    """The graylist of a deid recipe: conditions that must all hold, and where the text is.

    Labels that name CTP are left out: the scripts of CTP say it at first hand, and newer.
    """
    graylist = text.split("%filter graylist", 1)[1].split("%filter", 1)[0]
    for label in graylist.split("LABEL ")[1:]:
        title, *lines = label.splitlines()
        if "(CTP)" in title or "coordinates" not in label:
            continue
        alternatives: list[dict[str, str]] = [{}]
        boxes = []
        for line in lines:
            content = line.strip().removeprefix("+").strip()
            kind, _, numbers = content.partition(" ")
            if kind in ("coordinates", "ctpcoordinates"):
                boxes.append(box_of(kind, numbers))
            elif content and not content.startswith("#"):
                alternatives = both(alternatives, [condition(part) for part in content.split("||")])
        for row in alternatives:
            yield DeviceMask(tuple((name, row[name]) for name in ATTRIBUTES if name in row), tuple(boxes), source)


def both(rows: list[dict[str, str]], conditions: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Each row with each of the conditions added."""
    return [
        {**row, column: f"{row[column]}&{pattern}" if column in row else pattern}
        for row in rows
        for column, pattern in conditions
    ]


def condition(text: str) -> tuple[str, str]:
    """A column of the table and its pattern; raises ValueError for a condition that is of another kind."""
    match = CONDITION.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    kind, keyword, value = match.groups()
    words = value.split("+") if ALL_OF.fullmatch(value) else [value]
    wrap = "*{}*" if kind == "contains" else "{}"
    parts = ("|".join(wrap.format(word.strip()) for word in part.split("|")) for part in words)
    return KEYWORDS[keyword], "&".join(parts)


def box_of(kind: str, numbers: str) -> Box:
    """``coordinates`` are two corners, ``ctpcoordinates`` a corner and a size; both begin with x."""
    left, top, third, fourth = (int(number) for number in numbers.split(","))
    if kind == "coordinates":
        return Box(top, left, fourth, third)
    return Box(top, left, top + fourth, left + third)


if __name__ == "__main__":
    main()
