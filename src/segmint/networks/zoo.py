"""Networks of segmentation-models-pytorch: every architecture with every encoder."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from segmint.errors import InputError, UsageError, nearest
from segmint.networks.batch_size import enough_values
from segmint.networks.dilation import spare_padding
from segmint.networks.layout import keep_layout
from segmint.networks.padding import padded
from segmint.networks.zoo_encoders import encoder_needs
from segmint.networks.zoo_names import DOWNLOAD, PREFIX
from segmint.networks.zoo_weights import load_zoo_weights
from segmint.torchvision_operators import declare_operators

_OWN = {"encoder_name", "encoder_weights", "in_channels", "classes", "activation", "aux_params"}
"""Arguments of the package that are set here, or would make of logits something else."""
_REFUSALS = (ValueError, KeyError, IndexError, TypeError, RuntimeError, AssertionError)
"""What the packages raise when architecture and encoder do not go together."""
_FACTORS = {"dpt": 2}
"""Multiple of the coarsest pixels that a side must have; DPT halves them once more."""
_LEASTS = {"pan": 8}
"""Coarsest pixels that a side must have; PAN halves them three times."""


class ZooNetwork(nn.Module):
    """An architecture with an encoder of segmentation-models-pytorch, for images of any size.

    Args:
        architecture: one of :func:`segmint.networks.zoo_names.architectures`.
        encoder: one of :func:`segmint.networks.zoo_names.encoders`, or ``tu-`` and a name of timm.
        in_channels: channels C of the image.
        classes: channels K of the logits.
        weights: None starts with weights of chance and never asks a server; a path reads a file of
            the whole network or of the encoder; ``download`` asks for published weights of the
            encoder.
        seed: of the initial weights.
        options: further arguments of the architecture, such as ``encoder_depth``.

    Raises:
        UsageError: for an unknown name or option, or an encoder that the architecture cannot use.
        InputError: when weights cannot be read or got, or are of another network.

    Source: Iakubovskii, "Segmentation Models Pytorch", 2019.
    """

    def __init__(
        self,
        *,
        architecture: str,
        encoder: str,
        in_channels: int = 3,
        classes: int = 21,
        weights: str | Path | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        self.name = f"{PREFIX}{architecture}/{encoder}"
        _check_options(self.name, architecture, options)
        self._configuration = {"in_channels": in_channels, "classes": classes, **options}
        self._needs = encoder_needs(encoder)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            arguments = {**self._configuration, **self._needs.arguments}
            self.network = _created(self.name, architecture, encoder, weights, arguments)
        if weights is not None and weights != DOWNLOAD:
            load_zoo_weights(self.network, Path(weights))
        spare_padding(self.network)
        keep_layout(self.network)
        stride = int(self.network.encoder.output_stride)
        self._step = self._needs.step or stride * _FACTORS.get(architecture, 1)
        self._least = stride * _LEASTS.get(architecture, 0)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def configuration(self) -> dict[str, Any]:
        """Arguments beside the name that build the same network again, weights apart."""
        return dict(self._configuration)

    @property
    def step(self) -> int:
        """Height and width are padded to multiples of it."""
        return self._step

    @property
    def least(self) -> int:
        """Height and width are padded to at least this."""
        return self._least

    @property
    def most(self) -> int | None:
        """Height and width that an encoder of one size takes; None where it takes any."""
        return self._needs.size

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, K, H, W) of images (N, C, H, W) of any size.

        Raises:
            UsageError: in training, when a batch leaves a single value for batch normalization; for
                an image larger than what an encoder of one size takes.
        """
        larger, window = padded(image, self.step, self.least)
        with enough_values(image):
            return self._respond(larger)[window]

    def _respond(self, image: Tensor) -> Tensor:
        try:
            return cast(Tensor, self.network(image))
        except (RuntimeError, AssertionError, TypeError) as error:
            if not self._needs.foreign or "memory" in str(error):
                raise
            size = self._needs.size
            accepted = f"{size}x{size}" if size else f"another size ({_sentence(error)})"
            raise UsageError(
                f"the encoder of {self.name!r} does not take images of {image.shape[-2]}x"
                f"{image.shape[-1]} pixels, accepted is {accepted}: cut or pad them, or take "
                "another encoder"
            ) from error


def _check_options(name: str, architecture: str, options: dict[str, Any]) -> None:
    known = inspect.signature(_class_of(architecture).__init__).parameters
    accepted = sorted(set(known) - _OWN - {"self", "kwargs"})
    for option in options:
        if option not in accepted:
            raise UsageError(
                f"network {name!r} does not take {option}: {nearest(option, accepted)}"
            )


def _class_of(architecture: str) -> Any:
    declare_operators()
    import segmentation_models_pytorch

    return segmentation_models_pytorch.MODEL_ARCHITECTURES_MAPPING[architecture]


def _created(
    name: str,
    architecture: str,
    encoder: str,
    weights: str | Path | None,
    arguments: dict[str, Any],
) -> Any:
    """The package's network, with an encoder of chance or of published weights."""
    published = _published(encoder) if weights == DOWNLOAD else None
    try:
        with _quiet():
            return _class_of(architecture)(
                encoder_name=encoder, encoder_weights=published, **arguments
            )
    except _REFUSALS as error:
        raise UsageError(
            f"network {name!r} cannot be built, segmentation-models-pytorch says: "
            f"{_sentence(error)}; take another encoder or architecture"
        ) from error
    except OSError as error:
        raise InputError(
            f"published weights of encoder {encoder!r} could not be got ({_sentence(error)}): "
            "check the connection, name a local file of weights, or leave weights out"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without advice on names and reports of retries; what matters, the packages raise."""
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _published(encoder: str) -> str | bool:
    """The name under which the package knows an encoder's weights, ImageNet's if there are any."""
    from segmentation_models_pytorch.encoders import encoders

    if encoder not in encoders:
        return True
    known = list(encoders[encoder]["pretrained_settings"])
    return "imagenet" if "imagenet" in known else str(known[0])


def _sentence(error: Exception) -> str:
    text = str(error.args[0] if error.args else error) or type(error).__name__
    return text.splitlines()[0].rstrip(".! ")
