"""Whether a node of a Ray cluster has what work needs: segmint, the output folder, the images."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from segmint.errors import InputError, OutputError, SegmintError

Probe = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Needs:
    """What each node has to see."""

    out: str
    """The folder of results, absolute."""
    token: str
    """Name and content of a file in there."""
    first: str
    """An image, absolute; empty for none."""

    def fault(self, node: str, found: Mapping[str, Any]) -> SegmintError | None:
        """What a node lacks, or None.

        Args:
            node: its address.
            found: what the probe of these needs returned there.
        """
        here = version("segmint")
        if found["version"] != here:
            there = f"segmint {found['version']}" if found["version"] else "no segmint"
            return InputError(
                f"node {node} of Ray has {there}, but here is segmint {here}: install the same"
                " version on every node"
            )
        if not found["sees"]:
            return OutputError(
                f"node {node} of Ray does not see the output folder {self.out} of this machine:"
                " pass an --out that all nodes share, as one on NFS"
            )
        if found["unwritable"]:
            return OutputError(
                f"node {node} of Ray cannot write into the output folder {self.out}:"
                f" {found['unwritable']}"
            )
        if not found["first"]:
            return InputError(
                f"node {node} of Ray cannot read the image {self.first}: put images where all"
                " nodes see them, by the same path"
            )
        return None


@contextmanager
def probed_needs(out: Path, first: str | None) -> Iterator[Needs]:
    """Needs of nodes, with a hidden file in the output folder while the block lasts.

    Raises:
        OutputError: when that file cannot be written.
    """
    token = f".segmint-{secrets.token_hex(8)}"
    file = out.absolute() / token
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(token, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write into the folder {out}: {error.strerror}") from None
    try:
        yield Needs(str(file.parent), token, str(Path(first).absolute()) if first else "")
    finally:
        file.unlink(missing_ok=True)


def probe() -> Probe:
    """A function that looks at the node it runs on.

    It is made inside another one, so that Ray sends its code: a node that lacks segmint cannot
    import it.
    """

    def look(out: str, token: str, first: str) -> dict[str, Any]:
        import importlib.metadata
        import os
        import pathlib
        import uuid

        folder = pathlib.Path(out)

        def installed() -> str:
            try:
                return importlib.metadata.version("segmint")
            except importlib.metadata.PackageNotFoundError:
                return ""

        def sees() -> bool:
            try:
                return (folder / token).read_text(encoding="utf-8") == token
            except OSError:
                return False

        def unwritable() -> str:
            beside = folder / f"{token}-{uuid.uuid4().hex}"
            try:
                beside.write_text(token, encoding="utf-8")
                beside.unlink()
            except OSError as error:
                return error.strerror or "unknown error"
            return ""

        return {
            "version": installed(),
            "sees": sees(),
            "unwritable": unwritable(),
            "first": not first or os.access(first, os.R_OK),
        }

    return look
