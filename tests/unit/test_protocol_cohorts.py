"""Groups, labels and checks in a protocol: what loads, what is refused on which line, what a label's cell becomes."""

import pytest

from app.errors import ProtocolError
from app.protocol.checks import BodyPart, CheckName, Checks, Severity
from app.protocol.groups import MatchOn
from app.protocol.labels import Label, LabelType
from app.protocol.load import parse_protocol
from app.protocol.predicates import AllOf, Comparison, Operator, Orientation

SMALLEST = 'id = "p1"\ntitle = "T"\ncontact = "C"\n[selection]\nwhere = \'Modality == "CT"\'\n'  # five lines
GROUPS = """
[[groups]]
name = "cases"
listed = true
wanted = 100
one_per_patient = true

[[groups]]
name = "controls"
all = [{ keyword = "PatientAge", operator = "at_least", value = 40 }]
match = { group = "cases", on = ["age", "sex"], ratio = 2 }
"""
LABELS = """
[[labels]]
name = "finding"
type = "category"
values = ["benign", "malignant"]
required = true
groups = ["cases"]

[[labels]]
name = "size_mm"
type = "number"
minimum = 0
maximum = 80.5
decimals = 1
"""
CHECKS = """
[checks]
missing_slices = "exclude"
kernel = "ignore"
[checks.expect]
plane = ["axial"]
body_part = ["chest"]
thickest_mm = 1.5
"""


def error_of(text: str) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(SMALLEST + text)
    return caught.value


def test_groups_labels_and_checks_load() -> None:
    protocol = parse_protocol(SMALLEST + GROUPS + LABELS + CHECKS)

    cases, controls = protocol.groups
    assert (cases.name, cases.wanted, cases.listed, cases.one_per_patient) == ("cases", 100, True, True)
    assert cases.predicate == AllOf(())
    assert controls.predicate == AllOf((Comparison("PatientAge", Operator.AT_LEAST, (40,)),))
    assert controls.match is not None
    assert (controls.match.on, controls.match.ratio) == ((MatchOn.AGE, MatchOn.SEX), 2)
    finding, size = protocol.labels
    assert (finding.type, size.type) == (LabelType.CATEGORY, LabelType.NUMBER)
    assert finding.concerns("cases")
    assert not finding.concerns("controls")
    assert not finding.concerns("")
    assert size.concerns("")
    assert protocol.checks.excluding == {CheckName.MISSING_SLICES}
    assert protocol.checks.severity(CheckName.KERNEL) is Severity.IGNORE
    assert protocol.checks.expect.plane == (Orientation.AXIAL,)
    assert protocol.checks.expect.body_part == (BodyPart.CHEST,)


def test_protocol_without_them_asks_for_nothing_and_leaves_nothing_out() -> None:
    protocol = parse_protocol(SMALLEST)

    assert (protocol.groups, protocol.labels) == ((), ())
    assert protocol.checks.excluding == frozenset()
    assert {protocol.checks.severity(name) for name in CheckName} == {Severity.WARN}


def test_every_check_has_a_key() -> None:
    assert {name.value.replace("-", "_") for name in CheckName} | {"expect"} == set(Checks.model_fields)


@pytest.mark.parametrize(
    ("text", "code", "key", "line", "suggestion"),
    [
        (
            "[[groups]]\nname = 'a'\n[[groups]]\nname = 'b'\nwnated = 3\n",
            "protocol-unknown-key",
            "groups.1.wnated",
            10,
            "wanted",
        ),
        ("[[groups]]\nname = 'a'\n[[groups]]\nname = 'A'\n", "protocol-bad-value", "groups.1.name", 9, ""),
        (
            "[[groups]]\nname = 'a'\n[[groups]]\nname = 'b'\nwhere = 'Rows >'\n",
            "where-not-understood",
            "groups.1.where",
            10,
            None,
        ),
        (
            "[[groups]]\nname = 'a'\nwhere = 'Rows > 1'\nnot = {keyword = 'Rows', operator = 'exists'}\n",
            "protocol-bad-value",
            "groups.0",
            6,
            "",
        ),
        (
            "[[groups]]\nname = 'a'\nmatch = {group = 'b', on = ['age']}\n[[groups]]\nname = 'b'\n",
            "protocol-bad-value",
            "groups.0.match.group",
            8,
            "",
        ),
        (
            "[[groups]]\nname = 'a'\n[[groups]]\nname = 'b'\nmatch = {group = 'a', on = ['age'], raito = 2}\n",
            "protocol-unknown-key",
            "groups.1.match.raito",
            10,
            "ratio",
        ),
        (
            "[[labels]]\nname = 'x'\ntype = 'text'\nvalues = ['a']\n",
            "protocol-bad-value",
            "labels.0.type",
            8,
            "",
        ),
        ("[[labels]]\nname = 'x'\ntype = 'category'\n", "protocol-bad-value", "labels.0", 6, ""),
        ("[[labels]]\nname = 'x'\ntype = 'number'\nminimum = 0\n", "protocol-bad-value", "labels.0", 6, ""),
        (
            "[[labels]]\nname = 'x'\ntype = 'category'\nvalues = ['=a']\n",
            "protocol-bad-value",
            "labels.0.values.0",
            9,
            "",
        ),
        (
            "[[labels]]\nname = 'study_uid'\ntype = 'category'\nvalues = ['a']\n",
            "protocol-bad-value",
            "labels.0",
            6,
            "",
        ),
        (
            "[[groups]]\nname = 'cases'\n[[labels]]\nname = 'x'\ntype = 'category'\nvalues = ['a']\ngroups = ['cas']\n",
            "protocol-bad-value",
            "labels.0.groups",
            12,
            "cases",
        ),
        ("[checks]\nmising_slices = 'warn'\n", "protocol-unknown-key", "checks.mising_slices", 7, "missing_slices"),
        ("[checks]\nkernel = 'ignroe'\n", "protocol-bad-value", "checks.kernel", 7, "ignore"),
        ("[checks.expect]\nplane = ['axail']\n", "protocol-bad-value", "checks.expect.plane.0", 7, "axial"),
        (
            "[checks.expect]\nthinnest_mm = 2\nthickest_mm = 1\n",
            "protocol-bad-value",
            "checks.expect",
            6,
            "",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, code: str, key: str, line: int, suggestion: str | None) -> None:
    error = error_of(text)

    assert error.code == code
    assert (error.ids["key"], error.ids["line"]) == (key, line)
    assert error.ids.get("suggestion") == suggestion


@pytest.mark.parametrize(
    ("cell", "value"),
    [("benign", "benign"), (" Benign ", "benign"), ("benign?", None), ("", None), ("Mr Smith", None)],
)
def test_category_takes_the_protocols_own_words_only(cell: str, value: str | None) -> None:
    label = Label(name="x", type=LabelType.CATEGORY, values=("benign", "malignant"))

    assert label.value_of(cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("7", "7.0"),
        ("7,25", "7.2"),
        ("+3.", "3.0"),
        ("-0.04", "0.0"),
        ("80", "80.0"),
        ("80.1", None),
        ("-1", None),
        ("1e1", None),
        ("nan", None),
        ("7 mm", None),
        ("٣", None),
    ],
)
def test_number_is_within_its_range_and_rounded(cell: str, value: str | None) -> None:
    label = Label(name="x", type=LabelType.NUMBER, minimum=0, maximum=80, decimals=1)

    assert label.value_of(cell) == value
