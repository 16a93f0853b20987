"""What the parser of the command line refuses, in our own words."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from segmint.errors import nearest_name

_KINDS = {int: "a whole number", float: "a number"}


def sentence(error: CycloptsError, arguments: Sequence[str]) -> str:
    """One sentence for what was not understood of a command line."""
    what = _what(error, arguments[0])
    joint = " " if what.endswith("?") else "; "
    return f"{what}{joint}'segmint {_words(arguments)} --help' shows all options"


def _words(arguments: Sequence[str]) -> str:
    """The command with what its options depend on: a method, a recipe, an action."""
    command, *others = arguments
    if command in ("train", "data") and others and not others[0].startswith("-"):
        return f"{command} {others[0]}"
    if command == "segment" and "--method" in others[:-1]:
        return f"segment --method {others[others.index('--method') + 1]}"
    return command


def _what(error: CycloptsError, command: str) -> str:
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error, command)
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        given = error.keyword or next((t.keyword for t in error.argument.tokens if t.keyword), None)
        return f"{given} needs a value" if given else f"{command} needs {name}"
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"{command} does not take {error.unused_tokens[0]!r}"
    if isinstance(error, RepeatArgumentError):
        return f"{error.token.keyword} (or another name of it) is given twice: give it once"
    if isinstance(error, CoercionError) and error.token and error.target_type in _KINDS:
        return (
            f"{error.token.keyword} is {error.token.value!r}, accepted is "
            f"{_KINDS[error.target_type]}"
        )
    return " ".join(str(error).split()).rstrip(".")


def _unknown_option(error: UnknownOptionError, command: str) -> str:
    from segmint.cli.segment import methods_with

    option = str(error.token.keyword or error.token.value).partition("=")[0]
    able = methods_with(option) if command == "segment" else []
    if able:
        return f"option {option} is not one of this method, but of --method {', '.join(able)}"
    known = [name for argument in error.argument_collection for name in argument.names]
    close = nearest_name(option, [name for name in known if name.startswith("--")])
    return f"unknown option {option}" + (f": did you mean {close}?" if close else "")
