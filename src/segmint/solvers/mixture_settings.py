"""How a network and its mixture are learned, on one image and on many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from segmint.methods.deepg import DeepMixtureOptions
from segmint.objectives.objective import Objective

OptionsType = TypeVar("OptionsType", bound=DeepMixtureOptions, covariant=True)


@dataclass(frozen=True, kw_only=True)
class MixtureSettings(Generic[OptionsType]):
    """Options, with what an image and its known means decide."""

    options: OptionsType
    classes: int
    """Components K."""
    varying: bool = True
    """Weights of the components vary from pixel to pixel (deepSVG) or not (deepG)."""
    lam: float = 0.0
    """Weight of the term ``prior_means``."""

    def objective(self) -> Objective:
        """The weighted terms, the mixture first."""
        terms = ["varying_mixture" if self.varying else "mixture"]
        further = {"prior_means": self.lam, "continuity": self.options.continuity_weight}
        terms += [f"{weight}*{name}" for name, weight in further.items() if weight]
        return Objective(" + ".join(terms))
