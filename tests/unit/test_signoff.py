import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.errors import ConsignError, ReleaseBlockedError, UsageError
from app.events import Note
from app.pipeline.dataset import approve, refresh_dataset
from app.project.approvals import Approval, append_approval, load_approvals
from app.project.decisions import (
    PREPARED_DECISIONS,
    Decisions,
    ImageAction,
    ImageDecision,
    ValueAction,
    ValueDecision,
    load_decisions,
    save_decisions,
)
from app.project.folder import Project
from app.project.values import RowKind, Suspicion, ValueRow
from app.signoff import step
from app.signoff.step import (
    Signature,
    SignOffState,
    approval_digest,
    missing_approvals,
    unattended_decisions,
    undecided_blocking,
)
from tests.unit.review_project import add_instance, open_project

NOW = datetime(2026, 1, 31, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
CHAMPION, OFFICER = "site champion", "privacy officer"
APPROVAL = Approval("A", CHAMPION, "2026-01-31T12:00:00Z", "0" * 64, {"values": 1})


def row(path: str, value: str, *reasons: Suspicion, kind: RowKind = RowKind.VALUE) -> ValueRow:
    return ValueRow(kind, path, value, "LO", "", "", "", 1, 1, 1, reasons)


def check_release(project: Project, rows: list[ValueRow], *, unattended: bool) -> SignOffState:
    refresh_dataset(project)
    return step.check_release(project, rows, unattended=unattended)


HARMLESS = row("SeriesDescription", "Thorax")
IDENTITY = row("SeriesDescription", "Jane", Suspicion.IDENTITY)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        add_instance(opened, 1)
        yield opened


def sign_all(project: Project, rows: list[ValueRow]) -> None:
    approve(project, rows, "Ann Example", CHAMPION, NOW)
    approve(project, rows, "Bob Example", OFFICER, NOW)


def blocked(project: Project, rows: list[ValueRow], *, unattended: bool = False) -> ConsignError:
    with pytest.raises(ReleaseBlockedError) as caught:
        check_release(project, rows, unattended=unattended)
    return caught.value


def test_release_goes_when_every_role_has_signed(project: Project) -> None:
    assert missing_approvals(project, [HARMLESS]) == [CHAMPION, OFFICER]
    sign_all(project, [HARMLESS])
    assert missing_approvals(project, [HARMLESS]) == []
    assert check_release(project, [HARMLESS], unattended=False) == SignOffState(
        (
            Signature("Ann Example", CHAMPION, "2026-01-31T12:00:00Z"),
            Signature("Bob Example", OFFICER, "2026-01-31T12:00:00Z"),
        ),
        False,
        approval_digest(project, [HARMLESS]),
    )


def test_approval_says_what_was_seen(project: Project) -> None:
    add_instance(project, 2, state="held-back", state_reason="burned-in-likely")
    rows = [HARMLESS, row("StudyDescription", "x", Suspicion.RARE)]
    approval = approve(project, rows, " Ann Example ", CHAMPION, NOW)
    assert approval.name == "Ann Example"
    assert approval.counts == {"instances": 1, "held_back": 1, "values": 2, "suspicious": 1}
    assert load_approvals(project.layout) == ([approval], [])


def test_missing_signature_blocks_and_is_named(project: Project) -> None:
    error = blocked(project, [HARMLESS])
    assert (error.code, error.ids) == ("approvals-missing", {"roles": "site champion, privacy officer"})
    approve(project, [HARMLESS], "Ann", CHAMPION, NOW)
    assert blocked(project, [HARMLESS]).ids == {"roles": OFFICER}


def test_any_later_change_makes_the_signatures_stale(project: Project) -> None:
    rows = [HARMLESS]
    sign_all(project, rows)
    assert blocked(project, [HARMLESS, row("StudyDescription", "x")]).code == "approvals-stale"

    save_decisions(project.layout, Decisions(safe_words=frozenset({"x"})))
    assert blocked(project, rows).code == "approvals-stale"
    save_decisions(project.layout, Decisions())
    check_release(project, rows, unattended=False)

    project.store.set_meta("selection_digest", "other")
    assert blocked(project, rows).code == "approvals-stale"
    sign_all(project, rows)

    project.store.execute("UPDATE instances SET prepared_with = 'another recipe'")
    assert blocked(project, rows).code == "approvals-stale"
    sign_all(project, rows)

    add_instance(project, 2)
    assert blocked(project, rows).code == "approvals-stale"


def test_instance_that_export_had_to_hold_back_does_not_make_signatures_stale(project: Project) -> None:
    add_instance(project, 2)
    sign_all(project, [HARMLESS])
    project.store.execute(
        "UPDATE instances SET state = 'held-back', state_reason = 'vanished' WHERE instance_number = 2"
    )
    check_release(project, [HARMLESS], unattended=False)


def test_undecided_identity_blocks_signing_and_release(project: Project) -> None:
    rows = [IDENTITY, HARMLESS]
    assert undecided_blocking(project, rows) == [IDENTITY]
    assert (blocked(project, rows).code, blocked(project, rows).ids) == ("values-undecided", {"count": 1})
    with pytest.raises(ReleaseBlockedError):
        approve(project, rows, "Ann", CHAMPION, NOW)
    drop = ValueDecision(ValueAction.DROP)
    save_decisions(project.layout, Decisions(values={("SeriesDescription", "Jane"): drop}))
    assert undecided_blocking(project, rows) == []
    approve(project, rows, "Ann", CHAMPION, NOW)


def test_dropped_word_never_blocks(project: Project) -> None:
    assert undecided_blocking(project, [row("", "jane", Suspicion.IDENTITY, kind=RowKind.WORD)]) == []


def test_nothing_is_signed_or_released_before_it_is_prepared(project: Project) -> None:
    add_instance(project, 2, state=None)
    assert (blocked(project, []).code, blocked(project, []).ids) == ("not-prepared", {"count": 1})
    assert blocked(project, [], unattended=True).code == "not-prepared"
    project.store.execute("UPDATE instances SET state = 'held-back', state_reason = 'video'")
    assert blocked(project, []).code == "nothing-to-release"
    assert blocked(project, [], unattended=True).code == "nothing-to-release"


def test_words_or_images_decided_on_after_prepare_need_another_prepare(project: Project) -> None:
    project.store.set_meta(PREPARED_DECISIONS, Decisions().preparation_digest())
    sign_all(project, [HARMLESS])
    drop = {("SeriesDescription", "x"): ValueDecision(ValueAction.DROP)}
    save_decisions(project.layout, Decisions(values=drop))
    assert blocked(project, [HARMLESS]).code == "approvals-stale"
    for decided in (
        Decisions(safe_words=frozenset({"x"})),
        Decisions(images={"1.2": ImageDecision(ImageAction.RELEASE)}),
    ):
        save_decisions(project.layout, decided)
        assert blocked(project, [HARMLESS]).code == "prepared-with-other-decisions"
        assert blocked(project, [HARMLESS], unattended=True).code == "prepared-with-other-decisions"


def test_role_that_the_protocol_does_not_name_is_refused_with_the_list(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        approve(project, [HARMLESS], "Ann", "boss", NOW)
    assert (caught.value.code, caught.value.ids) == (
        "unknown-role",
        {"roles": "site champion, privacy officer"},
    )


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 65])
def test_name_that_is_no_line_is_refused(project: Project, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        approve(project, [HARMLESS], name, CHAMPION, NOW)
    assert caught.value.code == "bad-signer-name"
    assert not project.layout.approvals.exists()


@pytest.mark.parametrize("name", ["Ann Example", "ANN  example ", "annexample", "Änn Example"])
def test_one_person_can_not_sign_in_two_roles(project: Project, name: str) -> None:
    approve(project, [HARMLESS], "Ann Example", CHAMPION, NOW)
    with pytest.raises(UsageError) as caught:
        approve(project, [HARMLESS], name, OFFICER, NOW)
    assert (caught.value.code, caught.value.ids) == ("same-person", {"roles": CHAMPION})
    assert missing_approvals(project, [HARMLESS]) == [OFFICER]


def test_stale_signature_leaves_the_person_free_to_sign_in_another_role(project: Project) -> None:
    approve(project, [HARMLESS], "Ann Example", CHAMPION, NOW)
    add_instance(project, 2)
    approve(project, [HARMLESS], "Ann Example", OFFICER, NOW)
    approve(project, [HARMLESS], "Bob Example", CHAMPION, NOW)
    assert missing_approvals(project, [HARMLESS]) == []


def test_unattended_release_has_no_signature_even_where_people_signed(project: Project) -> None:
    sign_all(project, [HARMLESS])
    state = check_release(project, [HARMLESS, IDENTITY], unattended=True)
    assert (state.signatures, state.unattended) == ((), True)


def test_unattended_drops_whatever_is_suspicious_and_undecided(project: Project) -> None:
    keep, drop = ValueDecision(ValueAction.KEEP), ValueDecision(ValueAction.DROP)
    decided = row("StudyDescription", "decided", Suspicion.UNKNOWN_WORD)
    kept_before_it_was_an_identity = row("StudyDescription", "Jane", Suspicion.IDENTITY)
    save_decisions(
        project.layout,
        Decisions(values={(one.path, one.value): keep for one in (decided, kept_before_it_was_an_identity)}),
    )
    rows = [
        HARMLESS,
        IDENTITY,
        decided,
        kept_before_it_was_an_identity,
        row("StudyID", "", Suspicion.IDENTITY, kind=RowKind.RANGE),
        row("", "word", Suspicion.UNKNOWN_WORD, kind=RowKind.WORD),
        row("ProtocolName", "x", Suspicion.RARE),
    ]
    before = load_decisions(project.layout)
    assert unattended_decisions(project, rows) == Decisions(
        values={
            ("StudyDescription", "decided"): keep,
            ("StudyDescription", "Jane"): drop,
            ("SeriesDescription", "Jane"): drop,
            ("ProtocolName", "x"): drop,
        },
        tags_dropped=frozenset({"StudyID"}),
    )
    assert load_decisions(project.layout) == before


def test_last_signature_of_a_role_counts(project: Project) -> None:
    sign_all(project, [HARMLESS])
    approve(project, [HARMLESS], "Carl", CHAMPION, datetime(2026, 2, 1, tzinfo=UTC))
    state = check_release(project, [HARMLESS], unattended=False)
    assert state.signatures[0] == Signature("Carl", CHAMPION, "2026-02-01T00:00:00Z")
    assert len(load_approvals(project.layout)[0]) == 3


def test_line_cut_short_by_a_crash_is_left_out_noted_and_never_rewritten(project: Project) -> None:
    append_approval(project.layout, APPROVAL)
    whole = project.layout.approvals.read_bytes()
    torn = whole + whole[:40]
    project.layout.approvals.write_bytes(torn)
    note = Note("sign-off", "approval-line-damaged", {"line": 2})
    assert load_approvals(project.layout) == ([APPROVAL], [note])
    append_approval(project.layout, APPROVAL)
    assert project.layout.approvals.read_bytes() == torn + b"\n" + whole
    assert load_approvals(project.layout) == ([APPROVAL, APPROVAL], [note])


@pytest.mark.parametrize(
    "changed",
    [{"name": 1}, {"counts": []}, {"counts": {"values": "1"}}, {"more": 1}, {"digest": None}],
)
def test_line_of_another_shape_is_no_signature(project: Project, changed: dict[str, object]) -> None:
    append_approval(project.layout, APPROVAL)
    line = json.loads(project.layout.approvals.read_text(encoding="utf-8"))
    project.layout.approvals.write_text(json.dumps(line | changed) + "\nnot json\n[]\n\xff\n", encoding="latin-1")
    approvals, notes = load_approvals(project.layout)
    assert approvals == []
    assert [note.ids for note in notes] == [{"line": 1}, {"line": 2}, {"line": 3}, {"line": 4}]
