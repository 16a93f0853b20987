"""Options of the recipes that learn from masks, beside those of transforms, optimizer and loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segmint.errors import UsageError
from segmint.options import Options, option

AUTO_VAL_FRACTION = 0.2


@dataclass(frozen=True, kw_only=True)
class DataOptions(Options):
    """Which samples are learned from, and which choose the best network."""

    dataset: str = option("auto")
    """Layout of DATA, as 'segmint data list' shows them; auto recognizes it."""
    train_split: str = option("train")
    """Split to learn from, for example trainaug of voc2012."""
    val_split: str = option("val")
    """Split whose mean IoU chooses the best network."""
    val_fraction: float | None = option(None, low=0, high=0.9)
    """Share of the training split to validate on; if not given the official validation split,
    or 0.2 where there is none; 0 goes without validation."""
    val_seed: int | None = option(None, low=0, high=2**32 - 1)
    """Seed of the draw of that share; if not given that of the training."""
    dataset_options: tuple[str, ...] = option(())
    """Options of the layout, like target=foreground of nuclei."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train_split == self.val_split and self.val_fraction != 0:
            raise UsageError(
                f"--train-split and --val-split are both {self.train_split!r}, so that validation "
                "would say nothing: pass --val-fraction 0, or another split"
            )


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(Options):
    """Which network learns; options that are not given are the network's own."""

    network: str = option("unet")
    """Name of a network: unet, unet-original, or smp:ARCHITECTURE/ENCODER."""
    weights: str | None = option(None)
    """Weights to start from: a file, such as network.safetensors of a run with the same classes, or
    for an smp network download for the published ones of its encoder."""
    features: int | None = option(None, low=1)
    """Features of the first block of a U-Net."""
    levels: int | None = option(None, low=1)
    """How often a U-Net halves the image."""
    dropout: float | None = option(None, low=0, high=0.9)
    """Share of features that are left out while learning."""
    feature_normalization: str | None = option(None, choices=("batch", "instance", "none"))
    """Normalization inside a U-Net."""

    @property
    def given(self) -> dict[str, Any]:
        """What was given of the network's own options, its weights apart."""
        own = {
            "features": self.features,
            "levels": self.levels,
            "dropout": self.dropout,
            "normalization": self.feature_normalization,
        }
        return {name: value for name, value in own.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class LossOptions(Options):
    """What is minimized."""

    objective: str = option("cross_entropy")
    """Weighted sum of terms, like '0.5*bce + 0.5*rmi'; 'segmint list' shows the terms."""

    def __post_init__(self) -> None:
        if isinstance(self.objective, Mapping):
            from segmint.objectives.objective import Objective

            object.__setattr__(self, "objective", Objective(self.objective).expression)
        super().__post_init__()
