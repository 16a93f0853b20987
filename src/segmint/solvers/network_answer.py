"""Answers of a network to windows of a scene, exactly as to the whole of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segmint.devices import choose_device
from segmint.errors import UsageError
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels
from segmint.images.window import Window, blocks
from segmint.inference.memory_limit import MemoryLimit, held_memory
from segmint.networks.reach import Reach
from segmint.solvers.answer_block import answer_block
from segmint.solvers.reduction import to_input
from segmint.solvers.sent_network import SentNetwork

Prepare = Callable[[NDArray[Any], "NDArray[np.bool_] | None"], NDArray[np.float32]]
"""Pixels (h, w, C) as stored, and where they count, to what the network sees, pixel by pixel."""

_LONGEST = 1024
"""Height and width of a tile at most."""
_BYTES = 1 << 29
"""Of a tile, without a limit."""
_SHARE = 0.5
"""Of the memory that is left, that a tile may take: the rest is for windows and their labels."""


class NetworkAnswer:
    """Labels from a network of finite reach, tile by tile with a halo.

    At the border of the scene the network sees the border, as it would in the whole image, and
    elsewhere what lies around a tile, so that a pixel's answer does not depend on the window.

    It can be sent to another process, where it must :meth:`settle` first.

    Args:
        respond: logits (1, N, h, w) of (1, C, h, w).
        components: (N,) id of each channel of the logits.
        prepare: what the network sees of pixels; 0 where they do not count.
        region: of the scene.
        reach: of the network; it pads sides that are no multiple of its step evenly, by repeating
            the border.
        device: of the network.
        bytes_per_pixel: of what it sees, while it works.
        limit: of the memory.
        tile: height and width of tiles at most; None is what fits.

    Raises:
        UsageError: when not even the smallest tile fits into the limit.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        respond: nn.Module,
        components: NDArray[np.integer[Any]],
        prepare: Prepare,
        *,
        region: Scene | None,
        reach: Reach,
        device: torch.device,
        bytes_per_pixel: float,
        limit: MemoryLimit | None,
        tile: int | None = None,
    ) -> None:
        self.classes = int(components.max()) + 1
        self._respond, self._prepare = respond, prepare
        self._components = components.astype(np.int32)
        self._groups = torch.from_numpy(components.astype(np.int64)).to(device)
        self._region, self._device = region, device
        self._step, self._halo = reach.step, reach.halo or 0
        self._tile = tile_side(reach, bytes_per_pixel, limit, tile)
        self.block = answer_block(self.classes, 2 * self._tile)

    @property
    def tile(self) -> int:
        """Side of tiles, their halo apart."""
        return self._tile

    def keep_tile(self, tile: int) -> None:
        """Compute in tiles of that side from now on, as another process did."""
        self._tile = tile

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_respond": SentNetwork.of(self._respond), "_region": None}

    def settle(self, region: Scene | None, device: str | None) -> None:
        """Go on in the process that it was sent to.

        Raises:
            UsageError: for a device that this machine does not have.
        """
        self._region = region
        self._device = choose_device(self._device if device is None else device)
        sent: nn.Module | SentNetwork = self._respond
        network = sent.network() if isinstance(sent, SentNetwork) else sent
        self._respond, self._groups = network.to(self._device), self._groups.to(self._device)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.int32]:
        """(h, w), 0 to K - 1."""
        found = np.empty(window.size, np.int32)
        for place, logits in self._tiles(scene, window, plane):
            best = logits.argmax(dim=0).cpu().numpy()
            found[place] = self._components[best]
        return found

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """(K, h, w): softmax, summed over the channels of a component."""
        found = np.empty((self.classes, *window.size), np.float32)
        for place, logits in self._tiles(scene, window, plane):
            shares = logits.float().softmax(dim=0)
            summed = shares.new_zeros(self.classes, *shares.shape[1:])
            found[(slice(None), *place)] = summed.index_add_(0, self._groups, shares).cpu().numpy()
        return found

    def _tiles(
        self, scene: Scene, window: Window, plane: int
    ) -> Iterator[tuple[tuple[slice, slice], Tensor]]:
        """Places in a window and the logits (N, h, w) there, of tiles of about the same size."""
        rows, columns = (_even(side, self._tile, self._step) for side in window.size)
        for tile in blocks(*window.size, (rows, columns)):
            yield tile.slices, self._logits(scene, _moved(tile, window), plane)

    def _logits(self, scene: Scene, tile: Window, plane: int) -> Tensor:
        """(N, h, w) of a tile of the scene."""
        rows = _seen(tile.top, tile.bottom, scene.height, self._step, self._halo)
        columns = _seen(tile.left, tile.right, scene.width, self._step, self._halo)
        outer = Window(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])
        real = outer.within(*scene.size)
        pixels, counts = ScenePixels(scene=scene, region=self._region).read(real, plane)
        image = to_input(self._prepare(pixels, counts), self._device)
        if real != outer:
            sides = (
                real.left - outer.left,
                outer.right - real.right,
                real.top - outer.top,
                outer.bottom - real.bottom,
            )
            image = functional.pad(image, sides, mode="replicate")
        logits: Tensor = self._respond(image)[0]
        return logits[(slice(None), *tile.inside(outer).slices)]


def tile_side(
    reach: Reach, bytes_per_pixel: float, limit: MemoryLimit | None, longest: int | None = None
) -> int:
    """Height and width of tiles, without their halo, that fit into the memory.

    Raises:
        UsageError: when not even the smallest does; it names the limit that would do.
    """
    room = _BYTES if limit is None else min(int(limit.left() * _SHARE), _BYTES)
    step, halo = reach.step, reach.halo or 0
    side = math.isqrt(int(room / bytes_per_pixel)) - 2 * halo - 2 * step
    side = min(side, max(longest or _LONGEST, step)) // step * step
    if side >= step or limit is None:
        return max(side, step)
    least = (3 * step + 2 * halo) ** 2 * bytes_per_pixel / _SHARE
    held = held_memory()
    raise UsageError(
        f"--max-memory is {limit.total / 2**30:.2f} GiB, the smallest with which the network sees "
        f"all it needs is {(held + least) / 2**30 + 0.02:.2f} GiB: raise it"
    )


def _even(side: int, most: int, step: int) -> int:
    """Length of equal parts of a side, each at most so long, in whole steps."""
    length = -(-side // -(-side // most))
    return -(-length // step) * step


def _seen(start: int, stop: int, length: int, step: int, halo: int) -> tuple[int, int]:
    """First and last row that decide those from start to stop; outside the scene is padding."""
    before = -length % step // 2
    after = length + -length % step - before
    first = (start + before) // step * step - before - halo
    last = -(-(stop + before) // step) * step - before + halo
    return max(first, -before), min(last, after)


def _moved(tile: Window, window: Window) -> Window:
    """A tile that is counted from the corner of a window, counted from that of the scene."""
    return Window(
        top=tile.top + window.top,
        bottom=tile.bottom + window.top,
        left=tile.left + window.left,
        right=tile.right + window.left,
    )
