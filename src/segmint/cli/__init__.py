"""The command line: one thin file a command.

Only the command that is called is imported, and none imports anything heavy before it runs, so
that help answers at once.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence

from segmint import __version__
from segmint.errors import SegmintError, UsageError, nearest
from segmint.registry import Registry

_OPTIONS = ("--help", "-h", "--version")

commands = Registry("command")
commands.register("demo", "segmint.cli.demo:command", "a tour on built-in pictures")
commands.register("segment", "segmint.cli.segment:command", "segment images without labels")
commands.register(
    "recut", "segmint.cli.recut:command", "another number of components, without a new fit"
)
commands.register(
    "train", "segmint.cli.train:command", "learn from a data set or a folder of images"
)
commands.register("predict", "segmint.cli.predict:command", "apply a run to images")
commands.register(
    "export", "segmint.cli.export:command", "write a run as one file, for ONNX or torch"
)
commands.register(
    "evaluate", "segmint.cli.evaluate:command", "score predictions against ground truth"
)
commands.register(
    "compare", "segmint.cli.compare:command", "recipes or methods on the same data, in one table"
)
commands.register("report", "segmint.cli.report:command", "show a run on one page")
commands.register(
    "app", "segmint.cli.app:command", "the page: segment by eye and by mouse, in a browser"
)
commands.register("data", "segmint.cli.data:command", "check, list or prepare data sets")
commands.register("list", "segmint.cli.list:command", "what there is: methods, terms, networks")
commands.register("info", "segmint.cli.info:command", "versions and devices, for a bug report")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run one command line.

    Returns:
        0 done, 1 failed, 2 not understood.
    """
    from cyclopts import CycloptsError

    from segmint.cli.console import complain

    try:
        _check_command(arguments)
        return _dispatch(arguments)
    except CycloptsError as error:
        from segmint.cli.sentences import sentence

        complain(sentence(error, arguments))
        return 2
    except SegmintError as error:
        complain(str(error))
        return error.exit_code
    except KeyboardInterrupt as error:
        complain(str(error) or "stopped; run the same command again")
        return 1
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            if sys.stderr is not None:
                sys.stderr.close()
        elif error.filename:
            complain(
                f"cannot open {error.filename}: {error.strerror or error}; choose another name"
            )
        else:
            complain(f"cannot read or write: {error.strerror or error}; make room, or look there")
        return 1
    except MemoryError:
        complain("not enough memory: give fewer or smaller images")
        return 1


def _check_command(arguments: list[str]) -> None:
    if not arguments or arguments[0] in _OPTIONS or arguments[0] in commands:
        return
    if arguments[0].startswith("-"):
        raise UsageError(
            f"unknown option {arguments[0]!r}: {nearest(arguments[0], _OPTIONS)}; the options of a "
            "command come after its name"
        )
    commands.entry(arguments[0])


def _dispatch(arguments: list[str]) -> int:
    from cyclopts import App

    app = App(
        name="segmint",
        help="Segment images with labels, with a few, or with none, and find out how well.",
        version=__version__,
        help_format="plaintext",  # markdown would take 30 ms to load
        result_action="return_value",
        suppress_keyboard_interrupt=False,  # it says how to go on
    )
    called = arguments[0] if arguments else None
    for entry in commands.entries():
        if entry.name == called:
            command = entry.load()(arguments[1:])
            command.__doc__ = _unwrapped(command.__doc__)
            app.command(command, name=entry.name)
        else:
            app.command(_not_loaded, name=entry.name, help=_capitalized(entry.summary))
    result = app(arguments, exit_on_error=False, print_error=False)
    return result if isinstance(result, int) else 0


def _unwrapped(text: str) -> str:
    """Paragraphs on one line each, so that help wraps them to the terminal's width."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        paragraph if paragraph.startswith("Args:") else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def _not_loaded() -> None:
    raise AssertionError("only the command that is called is run")


def _capitalized(summary: str) -> str:
    return summary[0].upper() + summary[1:] + "."
