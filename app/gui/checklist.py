"""The checklist and the four answers of ``pipeline.overview`` as sentences of the window."""

from collections.abc import Iterator

from PySide6.QtCore import QLocale

from app.errors import Reason
from app.gui.text import plural, tr
from app.pipeline.overview import Check, CheckItem, Leaving, Removed, RoleApproval, Standing, Undecided
from app.text.i18n import mark, mark_plural
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
    "remove": mark_plural("{count} attribute removed", "{count} attributes removed"),
    "empty": mark_plural("{count} attribute emptied", "{count} attributes emptied"),
    "dummy": mark_plural(
        "{count} attribute filled with a value that says nothing",
        "{count} attributes filled with values that say nothing",
    ),
    "clean": mark_plural(
        "{count} attribute cut down to its safe words", "{count} attributes cut down to their safe words"
    ),
    "uid": mark_plural("{count} attribute of identifiers made anew", "{count} attributes of identifiers made anew"),
    "shift": mark_plural("{count} attribute of dates moved", "{count} attributes of dates moved"),
    "cap-age": mark_plural("Ages limited to 90 years", "Ages limited to 90 years"),
    "pseudonym": mark_plural("{count} attribute replaced by codes", "{count} attributes replaced by codes"),
}


def number(count: int) -> str:
    """A count as people of this place write it."""
    return QLocale().toString(count)


def counted(count: int, one: str, many: str, /, **fields: object) -> str:
    """A sentence about a ``{count}``, in the form that the language has for it, with its other fields filled in."""
    return plural(one, many, count).format(count=number(count), **fields)


def size_text(size: int) -> str:
    """Bytes in the unit that fits."""
    return QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def time_text(when: str) -> str:
    """``2026-01-31T12:00:00Z`` as ``2026-01-31 12:00 UTC``: dates of signatures are read in more than one country."""
    return when[:16].replace("T", " ") + " UTC" if when else ""


def check_sentence(check: Check) -> str:
    """What a line says beside its title."""
    done = number(check.done)
    match check.item:
        case CheckItem.SCAN:
            files = counted(check.total, "{count} file", "{count} files")
            return files if check.total else tr("Nothing was read yet.")
        case CheckItem.SELECTION:
            if check.standing is Standing.STALE:
                return counted(
                    check.left,
                    "{count} image came in after the selection.",
                    "{count} images came in after the selection.",
                )
            judged = counted(check.done, "{count} image judged", "{count} images judged")
            return judged if check.done else tr("Nothing is selected yet.")
        case CheckItem.IMAGE_SEARCH:
            if not check.total:
                return tr("Nothing to search yet.")
            sentence = counted(check.total, "{done} of {count} image", "{done} of {count} images", done=done)
            if check.failed:
                sentence += counted(
                    check.failed,
                    "; {count} can't be searched and stays here",
                    "; {count} can't be searched and stay here",
                )
            return sentence
        case CheckItem.PREPARATION:
            if check.standing is Standing.STALE:
                return tr("Decisions changed since; de-identify again.")
            if not check.total:
                return tr("Nothing to de-identify yet.")
            sentence = counted(check.total, "{done} of {count} image", "{done} of {count} images", done=done)
            if check.failed:
                sentence += counted(check.failed, "; {count} stays here", "; {count} stay here")
            return sentence
        case CheckItem.VALUES:
            if not check.total:
                return tr("Nothing suspicious.") if check.standing is Standing.DONE else tr("No values yet.")
            sentence = counted(
                check.total,
                "{done} of {count} suspicious value decided",
                "{done} of {count} suspicious values decided",
                done=done,
            )
            if check.standing is Standing.OPTIONAL:
                sentence += tr("; the others leave as they are")
            return sentence
        case CheckItem.IMAGES:
            if check.standing is Standing.OPTIONAL:
                return counted(
                    check.left,
                    "{count} image waits for a person; undecided it stays here",
                    "{count} images wait for a person; undecided they stay here",
                )
            if check.standing is Standing.TO_DO:
                return tr("No images yet.")
            decided = counted(check.done, "{count} image decided", "{count} images decided")
            return decided if check.done else tr("No image waits for a person.")
        case CheckItem.DATASET:
            if check.standing is Standing.STALE:
                return tr("Something changed since; it is checked again.")
            if check.left:
                return counted(
                    check.left, "{count} finding waits for a decision", "{count} findings wait for a decision"
                )
            if check.standing is Standing.TO_DO:
                return tr("Nothing to check yet.")
            decided = counted(check.done, "{count} finding decided", "{count} findings decided")
            return decided if check.total else tr("Nothing stands in the way.")
        case CheckItem.SIGNATURES:
            if check.roles:
                return tr("Missing: {roles}", roles=", ".join(own_words(role, tr) for role in check.roles))
            return counted(check.total, "{done} of {count} role", "{done} of {count} roles", done=done)
        case CheckItem.EXPORT:
            if check.standing is Standing.STALE:
                return tr("What lies there is not what would leave now.")
            parts = counted(check.total, "{count} part", "{count} parts")
            return parts if check.total else tr("Nothing was exported yet.")
        case CheckItem.VERIFICATION:
            if check.failed:
                return counted(check.failed, "{count} finding: do not send it.", "{count} findings: do not send it.")
            parts = counted(check.total, "{done} of {count} part", "{done} of {count} parts", done=done)
            return parts if check.total else tr("Follows the export.")


def leaving_sentences(leaving: Leaving) -> Iterator[str]:
    """What would leave."""
    if not leaving.instances:
        yield tr("Nothing yet.")
        return
    yield tr(
        "{images} of {patients}, in {series} of {studies}",
        images=counted(leaving.instances, "{count} image", "{count} images"),
        patients=counted(leaving.patients, "{count} patient", "{count} patients"),
        series=counted(leaving.series, "{count} series", "{count} series"),
        studies=counted(leaving.studies, "{count} study", "{count} studies"),
    )
    yield counted(
        leaving.values,
        "{count} text, to be seen under Review values",
        "{count} different texts, all of them under Review values",
    )
    yield tr("At most {size}", size=size_text(leaving.size))


def removed_sentences(removed: Removed) -> Iterator[str]:
    """What was taken out or stays behind."""
    for action, forms in _ATTRIBUTES.items():
        if removed.attributes.get(action):
            yield counted(removed.attributes[action], *forms)
    found = (
        (removed.words, mark_plural("{count} word taken out of texts", "{count} different words taken out of texts")),
        (
            removed.dropped_values,
            mark_plural("{count} value dropped by a person", "{count} values dropped by a person"),
        ),
        (
            removed.replaced_values,
            mark_plural("{count} value replaced by a person", "{count} values replaced by a person"),
        ),
        (
            removed.dropped_tags,
            mark_plural("{count} attribute dropped by a person", "{count} attributes dropped by a person"),
        ),
        (removed.masked_images, mark_plural("{count} image with covered areas", "{count} images with covered areas")),
    )
    for count, forms in found:
        if count:
            yield counted(count, *forms)
    for reason, count in removed.held_back.items():
        sentence = sentence_for(Reason(reason).value, {}, tr)
        yield counted(count, "{count} image stays here:", "{count} images stay here:") + " " + sentence


def undecided_sentences(undecided: Undecided) -> Iterator[str]:
    """What nobody decided on."""
    others = undecided.suspicious - undecided.blocking
    found = (
        (
            undecided.blocking,
            mark_plural(
                "{count} value with a known identity; the release waits for it",
                "{count} values with a known identity; the release waits for them",
            ),
        ),
        (
            others,
            mark_plural(
                "{count} suspicious value; undecided it leaves as it is",
                "{count} suspicious values; undecided they leave as they are",
            ),
        ),
        (
            undecided.words,
            mark_plural(
                "{count} word taken out; undecided it stays out", "{count} words taken out; undecided they stay out"
            ),
        ),
        (
            undecided.images,
            mark_plural("{count} image; undecided it stays here", "{count} images; undecided they stay here"),
        ),
    )
    told = [counted(count, *forms) for count, forms in found if count]
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
