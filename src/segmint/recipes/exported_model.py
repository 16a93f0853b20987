"""Exported files that answer like the run they were made of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.devices import memory_errors
from segmint.errors import UsageError, shortened
from segmint.images import Image, check_finite
from segmint.methods.segment import checked_region, segmentation_of
from segmint.methods.segmentation import Segmentation

if TYPE_CHECKING:
    from segmint.inference.member import Member
    from segmint.methods.method import Outcome
    from segmint.recipes.class_prediction import ClassPrediction


class ExportedModel:
    """A file that ``segmint export --format onnx`` wrote, asked like a :class:`Run`.

    Args:
        path: the file.
        device: ``auto`` or ``cpu``, where it computes.
        precision: ``auto`` or that of the file.
        peer: None, because a file answers with what it was made of.
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
        threads: int = 0,
    ) -> None:
        from segmint.inference.onnx_file import read_onnx
        from segmint.inference.onnx_session import OnnxSession

        self.folder = Path(path)
        """The file; a run has its folder under this name."""
        file, self.exported = read_onnx(self.folder)
        self._check_choices(device=device, precision=precision, peer=peer)
        self._session = OnnxSession(file.model, name=str(path), threads=threads)

    peers: tuple[str, ...] = ()
    """A file answers with one voice, also where it was made of several networks."""

    @property
    def peer(self) -> str | None:
        """Of a run with several networks, what the file was made of."""
        return self.exported.peer

    @property
    def record(self) -> Mapping[str, Any]:
        """What the file says of its run, by the names that the record of a run has."""
        told = self.exported
        return {
            "recipe": told.recipe,
            "seed": told.seed,
            "classes": list(told.classes),
            "palette": [list(color) for color in told.palette],
            "channels": told.channels,
            "channel_names": list(told.channel_names),
            "preprocessing": told.preprocessing.as_dict(),
            "activation": told.activation,
        }

    @property
    def described(self) -> dict[str, Any]:
        """What a result of this file says of how it was made."""
        own = {} if self.peer is None else {"peer": self.peer}
        return {"model": str(self.folder), **own, "precision": self.exported.precision}

    @cached_property
    def member(self) -> Member:
        """For tiles, views and ensembles."""
        from segmint.inference.onnx_member import onnx_member

        return onnx_member(self._session, self.exported, name=str(self.folder))

    @cached_property
    def prediction(self) -> ClassPrediction:
        """What the file shares with a run: channels, classes and colors."""
        import torch

        from segmint.recipes.class_prediction import ClassPrediction

        told = self.exported
        return ClassPrediction(
            folder=self.folder,
            preprocessing=told.preprocessing,
            classes=told.classes,
            palette=np.array(told.palette, np.uint8),
            channels=told.channels,
            channel_names=told.channel_names,
            device=torch.device("cpu"),
            dtype=torch.float32,
        )

    def predict(
        self, image: ArrayLike | Image, *, region: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Labels (H, W), or (D, H, W) of a stack, with the numbers learned in training."""
        return self.segment(image, region=region).labels

    def segment(self, image: ArrayLike | Image, *, region: ArrayLike | None = None) -> Segmentation:
        """As :meth:`predict`, with what is needed to save the result.

        Args:
            image: like those that the run learned on, of any integer or float type.
            region: (H, W) boolean, or (D, H, W) for a stack: where to look.

        Raises:
            InputError: for an image or a region that cannot be used.
        """
        source = image if isinstance(image, Image) else Image.from_array(image)
        where = checked_region(source, region)
        check_finite(source, where, advice="clean them")
        start = time.perf_counter()
        with memory_errors():
            outcome = self._outcome(source, where)
        return segmentation_of(
            outcome,
            method=f"run of {self.exported.recipe}",
            options=self.described,
            seed=self.exported.seed,
            seconds=time.perf_counter() - start,
        )

    def __repr__(self) -> str:
        told = self.exported
        return f"<ExportedModel of {told.recipe}, {len(told.classes)} classes: {self.folder}>"

    def _outcome(self, image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        from segmint.images.array_scene import ArrayScene
        from segmint.images.window import Window
        from segmint.inference.tiled_prediction import TiledPrediction

        self.prediction.check(image)
        answer = TiledPrediction([self.member])
        scene = ArrayScene(image)
        whole = Window.whole(*scene.size)
        planes = [answer.probabilities(scene, whole, plane) for plane in range(scene.planes)]
        found = np.stack(planes, axis=1) if image.is_stack else planes[0]
        return self.prediction.outcome(found, region)

    def _check_choices(self, *, device: str, precision: str, peer: str | None) -> None:
        if device not in ("auto", "cpu"):
            raise UsageError(
                f"--device is {shortened(str(device))!r}, but {self.folder} computes on the "
                "processor: leave it out, or give the run"
            )
        if precision not in ("auto", self.exported.precision):
            raise UsageError(
                f"--precision is {shortened(str(precision))!r}, but {self.folder} was exported in "
                f"{self.exported.precision}: leave it out, or export it again"
            )
        if peer is not None:
            raise UsageError(
                f"--peer is {shortened(str(peer))!r}, but {self.folder} answers with what it was "
                "exported of: leave it out, or export the other peer"
            )
