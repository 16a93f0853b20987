"""Options that say which networks learn from each other."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class PeersOptions(Options):
    """Which networks learn from each other, and how each differs from the others."""

    peers: tuple[str, ...] = option(("smp:deeplabv3/resnet50", "unet"))
    """Two networks or more, each as NETWORK or NAME=NETWORK."""
    peer_options: tuple[str, ...] = option(())
    """Options of single peers, like unet.learning_rate=1e-4, unet.objective='0.5*bce + 0.5*rmi',
    unet.weights=FILE, unet.frozen=true, unet.features=16."""
    unlabelled: str | None = option(None)
    """Folder of images without masks, of which peers learn from each other alone."""
    unlabelled_batch_size: int = option(0, low=0)
    """Of those images in each batch, beside the others; 0 takes as many."""
