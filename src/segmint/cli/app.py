"""``segmint app``: the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segmint.app.options import LimitOptions, ServerOptions
from segmint.cli import console
from segmint.cli.inputs import RunOptions
from segmint.cli.parameters import signature

_HELP = """Segment by eye and by mouse, in a browser.

Prints the address of the page, and serves it until Ctrl-C. Only this machine reaches it, unless
--host says otherwise; then visitors need the token in the printed address, or a password. Images
stay on the machine that runs this, and are deleted when their tab is closed.

Examples: 'segmint app', 'segmint app run', 'segmint app runs/ model.onnx --port 0',
'segmint app --host 0.0.0.0 --password-file password.txt --jobs 2'.

Args:
    runs: folders that 'segmint train' wrote, files of 'segmint export', or folders of such.
"""


def command(arguments: list[str]) -> Callable[..., int]:
    """The command."""

    def app(
        *runs: str,
        server: Mapping[str, Any],
        limits: Mapping[str, Any],
        how: Mapping[str, Any],
    ) -> int:
        return _app(runs, ServerOptions(**server), LimitOptions(**limits), RunOptions(**how))

    return signature(
        app,
        summary=_HELP,
        server=("Server", ServerOptions),
        limits=("Limits", LimitOptions),
        how=("Arithmetic", RunOptions),
    )


def _app(
    runs: tuple[str, ...], server: ServerOptions, limits: LimitOptions, how: RunOptions
) -> int:
    from segmint.app.packages import check_app_packages

    check_app_packages()
    from segmint.app.found_runs import find_runs
    from segmint.app.serving.server import serve

    serve(server, limits, find_runs(runs), how=how, ready=_ready)
    console.say("stopped")
    return 0


def _ready(address: str) -> None:
    console.result(address)
    console.say("open this address in a browser; Ctrl-C stops the page")
