"""What a person or a machine sees of a job: progress with rate and time left, results, sentences for codes."""

import json
import os
import sys
import time
from collections.abc import Generator, Mapping
from typing import Any, TypeVar, assert_never

import click

from app.errors import ConsignError
from app.events import Event, Finished, Job, Note, Progress
from app.text.i18n import language_of_terminal, open_plurals, open_translation
from app.text.job_words import JOB_TITLES, UNITS, count_words
from app.text.messages import sentence_for, sentences_for
from app.text.numbers import count_text

T = TypeVar("T")
# What a command says to machines, and its lines for people.
Said = tuple[dict[str, Any], list[str]]
REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0


class Console:
    """Writes to the terminal: results to stdout, progress and notes to stderr.

    With ``json_output`` stdout carries one JSON object a line (an event or a result), and stderr nothing.
    """

    def __init__(self, *, json_output: bool) -> None:
        self._json = json_output
        # What a machine reads stays English.
        language = "en" if json_output else language_of_terminal(os.environ)
        self._language = language
        self.translate = open_translation([language])
        self.plural = open_plurals([language])
        self._is_terminal = sys.stderr.isatty()
        self._shown = 0.0
        self._started = 0.0
        self._step = ""
        self._first_done = 0
        self._line_open = False
        self._counts: Mapping[str, int] = {}

    def watch(self, job: Job) -> Mapping[str, int]:
        """Run a job to its end and show its events; returns the counts of the last Finished."""
        self._counts = {}
        self.follow(job)
        return self._counts

    def follow(self, job: Generator[Event, None, T]) -> T:
        """Run a job to its end, show its events, and return what it returns."""
        try:
            while True:
                try:
                    self._show(next(job))
                except StopIteration as end:
                    result: T = end.value
                    return result
        finally:
            job.close()
            self._end_line()

    def _show(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress(event)
            case Note():
                self._note(event)
            case Finished():
                self._counts = event.counts
                self._finished(event)
            case _:
                assert_never(event)

    def result(self, values: Mapping[str, Any], text: str) -> None:
        """A command's result: the mapping for machines, the text for people."""
        self._end_line()
        # ASCII: a file or a pipe has the code page of the system, and may lack a letter of a path.
        click.echo(json.dumps(values) if self._json else text)

    def tr(self, text: str, /, **fields: object) -> str:
        """A text in the terminal's language, with its named fields filled in; an ``int`` is a count, not a number."""
        told = {key: self.number(field) if isinstance(field, int) else field for key, field in fields.items()}
        return self.translate(text).format(**told)

    def number(self, count: int) -> str:
        """A count as people of the terminal's language write it."""
        return count_text(count, self._language)

    def named(self, name: str, text: object) -> str:
        """A name and what there is of it, with the colon as the language sets it."""
        return self.tr("{name}: {text}", name=name, text=text)

    def sentence(self, code: str) -> str:
        """The sentence of a code in the terminal's language."""
        return sentence_for(code, {}, self.translate)

    def error(self, error: ConsignError) -> None:
        """Say what went wrong and what to do."""
        self._end_line()
        sentence = "\n".join(sentences_for(error, self.translate))
        if self._json:
            click.echo(json.dumps({"error": error.code, "ids": dict(error.ids), "message": sentence}))
        else:
            click.echo(sentence, err=True)

    def explain(self, text: str) -> None:
        """What people read before an error; a machine has it from other commands."""
        self._end_line()
        if not self._json:
            click.echo(text, err=True)

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.step != self._step or event.done < self._first_done:
            # A file of lines gets one only where a step takes long; a terminal gets one at once.
            shown = 0.0 if self._is_terminal or self._json else now
            self._step, self._started, self._first_done, self._shown = event.step, now, event.done, shown
        last = event.total is not None and event.done >= event.total
        every = REDRAW_SECONDS if self._is_terminal or self._json else LINE_SECONDS
        if now - self._shown < every and not (last and self._is_terminal):
            return
        self._shown = now
        seconds = now - self._started
        rate = (event.done - self._first_done) / seconds if seconds > 0 else 0.0
        if self._json:
            click.echo(json.dumps({"event": "progress", "step": event.step, "done": event.done, "total": event.total}))
            return
        self._draw(self._progress_line(event, rate))

    def _progress_line(self, event: Progress, rate: float) -> str:
        unit = self.tr(UNITS.get(event.unit, event.unit))
        if event.total is None:
            line = self.tr("{done} {unit}", done=event.done, unit=unit)
        else:
            line = self.tr("{done} of {total} {unit}", done=event.done, total=event.total, unit=unit)
        if rate > 0:
            line += self.tr("  \u00b7  {rate} a second", rate=round(rate))
            if event.total is not None and event.done < event.total:
                line += self.tr("  \u00b7  {time} left", time=_duration((event.total - event.done) / rate))
        return self.named(self.tr(JOB_TITLES.get(event.step, event.step)), line)

    def _draw(self, line: str) -> None:
        if self._is_terminal:
            click.echo(f"\r\x1b[2K{line}", nl=False, err=True)
            self._line_open = True
        else:
            click.echo(line, err=True)

    def _end_line(self) -> None:
        if self._line_open:
            click.echo(err=True)
            self._line_open = False

    def _note(self, event: Note) -> None:
        if self._json:
            click.echo(json.dumps({"event": "note", "step": event.step, "code": event.code, "ids": dict(event.ids)}))
            return
        self._end_line()
        click.echo(f"  {sentence_for(event.code, event.ids, self.translate)}", err=True)

    def _finished(self, event: Finished) -> None:
        self._step = ""
        if self._json:
            click.echo(json.dumps({"event": "finished", "step": event.step, "counts": dict(event.counts)}))
            return
        self._end_line()
        told = ", ".join(count_words(name, count, self.plural, self.number) for name, count in event.counts.items())
        click.echo(self.named(self.tr(JOB_TITLES.get(event.step, event.step)), told), err=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
