"""From images to classes, by networks of a run and what its record says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from segmint.datasets.preprocessing import Preprocessing
from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError, UsageError
from segmint.images.array_scene import ArrayScene
from segmint.images.channels import check_channel_order
from segmint.images.scene import Scene
from segmint.images.window import blocks
from segmint.inference.companions import Companions, images_at_once
from segmint.inference.member import Member
from segmint.inference.scene_answer import SceneAnswer, SceneOutcome
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.tiling import Tiling
from segmint.methods.method import OF_THE_DATA_SET, Outcome
from segmint.networks.storage import load_network
from segmint.recipes.export_pictures import measuring_images
from segmint.recipes.recipe import check_channels_of_run

if TYPE_CHECKING:
    from torch import nn

    from segmint.images import Image

Region = NDArray[np.bool_] | None

Activation = Literal["softmax", "sigmoid"]
"""What makes probabilities of logits."""

QUANTIZED = "int8"
"""The precision of networks that compute in 8 bits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassPrediction:
    """What networks that learned from masks share when they predict."""

    folder: Path
    """Of the run."""
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    palette: NDArray[np.uint8]
    """(K, 3) RGB color of each class."""
    channels: int
    """C of the images."""
    channel_names: tuple[str, ...]
    device: torch.device
    dtype: torch.dtype
    """Of the networks' arithmetic."""
    tiling: Tiling = field(default_factory=Tiling)
    measured_on: Callable[[], Sequence[NDArray[Any]]] | None = None
    """For arithmetic in 8 bits: makes the images (H, W, C), at the size of the network, on which
    the ranges of values are measured."""
    companions: Companions = field(default_factory=Companions)
    """Whether images can go through a network together."""

    @property
    def arithmetic(self) -> str:
        """The type that networks compute in."""
        return str(self.dtype).removeprefix("torch.") if self.measured_on is None else QUANTIZED

    @classmethod
    def of(
        cls,
        folder: Path,
        record: dict[str, Any],
        *,
        device: str,
        precision: str,
        tiling: Tiling | None = None,
    ) -> Self:
        """What the record of a run says.

        Raises:
            InputError: for a damaged record.
            UsageError: for an unknown device or precision.
        """
        is_quantized = precision == QUANTIZED
        place = choose_device("cpu" if is_quantized and device == "auto" else device)
        if is_quantized and place.type != "cpu":
            raise UsageError(
                f"--precision is {QUANTIZED} and --device {device}, but only the processor "
                "computes in 8 bits: leave one of them out"
            )
        try:
            classes = tuple(map(str, record["classes"]))
            prediction = cls(
                folder=folder,
                preprocessing=Preprocessing.from_mapping(record["preprocessing"]),
                classes=classes,
                palette=np.asarray(record["palette"], np.uint8).reshape(len(classes), 3),
                channels=int(record["channels"]),
                channel_names=tuple(record["channel_names"]),
                device=place,
                dtype=choose_dtype("float32" if is_quantized else precision, place),
                tiling=tiling or Tiling(),
            )
        except (InputError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise _unfit(folder) from error
        if not is_quantized:
            return prediction
        return replace(prediction, measured_on=lambda: measuring_images(folder, record, prediction))

    def member(self, file: str, activation: Activation) -> Member:
        """A network of the run, ready to predict.

        Args:
            file: its path in the folder of the run.
            activation: what makes probabilities of its logits; ``sigmoid`` gives independent ones,
                brought to a sum of 1.

        Raises:
            InputError: as :meth:`network` does, and when the packages that 8 bits need are missing.
        """
        if self.measured_on is not None:
            from segmint.inference.quantized_member import quantized_member

            return quantized_member(
                self.network(file),
                preprocessing=self.preprocessing,
                activation=activation,
                images=self.measured_on(),
                name=str(self.folder / file),
            )
        return Member.of(
            self.network(file),
            preprocessing=self.preprocessing,
            activation=activation,
            device=self.device,
            dtype=self.dtype,
            name=str(self.folder / file),
        )

    def network(self, file: str) -> nn.Module:
        """A network of the run, ready to predict.

        Args:
            file: its path in the folder of the run.

        Raises:
            InputError: when it cannot be read, or has other classes or channels than the run.
        """
        network = load_network(self.folder / file)
        size = cast("dict[str, Any]", network.configuration)
        sides = {
            "classes": (size.get("classes"), len(self.classes)),
            "channels": (size.get("in_channels"), self.channels),
        }
        for what, (found, expected) in sides.items():
            if found != expected:
                raise InputError(
                    f"{self.folder / file} is a network of {found} {what}, but the run has "
                    f"{expected}: it is of another training; put the run's own back, or train again"
                )
        return network.to(self.device).eval()

    def check(self, image: Image | Scene) -> None:
        """Refuse an image unlike those that the run learned on.

        Raises:
            InputError: for other channels.
        """
        check_channels_of_run(image, self.channels)
        check_channel_order(image.channel_names, self.channel_names, "the run")

    def probabilities(self, member: Member, image: Image) -> NDArray[np.float32]:
        """(K, H, W), or (K, D, H, W) of a stack, float32 that sum to 1, of an image of any size.

        Raises:
            InputError: when the network answers with values that are no numbers.
        """
        answer = self.answer([member])
        scene = ArrayScene(image)
        found = [whole_probabilities(answer, scene, plane) for plane in range(scene.planes)]
        return np.stack(found, axis=1) if image.is_stack else found[0]

    def several_probabilities(
        self, member: Member, images: Sequence[Image], *, together: int
    ) -> list[NDArray[np.float32]]:
        """As :meth:`probabilities`, of images of one size that go together where they can.

        Args:
            member: a network of the run.
            images: at most as many as go together.
            together: places in the batch; with 1 each image is answered alone.

        Raises:
            InputError: as :meth:`probabilities` does.
            MemoryError: when there is not enough for so many.
        """
        found = None
        if together > 1 and not images[0].is_stack:
            found = self._together(member, [ArrayScene(image) for image in images], together)
        return found or [self.probabilities(member, image) for image in images]

    def _together(
        self, member: Member, scenes: Sequence[Scene], places: int
    ) -> list[NDArray[np.float32]] | None:
        """Probabilities of scenes of one size, or None where each has to be answered alone."""
        answer, size, views = self.answer([member]), scenes[0].size, self.tiling.views
        if not answer.fit_together(size, places):
            raise MemoryError(f"not enough memory for {places} images of {size} together")
        if not self.companions.are_harmless(member, views, size, places=places):
            return None
        return answer.probabilities_together(scenes, places=places)

    def at_once(self, members: Sequence[Member], size: tuple[int, int]) -> int:
        """How many images of a size go through each of some networks together."""
        return images_at_once(members, self.tiling.views, size, tile=self.tiling.tile)

    def answer(self, members: Sequence[Member]) -> TiledPrediction:
        """What members say together, window by window."""
        tiling = self.tiling
        return TiledPrediction(
            members, views=tiling.views, limit=tiling.resolved_limit(), tile=tiling.tile
        )

    def scene_outcome(self, members: Sequence[Member], scene: Scene) -> SceneOutcome:
        """How members answer a scene, and what their answers mean.

        Raises:
            InputError: for other channels than the run learned on.
        """
        self.check(scene)
        return SceneOutcome(
            answer=self.answer(members),
            order=OF_THE_DATA_SET,
            names=dict(enumerate(self.classes)),
            colors=self.palette,
            notes=self._shrinking(scene),
        )

    def _shrinking(self, scene: Scene) -> tuple[str, ...]:
        """Says so where the network sees a smaller image than there is."""
        seen = self.preprocessing.size(*scene.size)
        if seen == scene.size:
            return ()
        return (
            f"seen at {seen[1]}x{seen[0]} of {scene.width}x{scene.height} pixels, for the run "
            f"learned with --resize {self.preprocessing.resize}",
        )

    def outcome(
        self, probabilities: NDArray[np.float32], region: NDArray[np.bool_] | None
    ) -> Outcome:
        """The most likely class of each pixel, with its name and color."""
        return Outcome(
            labels=labels_of(probabilities, region),
            probabilities=lambda: probabilities,
            order=OF_THE_DATA_SET,
            names=dict(enumerate(self.classes)),
            colors=self.palette,
        )


class ClassPredictor:
    """One network of a run that answers alone.

    Args:
        prediction: what the run says of its networks.
        member: the network.
    """

    def __init__(self, prediction: ClassPrediction, member: Member) -> None:
        self.prediction = prediction
        self.members = (member,)

    def __call__(self, image: Image, region: Region) -> Outcome:
        """The classes of an image."""
        return self.several([image], [region], together=1)[0]

    def several(
        self, images: Sequence[Image], regions: Sequence[Region], *, together: int
    ) -> list[Outcome]:
        """The classes of images of one size."""
        for image in images:
            self.prediction.check(image)
        found = self.prediction.several_probabilities(self.members[0], images, together=together)
        return [
            self.prediction.outcome(maps, region)
            for maps, region in zip(found, regions, strict=True)
        ]

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images of a size go together."""
        return self.prediction.at_once(self.members, size)

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """The classes of a scene, window by window."""
        return self.prediction.scene_outcome(self.members, scene)


def labels_of(
    probabilities: NDArray[np.float32], region: NDArray[np.bool_] | None
) -> NDArray[np.int32]:
    """The most likely class of each pixel, -1 outside the region."""
    labels = probabilities.argmax(axis=0).astype(np.int32)
    return labels if region is None else np.where(region, labels, np.int32(-1))


def whole_probabilities(answer: SceneAnswer, scene: Scene, plane: int = 0) -> NDArray[np.float32]:
    """(K, H, W) of an image, answered block by block."""
    found = np.empty((answer.classes, *scene.size), np.float32)
    for window in blocks(scene.height, scene.width, answer.block):
        found[(slice(None), *window.slices)] = answer.probabilities(scene, window, plane)
    return found


def _unfit(folder: Path) -> InputError:
    return InputError(
        f"{folder} holds a network and a record that do not fit each other: train again"
    )
