"""The six steps of the window, and where each stands."""

from collections.abc import Mapping
from enum import StrEnum

from app.pipeline.overview import CheckItem, Overview, Standing


class Step(StrEnum):
    """The steps in the order of the job; the values name the window's pages."""

    PROTOCOL = "protocol"
    FIND = "find"
    DEIDENTIFY = "deidentify"
    VALUES = "values"
    IMAGES = "images"
    SIGN_OFF = "signoff"


class StepState(StrEnum):
    """Where a step stands."""

    TO_DO = "todo"
    WORKING = "working"
    NEEDS_YOU = "needs-you"
    DONE = "done"
    STALE = "stale"


# Which step of the window a job's own step belongs to.
_STEP_OF_JOB = {
    "scan": Step.FIND,
    "check": Step.FIND,
    "select": Step.FIND,
    "detect": Step.IMAGES,
    "prepare": Step.DEIDENTIFY,
    "export": Step.SIGN_OFF,
    "verify": Step.SIGN_OFF,
    "check-dataset": Step.SIGN_OFF,
    "deface": Step.SIGN_OFF,
}


def step_of_job(job_step: str) -> Step | None:
    """The window's step that works while a job tells of this one of its own."""
    return _STEP_OF_JOB.get(job_step)


def step_states(overview: Overview | None, working: Step | None = None) -> Mapping[Step, StepState]:
    """Where each step stands; without a project all are to do. ``working`` is the one that a job is at."""
    states = dict.fromkeys(Step, StepState.TO_DO) if overview is None else _states(overview)
    if working is not None:
        states[working] = StepState.WORKING
    return states


def _states(overview: Overview) -> dict[Step, StepState]:
    return {
        Step.PROTOCOL: StepState.DONE,
        Step.FIND: _of_checks(overview, CheckItem.SCAN, CheckItem.SELECTION),
        Step.DEIDENTIFY: _of_checks(overview, CheckItem.PREPARATION),
        Step.VALUES: _values(overview),
        Step.IMAGES: _images(overview),
        Step.SIGN_OFF: _sign_off(overview),
    }


def _of_checks(overview: Overview, *items: CheckItem) -> StepState:
    standings = {overview.check(item).standing for item in items}
    if Standing.STALE in standings:
        return StepState.STALE
    return StepState.TO_DO if Standing.TO_DO in standings else StepState.DONE


def _is_prepared(overview: Overview) -> bool:
    return overview.check(CheckItem.PREPARATION).standing is not Standing.TO_DO


def _values(overview: Overview) -> StepState:
    if not _is_prepared(overview):
        return StepState.TO_DO
    return StepState.NEEDS_YOU if overview.undecided.blocking else StepState.DONE


def _images(overview: Overview) -> StepState:
    search = _of_checks(overview, CheckItem.IMAGE_SEARCH)
    if search is not StepState.DONE:
        return search
    return StepState.NEEDS_YOU if overview.undecided.images else StepState.DONE


def _sign_off(overview: Overview) -> StepState:
    export, verification = overview.check(CheckItem.EXPORT).standing, overview.check(CheckItem.VERIFICATION).standing
    if export is verification is Standing.DONE:
        return StepState.DONE
    if Standing.STALE in (export, overview.check(CheckItem.SIGNATURES).standing):
        return StepState.STALE
    return StepState.NEEDS_YOU if overview.is_reviewed else StepState.TO_DO
