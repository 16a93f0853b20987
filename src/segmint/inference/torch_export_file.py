"""Files of ``torch.export``, ``.pt2``, for programs that have torch but not segmint."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.inference.export_record import ENTRY, ExportRecord
from segmint.inference.recording import quiet, recorded, refused_in_words

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from segmint.inference.export_module import ExportModule

SUFFIX = ".pt2"
DESCRIPTION = f"{ENTRY}.json"
"""Name of the description among the further files of an archive."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TorchExportFile:
    """A program that takes ``image``."""

    program: ExportedProgram

    @classmethod
    def of(cls, module: ExportModule) -> Self:
        """The program of a module.

        Raises:
            InputError: when the network cannot be recorded.
        """
        return cls(program=recorded(module))

    def save(self, path: Path, record: ExportRecord) -> None:
        """Write the file, with its description."""
        import torch

        # Given a path, the library would ask for its suffix and write its name into the file.
        written = io.BytesIO()
        with quiet():
            torch.export.save(self.program, written, extra_files={DESCRIPTION: record.as_json()})
        path.write_bytes(written.getbuffer())


def opened(path: Path) -> Callable[[NDArray[np.float32]], tuple[NDArray[Any], ...]]:
    """What a file that was just written answers, as any program with torch would ask it."""
    import torch

    with refused_in_words("torch.export"), quiet():
        module: Any = torch.export.load(io.BytesIO(path.read_bytes())).module()

    def answer(image: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        with refused_in_words("torch.export"), torch.inference_mode():
            return tuple(each.numpy() for each in module(torch.from_numpy(image)))

    return answer
