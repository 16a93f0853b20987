"""What the pages hold: blocks of code and lines of commands.

Run as a program it reads command lines from standard input and parses them as segmint does.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCED = re.compile(
    r"^( *)```(\w+)?(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL
)
_INDENTED = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)
_INLINE = re.compile(r"`(segmint [^`]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: Path
    language: str
    title: str
    code: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, without what they are indented by."""
    for indent, language, title, code in _FENCED.findall(page.read_text(encoding="utf-8")):
        lines = [line.removeprefix(indent) for line in code.splitlines(keepends=True)]
        yield Block(page, language, title, "".join(lines))


def command_lines(page: Path) -> Iterator[str]:
    """Lines that start a command, in blocks and in the text."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.language in ("console", "bash", ""):
            yield from _commands(block.code.splitlines())
    rest = _FENCED.sub("", text)
    yield from _commands(rest.splitlines(), indent="    ")
    for found in _INLINE.findall(re.sub(r"\n(?=\S)", " ", rest)):
        yield " ".join(found.split())


def _commands(lines: list[str], *, indent: str = "") -> Iterator[str]:
    for line in lines:
        if line.startswith(indent):
            line = line.removeprefix(indent).removeprefix("$ ")
            if line.startswith(("segmint ", "make ")):
                yield line


PLACEHOLDERS = {"NAME": "hybrid", "RECIPE": "unet", "...": ""}
"""Words of the pages that stand for a choice."""


def parse(line: str) -> None:
    """Parse a command line as the program does, and run nothing.

    Raises:
        CycloptsError: for an option that is not there, or a value of the wrong kind.
        UsageError: for a command, method or recipe that is not there.
    """
    from cyclopts import App, MissingArgumentError

    from segmint.cli import commands

    words = shlex.split(line, comments=True)[1:]
    words = [word for word in (PLACEHOLDERS.get(word, word) for word in words) if word]
    if not words or words[0].startswith("--"):
        return
    command = commands.entry(words[0]).load()(words[1:])
    app = App(name="segmint", help_format="plaintext")
    app.command(command, name=words[0])
    # A sentence may name a command without what it works on.
    with contextlib.suppress(MissingArgumentError):
        app.parse_args(words, exit_on_error=False, print_error=False)


if __name__ == "__main__":
    for line in sys.stdin:
        parse(line)
