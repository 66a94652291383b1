"""The help, and click's own words, in the language of the terminal.

click asks Python's gettext for its words, and that asks the environment for the language: it finds our catalogues once
it knows where they are. What we say of a command and its options stands where they are declared, in English; whoever
asks for a command gets it in the language of the terminal.
"""

import copy
import gettext
import inspect
import os
import re
from typing import Any, TypeVar

import click

from app.files.resources import resource_path
from app.text.i18n import DOMAIN, Translate, language_of_terminal, mark, mark_plural, open_translation

# What click has gettext translate, as far as our commands can make it say so.
CLICK_WORDS = (
    mark("Usage:"),
    mark("Options"),
    mark("Commands"),
    mark("Show this message and exit."),
    mark("Show the version and exit."),
    mark("default: {default}"),
    mark("required"),
    mark("Error: {message}"),
    mark("Try '{command} {option}' for help."),
    mark("Missing command."),
    mark("Missing argument"),
    mark("Missing option"),
    mark("No such command {name!r}."),
    mark("No such option {name!r}."),
    mark("Option {name!r} does not take a value."),
    mark("Invalid value for {param_hint}: {message}"),
    mark("{name} {filename!r} is a file."),
    mark("{name} {filename!r} is a directory."),
    mark("Aborted!"),
)
CLICK_PLURALS = (
    mark_plural("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    mark_plural("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    mark_plural("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
)
# What click names as it is: kinds of values, and what stands for them in a line of usage.
KINDS = (mark("text"), mark("path"), mark("file"), mark("directory"))
PLACEHOLDERS = (
    mark("OPTIONS"),
    mark("COMMAND"),
    mark("ARGS"),
    mark("PROJECT"),
    mark("SOURCE"),
    mark("TABLE"),
    mark("BUNDLE"),
    mark("FOLDER"),
    mark("HIT"),
    mark("ID"),
    mark("KEYWORD"),
)
_PLACEHOLDER = re.compile("[A-Z]+")
Declared = TypeVar("Declared", bound=click.Command)


class TranslatedGroup(click.Group):
    """Commands whose help is in the language of the terminal; without a catalogue for it, in English."""

    translate: Translate = str

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command, after gettext was told where our catalogues are."""
        gettext.bindtextdomain(DOMAIN, str(resource_path("locale")))
        gettext.textdomain(DOMAIN)
        translate = open_translation([language_of_terminal(os.environ)])
        told = _translated(self, click.Context(self), translate)
        told.translate = translate
        return click.Group.main(told, *arguments, **options)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name, in the language of the terminal; None for an unknown one."""
        command = super().get_command(ctx, cmd_name)
        return None if command is None else _translated(command, ctx, self.translate)


def _translated(command: Declared, ctx: click.Context, translate: Translate) -> Declared:
    told = copy.copy(command)
    told.help = _text(inspect.cleandoc(command.help or ""), translate)
    told.short_help = told.help.partition("\n")[0].partition(". ")[0].removesuffix(".")  # whole: click would cut it
    told.options_metavar = _placeholders(command.options_metavar, translate)
    if isinstance(told, click.Group):
        told.subcommand_metavar = _placeholders(told.subcommand_metavar, translate)
    told.params = [_parameter(one, ctx, translate) for one in command.params]
    return told


def _parameter(parameter: click.Parameter, ctx: click.Context, translate: Translate) -> click.Parameter:
    told = copy.copy(parameter)
    told.type = copy.copy(parameter.type)
    told.type.name = _text(parameter.type.name, translate)
    if isinstance(told, click.Option):
        told.help = _text(told.help, translate)
    if parameter.metavar or isinstance(parameter, click.Argument):
        told.metavar = _placeholders(parameter.make_metavar(ctx), translate)
    return told


def _placeholders(text: str | None, translate: Translate) -> str:
    return _PLACEHOLDER.sub(lambda found: translate(found[0]), text or "")


def _text(text: str | None, translate: Translate) -> str:
    return translate(text) if text else ""  # gettext takes an empty text for its own header
