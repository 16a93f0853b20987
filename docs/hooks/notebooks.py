"""Notebooks become pages: every ``notebooks/*.py`` is run, and shown with what it printed and drew.

A notebook is a script in jupytext's percent format, so that it can be read and compared as text.
Its page is plain Markdown, which takes colors, search and highlighting from the site.
"""

from __future__ import annotations

import base64
import functools
import logging
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupytext
from nbclient import NotebookClient
from traitlets.config import Config

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from nbformat import NotebookNode

SECONDS = 300
"""Most that one cell may take."""

FENCE = "````"
"""Longer than those that a cell may hold."""

log = logging.getLogger("mkdocs.hooks.notebooks")


@dataclass(frozen=True)
class NotebookPage:
    """What a notebook looks like."""

    markdown: str
    pictures: dict[str, bytes]
    """PNG files by the names that the Markdown has for them."""
    complaints: tuple[str, ...]
    """What its cells wrote to standard error."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Run the notebooks and add their pages."""
    from mkdocs.structure.files import File

    scripts = sorted((Path(config.docs_dir) / "notebooks").glob("*.py"))
    with ThreadPoolExecutor(2) as threads:
        pages = list(threads.map(_page_of, scripts, [path.read_text() for path in scripts]))
    for script, page in zip(scripts, pages, strict=True):
        for complaint in page.complaints:
            log.warning("%s wrote to standard error: %s", script.name, complaint)
        files.append(File.generated(config, f"notebooks/{script.stem}.md", content=page.markdown))
        for name, picture in page.pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    return files


def executed(script: Path, *, extra: str = "") -> NotebookNode:
    """The notebook with the outputs of its cells.

    Args:
        script: in the percent format.
        extra: code of one more cell, to look at what the others made.

    Raises:
        CellExecutionError: when a cell does.
    """
    from nbformat.v4 import new_code_cell

    notebook = jupytext.read(script)
    if extra:
        notebook.cells.append(new_code_cell(extra))
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            config=_through_files(Path(folder)),
            timeout=SECONDS,
            resources={"metadata": {"path": str(script.parent)}},
        )
        return client.execute()


def _through_files(folder: Path) -> Config:
    """A kernel that is spoken to through files, not ports, where the system has that."""
    if os.name == "nt":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": str(folder / "kernel")}})


@functools.cache  # mkdocs serve asks again whenever any page changes
def _page_of(script: Path, text: str) -> NotebookPage:
    return page_of(executed(script), script.stem)


def page_of(notebook: NotebookNode, stem: str) -> NotebookPage:
    """An executed notebook as Markdown, pictures called ``STEM-NUMBER.png``."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    complaints: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"{FENCE}python\n{cell.source}\n{FENCE}")
        shown = []
        for kind, content in _outputs(cell):
            if kind == "picture":
                name = f"{stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode(content)
                shown.append(f"![Output of the cell above]({name})")
            elif kind == "complaint":
                complaints.append(content)
            else:
                shown.append(f"{FENCE}text\n{content.rstrip()}\n{FENCE}")
        if shown:
            body = "\n\n".join(shown)
            parts.append(f'<div class="notebook-output" markdown>\n\n{body}\n\n</div>')
    parts.append(f"*This page is a script that was run: [{stem}.py]({stem}.py).*")
    return NotebookPage("\n\n".join(parts) + "\n", pictures, tuple(complaints))


def _outputs(cell: Any) -> Iterator[tuple[str, str]]:
    """What a cell gave, as a kind and text or base64."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield ("complaint" if output.name == "stderr" else "text"), output.text
        elif "image/png" in output.data:
            yield "picture", output.data["image/png"]
        else:
            yield "text", output.data["text/plain"]
