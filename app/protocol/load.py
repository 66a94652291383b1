"""Reads a protocol file, and says on which line it is wrong."""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.errors import ProtocolError
from app.protocol.labels import CATEGORY_PATTERN
from app.protocol.positions import KeyPath, line_numbers
from app.protocol.predicates import closest
from app.protocol.query import NODE_TABLES
from app.protocol.schema import Protocol
from app.protocol.table import ID_PATTERN, LINE_PATTERN, WORD_PATTERN

MAX_FILE_BYTES = 1_000_000
MAX_NESTING = 60

_EXPECTED = {
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "union_tag_not_found": "a table",
    "greater_than_equal": "a number not below {ge}",
    "less_than_equal": "a number not above {le}",
    "string_too_long": "at most {max_length} characters",
    "too_short": "a list of at least {min_length} item(s)",
    "too_long": "a list of at most {max_length} items",
    "enum": "one of {expected}",
    "expected": "{expected}",
}
_EXPECTED_PATTERN = {
    ID_PATTERN: "letters, digits, '.', '_' and '-', beginning with a letter or digit, at most 64",
    LINE_PATTERN: "one line of text, not empty, no space at its ends",
    WORD_PATTERN: "one word without spaces, at most 64 characters",
    CATEGORY_PATTERN: "letters, digits, spaces and ._+/-, beginning with a letter or digit, at most 64",
}


def load_protocol(path: Path) -> tuple[Protocol, str]:
    """The protocol, and the SHA-256 of the file's bytes in hex.

    Raises ProtocolError with the line, the key and what was expected, as far as there is one.
    """
    content = _read(path)
    return parse_protocol(_decode(content)), hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ProtocolError("protocol-not-found") from None
    except OSError:
        raise ProtocolError("protocol-unreadable") from None
    if len(content) > MAX_FILE_BYTES:
        raise ProtocolError("protocol-too-large", limit_bytes=MAX_FILE_BYTES)
    return content


def _decode(content: bytes) -> str:
    try:
        # Editors of Windows put a byte order mark in front.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProtocolError("protocol-not-utf8", line=content.count(b"\n", 0, error.start) + 1) from None
    return text.replace("\r\n", "\n")


def parse_protocol(text: str) -> Protocol:
    """The protocol that a TOML text says; raises ProtocolError as ``load_protocol`` does."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of too many digits is a plain one
        raise _syntax_error(str(error), text) from None
    except RecursionError:
        raise ProtocolError("protocol-too-deep", limit=MAX_NESTING) from None
    _check_nesting(document)
    try:
        # As JSON, because the published schema is one of JSON: a list serves where a tuple is meant, and yet
        # nothing else is converted. TOML's dates become text.
        return Protocol.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        details = error.errors(include_url=False)
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        # A misspelt key is missing under its right name too; the misspelling is what to show.
        problem = _problem((unknown or details)[0])
    except ProtocolError as error:
        problem = error
    key = problem.ids.get("key", "")
    raise ProtocolError(problem.code, **problem.ids, line=_line_of(str(key), text))


def _syntax_error(message: str, text: str) -> ProtocolError:
    place = re.search(r"at line (\d+), column (\d+)", message)
    if "at end of document" in message:
        return ProtocolError("protocol-not-toml", line=text.count("\n") + 1, column=1)
    if place is None:
        return ProtocolError("protocol-not-toml", line=1, column=1)
    return ProtocolError("protocol-not-toml", line=int(place[1]), column=int(place[2]))


def _check_nesting(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    for _ in range(MAX_NESTING):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise ProtocolError("protocol-too-deep", limit=MAX_NESTING)


def _problem(detail: ErrorDetails) -> ProtocolError:
    """A pydantic error as one of ours, with the dotted key path."""
    context = detail.get("ctx", {})
    keys = [part for part in detail["loc"] if part not in NODE_TABLES]
    if "key" in context:
        keys.append(context["key"])
    path = ".".join(str(key) for key in keys)
    match detail["type"]:
        case "extra_forbidden":
            suggestion = closest(str(keys[-1]), _keys_of_table(detail["loc"][:-1]))
            return ProtocolError("protocol-unknown-key", key=path, suggestion=suggestion)
        case "missing":
            return ProtocolError("protocol-key-missing", key=path)
        case "contradiction":
            return ProtocolError("protocol-contradiction", key=path, other=context["other"])
        case "unknown_attribute":
            return ProtocolError("protocol-unknown-attribute", key=path, suggestion=context["suggestion"])
        case "unknown_action":
            return ProtocolError(
                "protocol-unknown-action",
                key=path,
                suggestion=context["suggestion"],
                expected=context["expected"],
            )
        case "string_pattern_mismatch":
            expected = _EXPECTED_PATTERN.get(context["pattern"], "text of another form")
        case kind:
            expected = _EXPECTED.get(kind, "another value").format_map(context)
    suggestion = closest(str(detail["input"]), re.findall(r"'([^']*)'", expected))
    return ProtocolError("protocol-bad-value", key=path, expected=expected, suggestion=suggestion)


def _keys_of_table(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the table at a pydantic location may have."""
    model: type[BaseModel] = Protocol
    is_node = False
    for part in location:
        if part in NODE_TABLES:
            model, is_node = NODE_TABLES[str(part)], True
        elif isinstance(part, str) and part in model.model_fields:
            model = _table_in(model.model_fields[part].annotation) or model
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return [*keys, "all", "any", "not"] if is_node else keys


def _table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, alone, as one of several, or where there may be none."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, BaseModel) else None
    if get_origin(annotation) is Annotated:
        return _table_in(get_args(annotation)[0])
    return next((found for part in get_args(annotation) if (found := _table_in(part)) is not None), None)


def _line_of(key: str, text: str) -> int:
    """The line of a dotted key path, or of the nearest table around it; 1 for the file as a whole."""
    lines = {_dotted(path): line for path, line in line_numbers(text).items()}
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key, 1)


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)
