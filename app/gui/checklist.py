"""The checklist and the four answers of ``pipeline.overview`` as sentences of the window."""

from collections.abc import Iterator

from PySide6.QtCore import QLocale

from app.errors import Reason
from app.gui.text import tr
from app.pipeline.overview import Check, CheckItem, Leaving, Removed, RoleApproval, Standing, Undecided
from app.text.i18n import mark
from app.text.messages import sentence_for

TITLES = {
    CheckItem.SCAN: mark("Sources read"),
    CheckItem.SELECTION: mark("Images selected"),
    CheckItem.IMAGE_SEARCH: mark("Images searched for text"),
    CheckItem.PREPARATION: mark("Headers de-identified"),
    CheckItem.VALUES: mark("Values reviewed"),
    CheckItem.IMAGES: mark("Images reviewed"),
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
    "remove": mark("{count} attributes removed"),
    "empty": mark("{count} attributes emptied"),
    "dummy": mark("{count} attributes filled with a value that says nothing"),
    "clean": mark("{count} texts kept by their safe words alone"),
    "uid": mark("{count} identifiers made anew"),
    "shift": mark("{count} dates moved"),
    "cap-age": mark("{count} ages limited to 90"),
    "pseudonym": mark("{count} identities replaced by codes"),
}


def number(count: int) -> str:
    """A count as people of this place write it."""
    return QLocale().toString(count)


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
            return tr("{count} files", count=total) if check.total else tr("Nothing was read yet.")
        case CheckItem.SELECTION:
            if check.standing is Standing.STALE:
                return tr("{count} images came in after the selection.", count=left)
            return tr("{count} images judged", count=done) if check.done else tr("Nothing is selected yet.")
        case CheckItem.IMAGE_SEARCH:
            sentence = tr("{done} of {total} images", done=done, total=total)
            if check.failed:
                sentence += tr("; {count} can't be searched and stay here", count=number(check.failed))
            return sentence
        case CheckItem.PREPARATION:
            if check.standing is Standing.STALE:
                return tr("Decisions changed since; de-identify again.")
            sentence = tr("{done} of {total} images", done=done, total=total)
            if check.failed:
                sentence += tr("; {count} stay here", count=number(check.failed))
            return sentence
        case CheckItem.VALUES:
            sentence = tr("{done} of {total} suspicious values decided", done=done, total=total)
            if check.standing is Standing.OPTIONAL:
                sentence += tr("; the others leave as they are")
            return sentence
        case CheckItem.IMAGES:
            if check.standing is Standing.OPTIONAL:
                return tr("{count} images wait for a person; undecided they stay here", count=left)
            return tr("{count} decided", count=done) if check.done else tr("No image waits for a person.")
        case CheckItem.SIGNATURES:
            if check.roles:
                return tr("Missing: {roles}", roles=", ".join(check.roles))
            return tr("{done} of {total} roles", done=done, total=total)
        case CheckItem.EXPORT:
            if check.standing is Standing.STALE:
                return tr("What lies there is not what would leave now.")
            return tr("{count} parts", count=total) if check.total else tr("Nothing was exported yet.")
        case CheckItem.VERIFICATION:
            if check.failed:
                return tr("{count} findings: do not send it.", count=number(check.failed))
            return tr("{done} of {total} parts", done=done, total=total) if check.total else tr("Follows the export.")


def leaving_sentences(leaving: Leaving) -> Iterator[str]:
    """What would leave."""
    if not leaving.instances:
        yield tr("Nothing yet.")
        return
    yield tr(
        "{instances} images of {patients} patients, in {series} series of {studies} studies",
        instances=number(leaving.instances),
        patients=number(leaving.patients),
        series=number(leaving.series),
        studies=number(leaving.studies),
    )
    yield tr("{count} different texts, all of them under Review values", count=number(leaving.values))
    yield tr("At most {size}", size=size_text(leaving.size))


def removed_sentences(removed: Removed) -> Iterator[str]:
    """What was taken out or stays behind."""
    for action, template in _ATTRIBUTES.items():
        if removed.attributes.get(action):
            yield tr(template, count=number(removed.attributes[action]))
    counted = (
        (removed.words, mark("{count} different words taken out of texts")),
        (removed.dropped_values, mark("{count} values dropped by a person")),
        (removed.replaced_values, mark("{count} values replaced by a person")),
        (removed.dropped_tags, mark("{count} attributes dropped by a person")),
        (removed.masked_images, mark("{count} images with covered areas")),
    )
    for count, template in counted:
        if count:
            yield tr(template, count=number(count))
    for reason, count in removed.held_back.items():
        sentence = sentence_for(Reason(reason).value, {}, tr)
        yield tr("{count} images stay here: {reason}", count=number(count), reason=sentence)


def undecided_sentences(undecided: Undecided) -> Iterator[str]:
    """What nobody decided on."""
    others = undecided.suspicious - undecided.blocking
    counted = (
        (undecided.blocking, mark("{count} values with a known identity; the release waits for them")),
        (others, mark("{count} suspicious values; undecided they leave as they are")),
        (undecided.words, mark("{count} words taken out; undecided they stay out")),
        (undecided.images, mark("{count} images; undecided they stay here")),
    )
    told = [tr(template, count=number(count)) for count, template in counted if count]
    yield from told or [tr("Nothing.")]


def approval_sentences(approvals: tuple[RoleApproval, ...]) -> Iterator[str]:
    """Who signed what."""
    for one in approvals:
        if not one.name:
            yield tr("{role}: not signed yet", role=one.role)
        elif one.is_valid:
            yield tr("{role}: {name}, {when}", role=one.role, name=one.name, when=time_text(one.when))
        else:
            yield tr(
                "{role}: {name} signed on {when}, but something changed since",
                role=one.role,
                name=one.name,
                when=time_text(one.when),
            )
