"""What became of an attribute and by which rule, as words for people who know neither tags nor VRs."""

from collections.abc import Mapping

from app.deid.comparison import ComparedRow, Fate
from app.deid.rules import Source
from app.deid.values import Drop
from app.dicom.profile import Action
from app.text.i18n import Translate, mark

FATES: Mapping[Fate, str] = {
    Fate.KEPT: mark("kept"),
    Fate.CLEANED: mark("cleaned"),
    Fate.CHANGED: mark("changed"),
    Fate.REPLACED: mark("replaced"),
    Fate.REMOVED: mark("removed"),
    Fate.ADDED: mark("added"),
}

ACTIONS: Mapping[Action, str] = {
    Action.KEEP: mark("The value leaves as it is, after a check that it is what the standard promises."),
    Action.REMOVE: mark("The rules take this attribute out of every file."),
    Action.EMPTY: mark("The rules empty this attribute; the standard wants it to be there."),
    Action.DUMMY: mark("The rules put a value here that says nothing; the standard wants one."),
    Action.UID: mark("The identifier is replaced by one made with this project's key, the same in all files."),
    Action.PSEUDONYM: mark("The identity is replaced by this project's code."),
    Action.SHIFT: mark("The date moves into the past, by the same number of days in all files of this patient."),
    Action.CLEAN: mark("Only the words that are known to be safe stay in the text."),
    Action.CAP_AGE: mark("Ages above 89 years become 90, because so few people are that old."),
    Action.COARSEN: mark("The value is told in steps, so that more people share it."),
}

DROPS: Mapping[Drop, str] = {
    Drop.UNLISTED: mark("No rule lets this attribute in, and what is not let in is removed."),
    Drop.BY_RULE: mark("The rules take the value out."),
    Drop.PRIVATE: mark("The manufacturer put it there; what it means is not public, so it is removed."),
    Drop.WRONG_VR: mark("The value is of another type than the standard says, so it is not trusted."),
    Drop.GRAMMAR: mark("The value is not written as the standard says, so it is not trusted."),
    Drop.TOO_LONG: mark("The value is longer than the standard allows, so it is not trusted."),
    Drop.TOO_MANY: mark("There are more values than the standard allows, so they are not trusted."),
    Drop.NOT_A_KNOWN_TERM: mark("The value is none of the terms that the standard defines."),
    Drop.NOT_A_KNOWN_CODE: mark("The code is not of a public list."),
    Drop.NO_SAFE_WORD: mark("None of its words is known to be safe."),
    Drop.CHARACTER_SET: mark("The text can't be read in the character set that the file names."),
    Drop.DECISION: mark("A person decided so in the review of the values."),
    Drop.LOST_CONTENT: mark("Nothing of its content may stay."),
    Drop.IDENTITY: mark("A part of the patient's known identity is in it."),
    Drop.TABLE_SIZE: mark("The table is not as long as its description says, so it is not trusted."),
}

SOURCES: Mapping[Source, str] = {
    Source.PROFILE: mark("Rule: the confidentiality profile of the DICOM standard."),
    Source.ALLOW_LIST: mark("Rule: the list of what the analysis of images needs."),
    Source.PROTOCOL: mark("Rule: the organisers' protocol."),
    Source.SITE: mark("Rule: a decision of your site on the data set as a whole."),
}

_ADDED = mark("Consign writes this into every file, so that it says what was done to it.")
_OURS = mark("Consign writes this anew for every file.")
_MASKED = mark("Areas of the image are covered; see the review of the images.")
_PIXELS = mark("The image itself leaves bit by bit as it is.")
_SEQUENCE = mark("Each attribute within it has a rule of its own.")
_PIXEL_GROUP = 0x7FE0


def why(row: ComparedRow, translate: Translate = str) -> str:
    """The reason for what became of an attribute, in one or two sentences; empty for the head of an item."""
    return " ".join(translate(sentence) for sentence in _sentences(row))


def _sentences(row: ComparedRow) -> list[str]:
    if row.is_item:
        return []
    if row.tag >> 16 == _PIXEL_GROUP and not row.depth:
        return [_PIXELS if row.fate is Fate.KEPT else _MASKED]
    if row.fate is Fate.ADDED:
        return [_ADDED]
    source = [SOURCES[row.source]] if row.source else []
    if row.reason is Drop.DECISION:
        return [DROPS[row.reason]]
    if row.reason is not None:
        return [DROPS[row.reason], *source]
    if row.action is None:
        return [_OURS]
    return [_SEQUENCE if row.vr == "SQ" else ACTIONS[row.action], *source]
