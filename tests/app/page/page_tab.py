"""``segmint app`` as a process, and a tab that uses it as a visitor does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60_000
"""Milliseconds for what is done at once on an idle machine."""


@dataclass(frozen=True)
class Server:
    """One that runs."""

    address: str
    pid: int


@contextmanager
def started(*arguments: str) -> Iterator[Server]:
    """A server until the block ends; what it says on standard error goes to that of the tests."""
    command = [sys.executable, "-m", "segmint", "app", *arguments, "--port", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield Server(address=process.stdout.readline().strip(), pid=process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


class Tab:
    """A page that is open, with what went wrong in it and what it asked for."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.faults: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(".sample")
        self.wait("!document.querySelector('#segment').disabled || true")

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    @property
    def status(self) -> str:
        """What the page says."""
        return str(self.page.locator("#status .status").inner_text()).strip()

    def wait(self, script: str) -> None:
        """Wait until a script is true."""
        self.page.wait_for_function(f"() => {script}")

    def wait_for_status(self, words: str) -> None:
        """Wait until the page says words."""
        self.page.wait_for_function(
            "words => document.querySelector('#status .status').innerText.includes(words)",
            arg=words,
        )

    def press(self, name: str, **options: Any) -> None:
        """Press a button by its name."""
        self.page.get_by_role("button", name=name, exact=True, **options).click()

    def take_sample(self, name: str = "coffee.png") -> None:
        """Open one of the samples."""
        self.page.click(f".sample[data-sample='{name}']")
        self.wait_for_status(f"{name}: ")

    def send(self, *paths: Path) -> None:
        """Open files of one's own."""
        self.page.set_input_files("#uploader input[type=file]", [str(path) for path in paths])
        self.wait_for_status(f"{paths[-1].name}: ")

    def segment(self, words: str = " in ") -> None:
        """Press the button and wait for the answer."""
        self.page.click("#segment")
        self.wait_for_status(words)
        self.page.wait_for_selector("#segment:visible")

    def choose(self, control: str, value: str) -> None:
        """Choose from a list."""
        self.page.click(f"#{control} input")
        self.page.get_by_role("option", name=value, exact=True).click()

    def fetched(self, name: str) -> bytes:
        """A file of the result, as its link gives it."""
        self.page.get_by_role("tab", name="Files and commands").click()
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=name, exact=True).click()
        content = Path(download.value.path()).read_bytes()
        self.page.get_by_role("tab", name="Components").click()
        return content

    def lines(self, title: str) -> str:
        """The lines that do the same again."""
        block = self.page.locator(".lines", has_text=title).locator("pre")
        return str(block.text_content())
