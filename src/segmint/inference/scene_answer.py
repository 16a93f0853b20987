"""What says, window by window, which class or component each pixel of a scene belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from segmint.images.scene import Scene
from segmint.images.window import Window

if TYPE_CHECKING:
    from segmint.methods.mixture_table import MixtureTable


class SceneAnswer(Protocol):
    """Answers for any window of a scene.

    A pixel has the same answer in whichever window it is asked for, so that there are no seams and
    the blocks of a scene can be computed in any order, and again.
    """

    @property
    def classes(self) -> int:
        """K."""
        ...

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of windows that are answered at the least cost within the memory."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided, also on the way, one sentence each."""
        ...

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.integer[Any]]:
        """(h, w), 0 to K - 1."""
        ...

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """(K, h, w) that sum to 1.

        Raises:
            UsageError: where there are none.
        """
        ...


@runtime_checkable
class InTiles(Protocol):
    """An answer that is computed in tiles, whose size decides how it is rounded."""

    @property
    def tile(self) -> int | None:
        """Side of what is computed at once; None for all that is asked for."""
        ...

    def keep_tile(self, tile: int) -> None:
        """Compute in tiles of that side from now on, as another process did."""
        ...


@runtime_checkable
class Movable(Protocol):
    """An answer that leaves a part behind when it is sent: a region it reads itself, a device."""

    def settle(self, region: Scene | None, device: str | None) -> None:
        """Take what this process has instead, before the first question.

        Args:
            region: the same, as it was opened here.
            device: where to compute; None is that of the process it came from.

        Raises:
            UsageError: for a device that this machine does not have.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneOutcome:
    """What a method or a run made of a scene: how to answer, and what the answers mean."""

    answer: SceneAnswer
    order: str | None = None
    """What the ids are ordered by, where they must stay as they are; None orders them by area."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of ids."""
    colors: NDArray[np.uint8] | None = None
    """(K, 3) RGB color of each id, for classes that have colors of their own."""
    mixture: MixtureTable | None = None
    """Weights, means and variances, of mixtures."""
    history: tuple[dict[str, float], ...] = ()
    likeliest: bool = True
    """Whether labels are those of the greatest probability; otherwise, as where components are
    sums of what competes, labels and probabilities are asked for one after the other."""
    notes: tuple[str, ...] = ()
    """What was decided when it was fitted, one sentence each."""
