"""How a network and its mixture are learned, on one image and on many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from segmint.objectives.objective import Objective


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """What learning on one image and on many have in common."""

    varying: bool = True
    """Weights of the components vary from pixel to pixel (deepSVG) or not (deepG)."""
    classes: int = 4
    """Components K."""
    lam: float = 0.0
    """Weight of the term ``prior_means``."""
    continuity_weight: float = 0.0
    """Weight of the term ``continuity``."""
    learning_rate: float = 1e-3
    """Of AdamW."""
    weight_decay: float = 1e-3
    """Of AdamW."""
    gradient_clip: float = 12.0
    """Greatest norm of the gradient of all weights; 0 does not clip."""
    tol: float = 1e-3
    """Learning ends when an epoch changes the negative log-likelihood by less."""
    min_epochs: int = 10
    """Epochs before learning may end."""
    max_epochs: int = 200
    """Epochs after which learning ends."""
    features: int = 32
    """Features of the network's first block."""
    levels: int = 4
    """How often the network halves the image."""

    def objective(self) -> Objective:
        """The weighted terms, the mixture first."""
        terms = ["varying_mixture" if self.varying else "mixture"]
        further = {"prior_means": self.lam, "continuity": self.continuity_weight}
        terms += [f"{weight}*{name}" for name, weight in further.items() if weight]
        return Objective(" + ".join(terms))


@dataclass(frozen=True, kw_only=True)
class MixtureNetworkSettings(MixtureSettings):
    """How a network and its mixture are learned on one image."""

    continuity_weight: float = 0.1
    """Weight of the term ``continuity``; 0 as published."""
    learning_rate: float = 5e-4
    """Of AdamW; far above this the network follows the noise before the likelihood settles."""
    start: Literal["random", "em"] = "random"
    """``em`` first teaches the network the probabilities of a mixture without a network."""
    target_epochs: int = 5
    """Epochs of that teaching; after many the network knows the noise in them, too."""
    crop: bool = True
    """Look at the region and a margin of a pixel of the coarsest level alone."""


PUBLISHED_ONE_IMAGE = MixtureNetworkSettings(continuity_weight=0.0, learning_rate=1e-4, crop=False)
"""As published for one image."""


@dataclass(frozen=True, kw_only=True)
class MixtureTrainingSettings(MixtureSettings):
    """How one network is learned on many images; as published unless changed."""

    lam: float = 1.0
    """Weight of the term ``prior_means``."""
    tol: float = 5e-3
    """Learning ends when an epoch changes the mean negative log-likelihood by less."""
    max_epochs: int = 100
    """Epochs after which learning ends."""
    decay_power: float = 0.9
    """The learning rate falls as ``(1 - epoch / max_epochs)`` to this power."""
    batch_size: int = 4
    """Images a step."""
    augment: bool = True
    """Deform, turn, scale and flip the images, and add noise."""
