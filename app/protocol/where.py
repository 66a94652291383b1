"""``Modality == "CT" and SliceThickness <= 1.0``: the text form of a predicate.

Python's own grammar, read by ``ast`` and never evaluated: a node of a kind that is not named here is refused.
"""

import ast
import re
import warnings

from app.dicom.query import QueryType
from app.errors import ProtocolError
from app.protocol.predicates import (
    VOCABULARY,
    AllOf,
    AnyOf,
    Comparison,
    Not,
    Operator,
    Predicate,
    check_limits,
    closest,
    compare,
)

MAX_LENGTH = 4000

_ORDERED: dict[type[ast.cmpop], tuple[Operator, Operator]] = {
    # the operator when the name stands on the left, and when it stands on the right
    ast.Eq: (Operator.IS, Operator.IS),
    ast.LtE: (Operator.AT_MOST, Operator.AT_LEAST),
    ast.GtE: (Operator.AT_LEAST, Operator.AT_MOST),
    ast.Lt: (Operator.BELOW, Operator.ABOVE),
    ast.Gt: (Operator.ABOVE, Operator.BELOW),
}
_FLAG_WORDS = {"true": True, "false": False}
_OPEN = "("


def parse_where(text: str) -> Predicate:
    """The predicate that ``text`` says.

    Raises ProtocolError with the column (from 1, counted over the whole text): "where-not-understood", and
    the codes of ``predicates.compare``; without a column "where-too-long", "query-too-deep",
    "query-too-large".
    """
    if len(text) > MAX_LENGTH:
        raise ProtocolError("where-too-long", limit=MAX_LENGTH)
    # In parentheses, line breaks and comments mean what they seem to.
    source = f"{_OPEN}{text}\n)"
    try:
        with warnings.catch_warnings():
            # Python warns about "\d" and quotes the text, which may name a patient.
            warnings.simplefilter("ignore")
            body = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise ProtocolError("where-not-understood", column=_column_of_error(error, source)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ProtocolError("where-not-understood", column=1) from None
    try:
        predicate = _Reader(source).predicate(body)
    except RecursionError:
        raise ProtocolError("where-not-understood", column=1) from None
    check_limits(predicate)
    return predicate


def _column_of_error(error: SyntaxError, source: str) -> int:
    lines = source.splitlines(keepends=True)
    before = sum(len(line) for line in lines[: max((error.lineno or 1) - 1, 0)])
    return min(max(before + (error.offset or 1) - len(_OPEN), 1), max(len(source) - len(_OPEN) - 2, 1))


class _Reader:
    """Turns nodes into predicates; holds the text to say where one is wrong."""

    def __init__(self, source: str) -> None:
        # ast counts lines as the tokenizer does, and columns in bytes of UTF-8.
        self._lines = re.split(r"(?<=\n)", source.replace("\r\n", "\n").replace("\r", "\n"))

    def _column(self, node: ast.expr) -> int:
        before = sum(len(line) for line in self._lines[: node.lineno - 1])
        inside = self._lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="replace")
        return max(before + len(inside) - len(_OPEN) + 1, 1)

    def _refusal(self, node: ast.expr) -> ProtocolError:
        return ProtocolError("where-not-understood", column=self._column(node))

    def predicate(self, node: ast.expr) -> Predicate:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return AllOf(tuple(self.predicate(value) for value in values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return AnyOf(tuple(self.predicate(value) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.predicate(operand))
            case _:
                return self._leaf(node)

    def _leaf(self, node: ast.expr) -> Predicate:
        match node:
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                operands = [left, *comparators]
                parts = tuple(
                    self._comparison(operands[index], operator, operands[index + 1])
                    for index, operator in enumerate(ops)
                )
                return parts[0] if len(parts) == 1 else AllOf(parts)
            case ast.Call(func=ast.Name(id="exists"), args=[name], keywords=[]):
                return self._compare(name, Operator.EXISTS, [])
            case ast.Call(func=ast.Name(id="matches"), args=[name, pattern], keywords=[]):
                return self._compare(name, Operator.MATCHES, [self._constant(pattern)])
            case ast.Name():
                if VOCABULARY.get(self._keyword(node)) is not QueryType.FLAG:
                    raise self._refusal(node)
                return self._compare(node, Operator.IS, [True])
            case _:
                raise self._refusal(node)

    def _comparison(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Predicate:
        match operator:
            case ast.NotEq():
                return Not(self._comparison(left, ast.Eq(), right))
            case ast.NotIn():
                return Not(self._comparison(left, ast.In(), right))
            case ast.In():
                return self._membership(left, right)
        operators = _ORDERED.get(type(operator))
        if operators is None:
            raise self._refusal(left)
        if self._is_keyword(left):
            return self._compare(left, operators[0], [self._constant(right)])
        return self._compare(right, operators[1], [self._constant(left)])

    def _membership(self, left: ast.expr, right: ast.expr) -> Predicate:
        match right:
            case ast.Tuple(elts=choices) | ast.List(elts=choices) | ast.Set(elts=choices):
                return self._compare(left, Operator.IN, [self._constant(choice) for choice in choices])
            case _:
                return self._compare(right, Operator.CONTAINS, [self._constant(left)])

    def _is_keyword(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id not in _FLAG_WORDS

    def _keyword(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise self._refusal(node)
        if node.id not in VOCABULARY:
            raise ProtocolError(
                "query-unknown-keyword",
                keyword=node.id,
                suggestion=closest(node.id, VOCABULARY),
                column=self._column(node),
            )
        return node.id

    def _compare(self, name: ast.expr, operator: Operator, values: list[object]) -> Comparison:
        keyword = self._keyword(name)
        try:
            return compare(keyword, operator, values)
        except ProtocolError as error:
            raise ProtocolError(error.code, **error.ids, column=self._column(name)) from None

    def _constant(self, node: ast.expr) -> object:
        """A text, a number, true or false; the type is checked against the keyword's later."""
        match node:
            case ast.Constant(value=str() | bool() | int() | float() as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if not isinstance(
                value, bool
            ):
                return -value
            case ast.Name(id=word) if word in _FLAG_WORDS:
                return _FLAG_WORDS[word]
            case _:
                raise self._refusal(node)
