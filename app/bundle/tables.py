"""The tables under metadata/: UTF-8, comma, newline, sorted, so that the same rows are the same bytes."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

from app.bundle.release import ValueRow
from app.bundle.sign_off import SignOffRecord

SERIES_COLUMNS = ("patient", "study_uid", "series_uid", "modality", "body_part", "description", "instances")
INSTANCE_COLUMNS = (
    "file",
    "patient",
    "study_uid",
    "series_uid",
    "sop_instance_uid",
    "sop_class_uid",
    "transfer_syntax_uid",
    "pixel_sha256",
)
VALUE_COLUMNS = tuple(field.name for field in fields(ValueRow))


def encode_table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """A CSV file with a header line (RFC 4180 quoting, but newline alone ends a line)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def encode_values(rows: Iterable[ValueRow]) -> bytes:
    """metadata/values.csv, sorted by path, fold and value."""
    ordered = sorted(rows, key=lambda row: (row.path, row.fold, row.value, row.vr, row.low, row.high))
    return encode_table(VALUE_COLUMNS, (astuple(row) for row in ordered))


def encode_json(content: object) -> bytes:
    """JSON for people and machines: sorted keys, two spaces, ASCII."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")


def encode_sign_off(record: SignOffRecord, values: bytes, rules: bytes, protocol: bytes) -> bytes:
    """metadata/signoff.json: who approved what, the three files by their SHA-256."""
    return encode_json(
        {
            "unattended": record.unattended,
            "statement": record.statement,
            "signatures": [{"role": one.role, "name": one.name, "signed": one.signed} for one in record.signatures],
            "approved_digest": record.digest,
            "values_sha256": hashlib.sha256(values).hexdigest(),
            "rules_sha256": hashlib.sha256(rules).hexdigest(),
            "protocol_sha256": hashlib.sha256(protocol).hexdigest(),
        }
    )
