"""Files of TorchScript, ``.pt``, for programs in C++ with libtorch."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from segmint.inference.export_record import ExportRecord
from segmint.inference.recording import example, quiet, refused_in_words
from segmint.inference.torch_export_file import DESCRIPTION

if TYPE_CHECKING:
    from torch import Tensor

    from segmint.inference.export_module import ExportModule

SUFFIX = ".pt"


@dataclass(frozen=True, kw_only=True, eq=False)
class TorchScriptFile:
    """A traced module that takes ``image``."""

    traced: Any

    @classmethod
    def of(cls, module: ExportModule) -> Self:
        """The module as its operations on one example.

        Raises:
            InputError: when the network cannot be traced.
        """
        import torch

        with refused_in_words("torch.jit"), quiet(), torch.no_grad():
            traced = torch.jit.trace(module, example(module), check_trace=False)  # type: ignore[no-untyped-call]
        return cls(traced=traced)

    def save(self, path: Path, record: ExportRecord) -> None:
        """Write the file, with its description."""
        import torch

        # Given a path, the library would ask for its suffix and write its name into the file.
        written = io.BytesIO()
        with quiet():
            torch.jit.save(self.traced, written, _extra_files={DESCRIPTION: record.as_json()})
        path.write_bytes(written.getbuffer())


def opened(path: Path) -> Callable[[NDArray[np.float32]], tuple[NDArray[Any], ...]]:
    """What a file that was just written answers, as any program with libtorch would ask it."""
    import torch

    with refused_in_words("torch.jit"), quiet():
        module: Any = torch.jit.load(io.BytesIO(path.read_bytes()))  # type: ignore[no-untyped-call]

    def answer(image: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        with refused_in_words("torch.jit"), quiet(), torch.no_grad():
            found: tuple[Tensor, ...] = module(torch.from_numpy(image))
        return tuple(each.numpy() for each in found)

    return answer
