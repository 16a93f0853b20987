"""The files that are offered for download, as links to those of the result as it was computed."""

from __future__ import annotations

from pathlib import Path

from segmint.app.errands.file_links import link_file
from segmint.methods.segmentation import FILES, RESULT
from segmint.runs import staged_folder


def link_result(fit: Path, result: Path) -> None:
    """Offer the files of a result as they are.

    Args:
        fit: folder of a finished result; its files are replaced and never written into.
        result: folder for the same files; those of an earlier result go.

    Raises:
        OutputError: when it cannot be written.
    """
    with staged_folder(result, last=RESULT, replaces=FILES) as stage:
        for file in fit.iterdir():
            if file.is_file() and not file.name.startswith("."):
                link_file(file, stage / file.name)
