"""Options that say which networks learn from each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from segmint.errors import UsageError
from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class PeersOptions(Options):
    """Which networks learn from each other, and how each differs from the others.

    Example:
        >>> PeersOptions(peer_options={"unet": {"features": 16, "lr": 1e-4}}).peer_options
        ('unet.features=16', 'unet.lr=0.0001')
    """

    peers: tuple[str, ...] = option(("smp:deeplabv3/resnet50", "unet"))
    """Two networks or more, each as NETWORK or NAME=NETWORK."""
    peer_options: tuple[str, ...] = option(())
    """Options of single peers, like unet.learning_rate=1e-4, unet.objective='0.5*bce + 0.5*rmi',
    unet.weights=FILE, unet.frozen=true, unet.features=16."""
    unlabelled: str | None = option(None)
    """Folder of images without masks, of which peers learn from each other alone."""
    unlabelled_batch_size: int = option(0, low=0)
    """Of those images in each batch, beside the others; 0 takes as many, or all of fewer."""

    def __post_init__(self) -> None:
        if isinstance(self.peer_options, Mapping):
            texts = tuple(_texts(self.peer_options))
            object.__setattr__(self, "peer_options", texts)
        super().__post_init__()


def _texts(options: Mapping[str, Any]) -> list[str]:
    """What stands for a mapping from peers to their options in files and on the command line."""
    found = []
    for peer, own in options.items():
        if not isinstance(own, Mapping):
            raise UsageError(
                f"peer_options of {peer} are {own!r}, accepted is a mapping from names of options "
                "to values, like {'unet': {'features': 16}}"
            )
        found += [f"{peer}.{name}={_text(value)}" for name, value in own.items()]
    return found


def _text(value: Any) -> str:
    """A value as :func:`segmint.recipes.settings.assignments` reads it."""
    import yaml

    if isinstance(value, PurePath):
        value = str(value)
    try:
        text: str = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    except yaml.YAMLError as error:
        raise UsageError(
            f"peer_options hold {value!r}, accepted are numbers, words, lists and mappings"
        ) from error
    return text.removesuffix("...\n").strip()
