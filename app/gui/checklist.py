"""The checklist and the four answers of ``pipeline.overview`` as sentences of the window."""

from collections.abc import Iterator

from PySide6.QtCore import QLocale

from app.errors import Reason
from app.gui.text import tr
from app.pipeline.overview import Check, CheckItem, Leaving, Removed, RoleApproval, Standing, Undecided
from app.text.i18n import mark
from app.text.messages import sentence_for
from app.text.protocol_words import own_words

TITLES = {
    CheckItem.SCAN: mark("Sources read"),
    CheckItem.SELECTION: mark("Images selected"),
    CheckItem.IMAGE_SEARCH: mark("Images searched for text"),
    CheckItem.PREPARATION: mark("Headers de-identified"),
    CheckItem.VALUES: mark("Values reviewed"),
    CheckItem.IMAGES: mark("Images reviewed"),
    CheckItem.DATASET: mark("Data set checked"),
    CheckItem.SIGNATURES: mark("Signed"),
    CheckItem.EXPORT: mark("Exported"),
    CheckItem.VERIFICATION: mark("Verified"),
}
# The page that a line leads to; empty where it is about the page itself.
PAGES = {
    CheckItem.SCAN: "find",
    CheckItem.SELECTION: "find",
    CheckItem.IMAGE_SEARCH: "deidentify",
    CheckItem.PREPARATION: "deidentify",
    CheckItem.VALUES: "values",
    CheckItem.IMAGES: "images",
    CheckItem.DATASET: "",
    CheckItem.SIGNATURES: "",
    CheckItem.EXPORT: "",
    CheckItem.VERIFICATION: "",
}
STANDINGS = {
    Standing.DONE: mark("done"),
    Standing.TO_DO: mark("to do"),
    Standing.OPTIONAL: mark("your choice"),
    Standing.STALE: mark("out of date"),
}
SIGNS = {Standing.DONE: "\u2713", Standing.TO_DO: "\u25cb", Standing.OPTIONAL: "\u25d1", Standing.STALE: "\u21bb"}

_ATTRIBUTES = {
    "remove": (mark("1 attribute removed"), mark("{count} attributes removed")),
    "empty": (mark("1 attribute emptied"), mark("{count} attributes emptied")),
    "dummy": (
        mark("1 attribute filled with a value that says nothing"),
        mark("{count} attributes filled with values that say nothing"),
    ),
    "clean": (mark("1 attribute cut down to its safe words"), mark("{count} attributes cut down to their safe words")),
    "uid": (mark("1 attribute of identifiers made anew"), mark("{count} attributes of identifiers made anew")),
    "shift": (mark("1 attribute of dates moved"), mark("{count} attributes of dates moved")),
    "cap-age": (mark("Ages limited to 90 years"), mark("Ages limited to 90 years")),
    "pseudonym": (mark("1 attribute replaced by codes"), mark("{count} attributes replaced by codes")),
}


def number(count: int) -> str:
    """A count as people of this place write it."""
    return QLocale().toString(count)


def counted(count: int, one: str, many: str) -> str:
    """A sentence about a count, in the singular for 1."""
    return tr(one if count == 1 else many, count=number(count))


def size_text(size: int) -> str:
    """Bytes in the unit that fits."""
    return QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def time_text(when: str) -> str:
    """``2026-01-31T12:00:00Z`` as ``2026-01-31 12:00 UTC``: dates of signatures are read in more than one country."""
    return when[:16].replace("T", " ") + " UTC" if when else ""


def check_sentence(check: Check) -> str:
    """What a line says beside its title."""
    done, total, left = number(check.done), number(check.total), number(check.left)
    match check.item:
        case CheckItem.SCAN:
            files = counted(check.total, mark("1 file"), mark("{count} files"))
            return files if check.total else tr("Nothing was read yet.")
        case CheckItem.SELECTION:
            if check.standing is Standing.STALE:
                return tr("{count} images came in after the selection.", count=left)
            return tr("{count} images judged", count=done) if check.done else tr("Nothing is selected yet.")
        case CheckItem.IMAGE_SEARCH:
            if not check.total:
                return tr("Nothing to search yet.")
            sentence = tr("{done} of {total} images", done=done, total=total)
            if check.failed:
                sentence += tr("; {count} can't be searched and stay here", count=number(check.failed))
            return sentence
        case CheckItem.PREPARATION:
            if check.standing is Standing.STALE:
                return tr("Decisions changed since; de-identify again.")
            if not check.total:
                return tr("Nothing to de-identify yet.")
            sentence = tr("{done} of {total} images", done=done, total=total)
            if check.failed:
                sentence += counted(check.failed, mark("; 1 stays here"), mark("; {count} stay here"))
            return sentence
        case CheckItem.VALUES:
            if not check.total:
                return tr("Nothing suspicious.") if check.standing is Standing.DONE else tr("No values yet.")
            sentence = tr("{done} of {total} suspicious values decided", done=done, total=total)
            if check.standing is Standing.OPTIONAL:
                sentence += tr("; the others leave as they are")
            return sentence
        case CheckItem.IMAGES:
            if check.standing is Standing.OPTIONAL:
                return counted(
                    check.left,
                    mark("1 image waits for a person; undecided it stays here"),
                    mark("{count} images wait for a person; undecided they stay here"),
                )
            if check.standing is Standing.TO_DO:
                return tr("No images yet.")
            return tr("{count} decided", count=done) if check.done else tr("No image waits for a person.")
        case CheckItem.DATASET:
            if check.standing is Standing.STALE:
                return tr("Something changed since; it is checked again.")
            if check.left:
                return counted(
                    check.left, mark("1 finding waits for a decision"), mark("{count} findings wait for a decision")
                )
            if check.standing is Standing.TO_DO:
                return tr("Nothing to check yet.")
            return tr("{done} findings decided", done=done) if check.total else tr("Nothing stands in the way.")
        case CheckItem.SIGNATURES:
            if check.roles:
                return tr("Missing: {roles}", roles=", ".join(own_words(role, tr) for role in check.roles))
            return tr("{done} of {total} roles", done=done, total=total)
        case CheckItem.EXPORT:
            if check.standing is Standing.STALE:
                return tr("What lies there is not what would leave now.")
            parts = counted(check.total, mark("1 part"), mark("{count} parts"))
            return parts if check.total else tr("Nothing was exported yet.")
        case CheckItem.VERIFICATION:
            if check.failed:
                return counted(
                    check.failed, mark("1 finding: do not send it."), mark("{count} findings: do not send it.")
                )
            return tr("{done} of {total} parts", done=done, total=total) if check.total else tr("Follows the export.")


def leaving_sentences(leaving: Leaving) -> Iterator[str]:
    """What would leave."""
    if not leaving.instances:
        yield tr("Nothing yet.")
        return
    yield tr(
        "{images} of {patients}, in {series} series of {studies}",
        images=counted(leaving.instances, mark("1 image"), mark("{count} images")),
        patients=counted(leaving.patients, mark("1 patient"), mark("{count} patients")),
        series=number(leaving.series),
        studies=counted(leaving.studies, mark("1 study"), mark("{count} studies")),
    )
    yield counted(
        leaving.values,
        mark("1 text, to be seen under Review values"),
        mark("{count} different texts, all of them under Review values"),
    )
    yield tr("At most {size}", size=size_text(leaving.size))


def removed_sentences(removed: Removed) -> Iterator[str]:
    """What was taken out or stays behind."""
    for action, (one, many) in _ATTRIBUTES.items():
        if removed.attributes.get(action):
            yield counted(removed.attributes[action], one, many)
    found = (
        (removed.words, mark("1 word taken out of texts"), mark("{count} different words taken out of texts")),
        (removed.dropped_values, mark("1 value dropped by a person"), mark("{count} values dropped by a person")),
        (removed.replaced_values, mark("1 value replaced by a person"), mark("{count} values replaced by a person")),
        (removed.dropped_tags, mark("1 attribute dropped by a person"), mark("{count} attributes dropped by a person")),
        (removed.masked_images, mark("1 image with covered areas"), mark("{count} images with covered areas")),
    )
    for count, one, many in found:
        if count:
            yield counted(count, one, many)
    for reason, count in removed.held_back.items():
        sentence = sentence_for(Reason(reason).value, {}, tr)
        yield counted(count, mark("1 image stays here:"), mark("{count} images stay here:")) + " " + sentence


def undecided_sentences(undecided: Undecided) -> Iterator[str]:
    """What nobody decided on."""
    others = undecided.suspicious - undecided.blocking
    found = (
        (
            undecided.blocking,
            mark("1 value with a known identity; the release waits for it"),
            mark("{count} values with a known identity; the release waits for them"),
        ),
        (
            others,
            mark("1 suspicious value; undecided it leaves as it is"),
            mark("{count} suspicious values; undecided they leave as they are"),
        ),
        (
            undecided.words,
            mark("1 word taken out; undecided it stays out"),
            mark("{count} words taken out; undecided they stay out"),
        ),
        (
            undecided.images,
            mark("1 image; undecided it stays here"),
            mark("{count} images; undecided they stay here"),
        ),
    )
    told = [counted(count, one, many) for count, one, many in found if count]
    yield from told or [tr("Nothing.")]


def approval_sentences(approvals: tuple[RoleApproval, ...]) -> Iterator[str]:
    """Who signed what."""
    for one in approvals:
        role = own_words(one.role, tr)
        if not one.name:
            yield tr("{role}: not signed yet", role=role)
        elif one.is_valid:
            yield tr("{role}: {name}, {when}", role=role, name=one.name, when=time_text(one.when))
        else:
            yield tr(
                "{role}: {name} signed on {when}, but something changed since",
                role=role,
                name=one.name,
                when=time_text(one.when),
            )
