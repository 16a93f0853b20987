"""What the mixture methods have in common: components, known means, normalization, results."""

from __future__ import annotations

from dataclasses import dataclass

from segmint.errors import UsageError
from segmint.images.choices import NORMALIZATIONS
from segmint.options import Options, option

DEFAULT_COMPONENTS = 4
LARGEST_NUMBER_OF_COMPONENTS = 255


@dataclass(frozen=True, kw_only=True)
class MixtureOptions(Options):
    """Options that every mixture method has."""

    components: int | str | None = option(
        None, low=1, high=LARGEST_NUMBER_OF_COMPONENTS, words=("auto",), aliases=("n_components",)
    )
    """A number, or auto for the least BIC; if not given 4, or as many as --mu-data has."""
    min_components: int = option(1, low=1, high=LARGEST_NUMBER_OF_COMPONENTS)
    """Least number that auto tries."""
    max_components: int = option(8, low=1, high=LARGEST_NUMBER_OF_COMPONENTS)
    """Greatest number that auto tries."""
    mu_data: str | None = option(None)
    """CSV or YAML of known means: one row a class, one column a channel, in normalized units."""
    normalization: str = option("auto", choices=("auto", *NORMALIZATIONS))
    """Of each channel inside the region; auto: none for prepared files, else z-score."""
    skip_maps: bool = option(False)
    """Write no probabilities and no entropy, which take 4 bytes a pixel and component."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_components > self.max_components:
            raise UsageError(
                f"--min-components is {self.min_components}, but --max-components is "
                f"{self.max_components}: raise it or ask for fewer"
            )
        if self.components == "auto" and self.mu_data is not None:
            raise UsageError(
                "--components auto and --mu-data exclude each other: the file says how many "
                "classes there are"
            )
