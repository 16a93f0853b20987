"""Exported files that answer like the run they were made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segmint.errors import UsageError, shortened
from segmint.inference.tiling import Tiling
from segmint.recipes.answering import Answering

if TYPE_CHECKING:
    from segmint.inference.member import Member
    from segmint.recipes.class_prediction import ClassPrediction


class ExportedModel(Answering):
    """A file that ``segmint export --format onnx`` wrote, asked like a :class:`Run`.

    Args:
        path: the file.
        device: ``auto`` or ``cpu``, where it computes.
        precision: ``auto`` or that of the file.
        peer: None, because a file answers with what it was made of.
        tiling: how large images are cut, and test-time augmentation.
        threads: of the processor; 0 takes as many as torch does.

    Raises:
        InputError: when the file cannot be read, is damaged, not ours, of a later version, or
            brings files or operators of its own; or when the packages of ``segmint[onnx]`` are
            missing.
        UsageError: for a device, precision or peer that the file does not have.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        peer: str | None = None,
        tiling: Tiling | None = None,
        threads: int = 0,
    ) -> None:
        from segmint.inference.onnx_file import read_onnx
        from segmint.inference.onnx_member import onnx_member
        from segmint.inference.onnx_session import OnnxSession
        from segmint.recipes.class_prediction import ClassPredictor

        self.path = Path(path)
        file, self.exported = read_onnx(self.path)
        self._check_choices(device=device, precision=precision, peer=peer)
        self._tiling = tiling or Tiling()
        session = OnnxSession(file.model, name=str(path), threads=threads)
        self.member: Member = onnx_member(session, self.exported, name=str(path))
        """For tiles, views and ensembles."""
        self._predictor = ClassPredictor(self._prediction(), self.member)

    @property
    def method(self) -> str:
        """Who answers, as a result says it."""
        return f"run of {self.exported.recipe}"

    @property
    def seed(self) -> int:
        """Of the training."""
        return self.exported.seed

    @property
    def peer(self) -> str | None:
        """Of a run with several networks, what the file was made of."""
        return self.exported.peer

    @property
    def classes(self) -> int:
        """Classes that an answer can have."""
        return len(self.exported.classes)

    @property
    def described(self) -> dict[str, Any]:
        """What a result of this file says of how it was made."""
        own = {} if self.peer is None else {"peer": self.peer}
        precision = {"precision": self.exported.precision}
        return {"model": str(self.path), **own, **precision, **self._tiling.described()}

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the labels beside :attr:`described`."""
        return {"file_changed": self.path.stat().st_mtime_ns}

    def __repr__(self) -> str:
        told = self.exported
        return f"<ExportedModel of {told.recipe}, {len(told.classes)} classes: {self.path}>"

    def _prediction(self) -> ClassPrediction:
        """What the file shares with a run: channels, classes and colors."""
        import torch

        from segmint.recipes.class_prediction import ClassPrediction

        told = self.exported
        return ClassPrediction(
            folder=self.path,
            preprocessing=told.preprocessing,
            classes=told.classes,
            palette=np.array(told.palette, np.uint8),
            channels=told.channels,
            channel_names=told.channel_names,
            device=torch.device("cpu"),
            dtype=torch.float32,
            tiling=self._tiling,
        )

    def _check_choices(self, *, device: str, precision: str, peer: str | None) -> None:
        if device not in ("auto", "cpu"):
            raise UsageError(
                f"--device is {shortened(str(device))!r}, but {self.path} computes on the "
                "processor: leave it out, or give the run"
            )
        if precision not in ("auto", self.exported.precision):
            raise UsageError(
                f"--precision is {shortened(str(precision))!r}, but {self.path} was exported in "
                f"{self.exported.precision}: leave it out, or export it again"
            )
        if peer is not None:
            raise UsageError(
                f"--peer is {shortened(str(peer))!r}, but {self.path} answers with what it was "
                "exported of: leave it out, or export the other peer"
            )
