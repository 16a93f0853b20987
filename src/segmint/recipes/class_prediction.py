"""From images to classes, by networks of a run and what its record says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray

from segmint.datasets.preprocessing import Preprocessing
from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError
from segmint.images.channels import check_channel_order
from segmint.methods.method import OF_THE_DATA_SET, Outcome
from segmint.networks.storage import load_network
from segmint.solvers.descent import arithmetic
from segmint.solvers.logits import sized

if TYPE_CHECKING:
    from torch import Tensor, nn

    from segmint.images import Image

Activation = Literal["softmax", "sigmoid"]
"""What makes probabilities of logits."""


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

    @classmethod
    def of(cls, folder: Path, record: dict[str, Any], *, device: str, precision: str) -> Self:
        """What the record of a run says.

        Raises:
            InputError: for a damaged record.
            UsageError: for an unknown device or precision.
        """
        place = choose_device(device)
        try:
            classes = tuple(map(str, record["classes"]))
            return cls(
                folder=folder,
                preprocessing=Preprocessing.from_mapping(record["preprocessing"]),
                classes=classes,
                palette=np.asarray(record["palette"], np.uint8).reshape(len(classes), 3),
                channels=int(record["channels"]),
                channel_names=tuple(record["channel_names"]),
                device=place,
                dtype=choose_dtype(precision, place),
            )
        except (InputError, ValueError, TypeError, KeyError, OverflowError) as error:
            raise _unfit(folder) from error

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

    def check(self, image: Image) -> None:
        """Refuse an image unlike those that the run learned on.

        Raises:
            InputError: for other channels.
        """
        if image.channels != self.channels:
            raise InputError(
                f"image has {image.channels} channels, the run learned on {self.channels}: "
                "give images like those it learned on"
            )
        check_channel_order(image.channel_names, self.channel_names, "the run")

    def probabilities(
        self, network: nn.Module, image: Image, activation: Activation, *, file: str
    ) -> NDArray[np.float32]:
        """(K, H, W), or (K, D, H, W) of a stack, float32 that sum to 1.

        Args:
            network: one of :meth:`network`.
            image: of any size.
            activation: ``sigmoid`` gives independent probabilities, brought to a sum of 1.
            file: that the network is from, for messages.

        Raises:
            InputError: when the network answers with values that are no numbers.
        """
        planes = list(image.pixels) if image.is_stack else [image.pixels]
        found = [
            _ACTIVATIONS[activation](
                respond(network, self.preprocessing.tensor(plane), plane.shape[:2], self.dtype)
            )
            for plane in planes
        ]
        stacked: NDArray[np.float32] = np.stack(found, axis=1)
        if not np.isfinite(stacked).all():
            raise InputError(
                f"{self.folder / file} answers with values that are no numbers: the file is "
                "damaged, or the image far brighter than those it learned on; train again, or "
                "check the image"
            )
        return stacked if image.is_stack else stacked[:, 0]

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


def labels_of(
    probabilities: NDArray[np.float32], region: NDArray[np.bool_] | None
) -> NDArray[np.int32]:
    """The most likely class of each pixel, -1 outside the region."""
    labels = probabilities.argmax(axis=0).astype(np.int32)
    return labels if region is None else np.where(region, labels, np.int32(-1))


def respond(network: nn.Module, image: Tensor, size: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Logits (K, H, W) float32 of a preprocessed image (1, C, h, w), at a size (H, W)."""
    device = next(network.parameters()).device
    image = image.to(device).contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), arithmetic(dtype, device):
        logits = network(image)
    return sized(logits.float(), size)[0].cpu()


def _softmax(logits: Tensor) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", logits.softmax(dim=0).numpy())


def _sigmoid(logits: Tensor) -> NDArray[np.float32]:
    # In logarithms, because all of them may be far below the smallest float.
    return _softmax(torch.nn.functional.logsigmoid(logits))


_ACTIVATIONS = {"softmax": _softmax, "sigmoid": _sigmoid}


def _unfit(folder: Path) -> InputError:
    return InputError(
        f"{folder} holds a network and a record that do not fit each other: train again"
    )
