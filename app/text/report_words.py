"""What a sentence of a report says about a term, in words."""

from collections.abc import Mapping

from app.reports.context import HitContext
from app.reports.deciding import HitDecision
from app.text.i18n import mark

CONTEXTS: Mapping[HitContext, str] = {
    HitContext.AFFIRMED: mark("is there"),
    HitContext.UNCERTAIN: mark("may be there"),
    HitContext.HISTORICAL: mark("was there"),
    HitContext.FAMILY: mark("a relative's"),
    HitContext.NEGATED: mark("is not there"),
}
DECISIONS: Mapping[HitDecision | None, str] = {
    HitDecision.ACCEPT: mark("\u2713 a case"),
    HitDecision.REJECT: mark("\u2715 no case"),
    None: "",
}
