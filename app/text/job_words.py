"""What jobs are called, what they count on their way, and what they did: for the window and the command line."""

from collections.abc import Mapping

from app.text.i18n import Translate, mark

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
COUNTS: Mapping[str, str] = {
    "files": mark("{count} files"),
    "instances": mark("{count} instances"),
    "skipped": mark("{count} skipped"),
    "unreadable": mark("{count} unreadable"),
    "duplicates": mark("{count} duplicates"),
    "conflicts": mark("{count} conflicts"),
    "patients": mark("{count} patients"),
    "studies": mark("{count} studies"),
    "series": mark("{count} series"),
    "warned": mark("{count} to look at"),
    "excluded": mark("{count} excluded"),
    "selected": mark("{count} selected"),
    "series_selected": mark("{count} series selected"),
    "series_excluded": mark("{count} series excluded"),
    "checked": mark("{count} checked"),
    "failed": mark("{count} failed"),
    "with_text": mark("{count} with text"),
    "text_usual": mark("{count} of a kind that often has text"),
    "done_now": mark("{count} done now"),
    "prepared": mark("{count} prepared"),
    "held_back": mark("{count} held back"),
    "values": mark("{count} different values"),
    "defaced": mark("{count} faces removed"),
    "refused": mark("{count} faces that can't be removed"),
    "parts": mark("{count} parts"),
    "bytes": mark("{count} bytes"),
    "reused_parts": mark("{count} parts reused"),
}


def count_words(name: str, count: int, translate: Translate = str) -> str:
    """A count of a finished job, such as "12 skipped"."""
    return translate(COUNTS.get(name, f"{name} {{count}}")).format(count=count)
