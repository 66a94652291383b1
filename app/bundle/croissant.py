"""croissant.json: the card in a form that the tools of machine learning read.

Croissant (MLCommons, version 1.0) and not RO-Crate: both are JSON-LD over schema.org and carry the same description,
but Croissant is what the search of data sets, Hugging Face, TensorFlow Datasets and PyTorch loaders read, and its
record sets name the columns of tables, so that ``series.csv`` and ``instances.csv`` load as they are. An RO-Crate would
need Frictionless tables beside it for that. It lies at the root of the bag, because Croissant's file names are relative
to it. Everything in it also stands in ``metadata/dataset-card.json``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app import __version__
from app.bundle.tables import INSTANCE_COLUMNS, SERIES_COLUMNS, encode_json

FILE_NAME = "croissant.json"
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TABLES = (("series", SERIES_COLUMNS), ("instances", INSTANCE_COLUMNS))


def encode_croissant(
    *,
    name: str,
    title: str,
    abstract: str,
    description: Mapping[str, Any],
    published: str,
    digests: Mapping[str, str],
) -> bytes:
    """The description of one part.

    Parameters
    ----------
    name
        Of the part, without its ending.
    abstract
        What it is, in a sentence or two.
    description
        Of the release, as the card has it; its keys are those of the protocol's table ``[dataset]``.
    published
        Day of the last signature, ISO 8601; '' where nobody signed.
    digests
        Name within the bag -> SHA-256 in hex, of the tables at least.
    """
    content: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "alternateName": title,
        "description": abstract,
        "version": _version(description.get("version")),
        "isLiveDataset": False,
        "inLanguage": "en",
        "sdVersion": f"Consign {__version__}",
        "rai:personalSensitiveInformation": "Images of patients, de-identified; see metadata/dataset-card.json.",
        "distribution": [_file_object(table, digests[f"metadata/{table}.csv"]) for table, _ in _TABLES],
        "recordSet": [_record_set(table, columns) for table, columns in _TABLES],
    }
    content["distribution"].append(
        {
            "@type": "cr:FileSet",
            "@id": "images",
            "name": "images",
            "description": "DICOM Part 10 files",
            "encodingFormat": "application/dicom",
            "includes": "data/**/*.dcm",
        }
    )
    told = {
        "url": description.get("address"),
        "identifier": description.get("identifier"),
        "license": description.get("licence"),
        "citeAs": description.get("citation"),
        "keywords": list(description.get("keywords") or ()) or None,
        "usageInfo": description.get("allowed_use"),
        "conditionsOfAccess": description.get("access"),
        "datePublished": published or None,
        "rai:dataAnnotationProtocol": description.get("annotations"),
        "rai:dataCollection": description.get("case_mix"),
        "creator": _person(description.get("owner")),
        "maintainer": _person(description.get("responsible")),
    }
    return encode_json({**content, **{key: value for key, value in told.items() if value}})


def _version(text: str | None) -> str:
    """Croissant wants MAJOR.MINOR.PATCH; a version of another form is told in the card alone."""
    parts = (text or "").split(".")
    return text if text and len(parts) == 3 and all(part.isdigit() for part in parts) else "1.0.0"


def _person(name: str | None) -> dict[str, str] | None:
    return {"@type": "sc:Organization", "name": name} if name else None


def _file_object(table: str, digest: str) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{table}.csv",
        "name": f"{table}.csv",
        "contentUrl": f"metadata/{table}.csv",
        "encodingFormat": "text/csv",
        "sha256": digest,
    }


def _record_set(table: str, columns: Sequence[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table}/{column}",
                "name": f"{table}/{column}",
                "dataType": "sc:Integer" if column == "instances" else "sc:Text",
                "source": {"fileObject": {"@id": f"{table}.csv"}, "extract": {"column": column}},
            }
            for column in columns
        ],
    }
