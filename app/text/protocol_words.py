"""A protocol read back: who asks, what is wanted, what is removed, how images are handled, who signs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.dicom.dictionary import name_of
from app.dicom.profile import Action, DatePreset, Option
from app.protocol.images import DetectorName, MustSee
from app.protocol.schema import Protocol
from app.text.cohort_protocol import cohort_sentences
from app.text.i18n import Translate, mark
from app.text.query_words import query_sentences


class Topic(StrEnum):
    """The parts of a protocol, in the order of reading."""

    WANTED = "wanted"
    COHORTS = "cohorts"
    REMOVED = "removed"
    STAYS = "stays"
    IMAGES = "images"
    SIGNATURES = "signatures"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Passage:
    """What a protocol says about one topic."""

    topic: Topic
    title: str
    sentences: tuple[str, ...]


TITLES: Mapping[Topic, str] = {
    Topic.WANTED: mark("What is wanted"),
    Topic.COHORTS: mark("Groups, labels and checks"),
    Topic.REMOVED: mark("What is removed"),
    Topic.STAYS: mark("What stays"),
    Topic.IMAGES: mark("Text in the images"),
    Topic.SIGNATURES: mark("Who has to sign"),
    Topic.BUNDLE: mark("How it leaves"),
}
_BASIC = mark(
    "Whatever names or points to a person is removed: names, IDs, addresses, birth dates, physicians, and every "
    "attribute that no rule lets in."
)
# What an option says when it is on, and when it is off; None where there is nothing to add.
OPTIONS: Mapping[Option, tuple[tuple[Topic, str], tuple[Topic, str]]] = {
    Option.RETAIN_SAFE_PRIVATE: (
        (Topic.STAYS, mark("Manufacturers' own attributes stay where the standard lists them as safe.")),
        (Topic.REMOVED, mark("Manufacturers' own (private) attributes are removed.")),
    ),
    Option.RETAIN_UIDS: (
        (Topic.STAYS, mark("The original identifiers (UIDs) of studies, series and images stay.")),
        (
            Topic.REMOVED,
            mark("Identifiers of studies, series and images are replaced by new ones, made with a key."),
        ),
    ),
    Option.RETAIN_DEVICE_IDENTITY: (
        (Topic.STAYS, mark("Serial numbers and station names of the devices stay.")),
        (Topic.REMOVED, mark("Serial numbers and station names of the devices are removed.")),
    ),
    Option.RETAIN_INSTITUTION_IDENTITY: (
        (Topic.STAYS, mark("The name and address of the institution stay.")),
        (Topic.REMOVED, mark("The name and address of the institution are removed.")),
    ),
    Option.RETAIN_PATIENT_CHARACTERISTICS: (
        (Topic.STAYS, mark("Sex, age, height and weight stay; ages above 89 years become 90.")),
        (Topic.REMOVED, mark("Sex, age, height and weight are removed.")),
    ),
    Option.RETAIN_FULL_DATES: ((Topic.STAYS, mark("Dates stay as they are.")), (Topic.REMOVED, "")),
    Option.RETAIN_MODIFIED_DATES: ((Topic.STAYS, ""), (Topic.REMOVED, mark("Dates are removed."))),
    Option.CLEAN_DESCRIPTORS: (
        (Topic.STAYS, mark("Descriptions keep the words that are known to be safe, and lose all others.")),
        (Topic.REMOVED, mark("Descriptions are removed.")),
    ),
    Option.CLEAN_STRUCTURED_CONTENT: (
        (Topic.STAYS, mark("Structured reports stay with what is known to be safe.")),
        (Topic.REMOVED, mark("Structured reports stay at your site.")),
    ),
    Option.CLEAN_GRAPHICS: (
        (Topic.STAYS, mark("Annotations and overlays stay, cleaned.")),
        (Topic.REMOVED, mark("Annotations and overlays are removed.")),
    ),
    Option.CLEAN_PIXEL_DATA: (
        (Topic.IMAGES, mark("Text that is burned into images is searched for and covered.")),
        (Topic.IMAGES, mark("Text that is burned into images is not covered.")),
    ),
    Option.CLEAN_VISUAL_FEATURES: (
        (
            Topic.IMAGES,
            mark("Images that may show a face stay at your site, or have it made unrecognizable."),
        ),
        (Topic.IMAGES, ""),
    ),
}
DATES: Mapping[DatePreset, str] = {
    DatePreset.SHIFTED: mark(
        "Dates move into the past, all those of a patient by the same number of days; the time between them stays."
    ),
    DatePreset.YEAR_ONLY: mark("Of dates the year alone stays."),
}
DETECTORS: Mapping[DetectorName, str] = {
    DetectorName.PPOCR: mark("a neural network that reads text"),
    DetectorName.GLYPHS: mark("a search for the letters that devices draw"),
    DetectorName.TESSERACT: mark("the text recognition Tesseract"),
}
MUST_SEE: Mapping[MustSee, str] = {
    MustSee.EXPECTED_TEXT: mark(
        "You look at images that usually carry text, such as ultrasound and screen captures, even if none was found."
    ),
    MustSee.WEAK_FINDINGS: mark("You look at images where the search was not sure."),
}
_RELEASE: Mapping[str, str] = {
    "clear": mark("those without text"),
    "masked": mark("those whose text is covered"),
    "seen": mark("those that you looked at and found harmless"),
}
_OVERRIDES: Mapping[Action, tuple[Topic, str]] = {
    Action.KEEP: (Topic.STAYS, mark("Beyond that these stay as they are: {names}.")),
    Action.CLEAN: (Topic.STAYS, mark("Beyond that these keep their safe words: {names}.")),
    Action.SHIFT: (Topic.STAYS, mark("Beyond that these dates are shifted: {names}.")),
    Action.CAP_AGE: (Topic.STAYS, mark("Beyond that these ages stay up to 89 years: {names}.")),
    Action.COARSEN: (Topic.STAYS, mark("Beyond that these are told in steps only: {names}.")),
    Action.REMOVE: (Topic.REMOVED, mark("Beyond that these are removed: {names}.")),
    Action.EMPTY: (Topic.REMOVED, mark("Beyond that these are emptied: {names}.")),
    Action.DUMMY: (Topic.REMOVED, mark("Beyond that these are replaced by a value that says nothing: {names}.")),
    Action.UID: (Topic.REMOVED, mark("Beyond that these identifiers are replaced: {names}.")),
    Action.PSEUDONYM: (Topic.REMOVED, mark("Beyond that these are replaced by a code: {names}.")),
}
# What the shipped protocol says in its own words. Organisers' protocols speak the language that they were written in.
_SHIPPED = frozenset(
    (
        mark("Image de-identification after the RSNA process"),
        mark("the organiser of your project"),
        mark(
            "Allow-list Basic Profile with the options Clean Pixel Data, Clean Descriptors, Retain Longitudinal "
            "Temporal Information with Modified Dates, and Retain Patient Characteristics."
        ),
        mark("site champion"),
    )
)


def own_words(text: str, translate: Translate = str) -> str:
    """A title, description, contact or role of a protocol, for people to read; that of the shipped one translated."""
    text = " ".join(text.split())
    return translate(text) if text in _SHIPPED else text


def read_back(protocol: Protocol, translate: Translate = str) -> tuple[Passage, ...]:
    """What a protocol says, topic by topic."""
    told: dict[Topic, list[str]] = {topic: [] for topic in Topic}
    told[Topic.WANTED] = query_sentences(protocol.selection.predicate, translate)
    told[Topic.COHORTS].extend(cohort_sentences(protocol, translate))
    told[Topic.REMOVED].append(translate(_BASIC))
    for topic, sentence in _deidentification(protocol, translate):
        told[topic].append(sentence)
    told[Topic.IMAGES].extend(_images(protocol, translate))
    told[Topic.SIGNATURES].extend(_signatures(protocol, translate))
    told[Topic.BUNDLE].extend(_bundle(protocol, translate))
    return tuple(Passage(topic, translate(TITLES[topic]), tuple(told[topic])) for topic in Topic)


def _deidentification(protocol: Protocol, translate: Translate) -> Iterator[tuple[Topic, str]]:
    rules = protocol.deidentification
    for option, sides in OPTIONS.items():
        topic, sentence = sides[0 if option in rules.options else 1]
        if option is Option.RETAIN_MODIFIED_DATES and rules.retain_full_dates:
            continue
        if sentence:
            yield topic, translate(sentence)
    if Option.RETAIN_MODIFIED_DATES in rules.options:
        yield Topic.STAYS, translate(DATES[rules.dates])
    for action, (topic, template) in _OVERRIDES.items():
        names = [name_of(tag) for tag, chosen in rules.overrides.items() if chosen is action]
        if names:
            yield topic, translate(template).format(names=", ".join(names))
    if protocol.words.safe:
        template = mark("These words may stay in descriptions, too: {words}.")
        yield Topic.STAYS, translate(template).format(words=_some(protocol.words.safe, translate))


def _some(words: Sequence[str], translate: Translate) -> str:
    shown = ", ".join(words[:12])
    if len(words) <= 12:
        return shown
    return translate(mark("{words} and {count} more")).format(words=shown, count=len(words) - 12)


def _images(protocol: Protocol, translate: Translate) -> Iterator[str]:
    images = protocol.images
    names = translate(mark(" and by ")).join(translate(DETECTORS[name]) for name in images.detectors)
    yield translate(mark("Each image is searched by {detectors}.")).format(detectors=names)
    for reason in images.must_see:
        yield translate(MUST_SEE[reason])
    allowed = [translate(_RELEASE[kind]) for kind in ("clear", "masked", "seen") if kind in images.release]
    yield translate(mark("These images may leave: {kinds}.")).format(kinds=", ".join(allowed))
    yield translate(
        mark("If nobody decides, found text is covered.")
        if images.unattended_masks
        else mark("If nobody decides, images with text stay at your site.")
    )


def _signatures(protocol: Protocol, translate: Translate) -> Iterator[str]:
    roles = [own_words(role, translate) for role in protocol.review.signatures]
    if len(roles) == 1:
        yield translate(mark("The {role} signs before anything leaves.")).format(role=roles[0])
    else:
        template = mark("These sign before anything leaves, each another person: {roles}.")
        yield translate(template).format(roles=", ".join(roles))
    sample, share = protocol.review.audit_sample, protocol.review.audit_share
    if share is not None:
        template = mark(
            "Images that nothing speaks against are drawn at random for a look: as many as it takes to show that fewer "
            "than {share} of them hide text."
        )
        yield translate(template).format(share=f"{share * 100:g} %")
    elif sample:
        template = mark("Images that nothing speaks against, drawn at random for a look: {count}.")
        yield translate(template).format(count=sample)


def _bundle(protocol: Protocol, translate: Translate) -> Iterator[str]:
    template = mark("As zip parts of at most {size} MB, with checksums and a report.")
    yield translate(template).format(size=protocol.bundle.part_size_mb)
    yield translate(mark("Nothing is sent: you hand the parts over yourself."))
