"""What jobs are called, what they count on their way, and what they did: for the window and the command line."""

from collections.abc import Callable, Mapping

from app.text.i18n import Plural, mark, mark_plural

JOB_TITLES: Mapping[str, str] = {
    "scan": mark("Reading files"),
    "check": mark("Checking series"),
    "select": mark("Selecting"),
    "detect": mark("Looking for text in images"),
    "prepare": mark("De-identifying headers"),
    "export": mark("Writing the bundle"),
    "verify": mark("Checking the bundle"),
    "check-dataset": mark("Checking the data set"),
    "deface": mark("Removing faces"),
}
UNITS: Mapping[str, str] = {
    "files": mark("files"),
    "instances": mark("images"),
    "images": mark("images"),
    "series": mark("series"),
    "attribute sets": mark("groups of images"),
    "duplicates": mark("files"),
    "checks": mark("checks"),
    "bytes": mark("bytes"),
}
# The counts of ``app.events.Finished``, whatever step they are of.
COUNTS: Mapping[str, tuple[str, str]] = {
    "files": mark_plural("{count} file", "{count} files"),
    "instances": mark_plural("{count} instance", "{count} instances"),
    "skipped": mark_plural("{count} skipped", "{count} skipped"),
    "unreadable": mark_plural("{count} unreadable", "{count} unreadable"),
    "duplicates": mark_plural("{count} duplicate", "{count} duplicates"),
    "conflicts": mark_plural("{count} conflict", "{count} conflicts"),
    "patients": mark_plural("{count} patient", "{count} patients"),
    "studies": mark_plural("{count} study", "{count} studies"),
    "series": mark_plural("{count} series", "{count} series"),
    "warned": mark_plural("{count} to look at", "{count} to look at"),
    "excluded": mark_plural("{count} excluded", "{count} excluded"),
    "selected": mark_plural("{count} selected", "{count} selected"),
    "series_selected": mark_plural("{count} series selected", "{count} series selected"),
    "series_excluded": mark_plural("{count} series excluded", "{count} series excluded"),
    "checked": mark_plural("{count} checked", "{count} checked"),
    "failed": mark_plural("{count} failed", "{count} failed"),
    "with_text": mark_plural("{count} with text", "{count} with text"),
    "text_usual": mark_plural("{count} of a kind that often has text", "{count} of a kind that often has text"),
    "done_now": mark_plural("{count} done now", "{count} done now"),
    "prepared": mark_plural("{count} prepared", "{count} prepared"),
    "held_back": mark_plural("{count} held back", "{count} held back"),
    "values": mark_plural("{count} different value", "{count} different values"),
    "defaced": mark_plural("{count} face removed", "{count} faces removed"),
    "refused": mark_plural("{count} face that can't be removed", "{count} faces that can't be removed"),
    "parts": mark_plural("{count} part", "{count} parts"),
    "bytes": mark_plural("{count} byte", "{count} bytes"),
    "reused_parts": mark_plural("{count} part reused", "{count} parts reused"),
}


def count_words(name: str, count: int, plural: Plural, count_text: Callable[[int], str] = str) -> str:
    """A count of a finished job, such as "12 skipped"; ``count_text`` writes the number."""
    one, several = COUNTS.get(name, (f"{name} {{count}}",) * 2)
    return plural(one, several, count).format(count=count_text(count))
