"""How far a network looks, so that a tile with a halo gives what the whole image would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from segmint.errors import UsageError
from segmint.networks.plain_kernels import plain_kernels

if TYPE_CHECKING:
    from torch import Tensor, nn

_LONGEST = 2048
"""Pixels of the longest strip that is tried: a halo of half of it would be too much to pay for."""
_CELLS = (16, 32)
"""Cells of the strips that are tried before it."""
_CORE_CELLS, _FURTHER_CELLS = 3, 2
"""Cells whose answers are compared, and cells beyond the halo that may not matter to them."""
_TOLERANCE = 1e-4
"""Largest difference, of the largest answer, that counts as rounding."""
_REFUSALS = (UsageError, RuntimeError, ValueError, AssertionError, IndexError, TypeError)
"""What networks raise for sizes that they do not take."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What decides the tiles of a network.

    An output pixel of the cell ``[i * step, (i + 1) * step)`` depends on inputs of
    ``[i * step - halo, (i + 1) * step + halo)`` alone, along both axes.
    """

    step: int
    """Height and width of what the network sees are multiples of it, corners of tiles too."""
    least: int
    """Height and width of what the network sees are at least this."""
    halo: int | None
    """Pixels around a tile, a multiple of ``step``; None where every output looks at everything."""
    most: int | None = None
    """Height and width of what the network sees are at most this; None where any will do."""


def measured_reach(network: nn.Module) -> Reach:
    """The reach of a network as it predicts, found by looking how far a spoilt cell spoils answers.

    Not-a-number passes through every operation that looks at it, whatever the weights are. It does
    not show what depends on the size of the image alone, so an answer within a halo is compared
    with that of a longer strip as well.

    Args:
        network: tells its ``configuration`` with ``in_channels``, its ``step`` and ``least``, both
            1 where it does not, and the ``most`` that it takes. Measured once for each network.

    Example:
        >>> from segmint.networks import build
        >>> measured_reach(build("unet", features=2, levels=1))
        Reach(step=2, least=0, halo=8, most=None)
    """
    configuration = dict(network.configuration)  # type: ignore[arg-type]
    known = _known.get(network)
    if known is None or known[0] != configuration:
        known = _known[network] = configuration, _measured(network, configuration["in_channels"])
    return known[1]


_known: WeakKeyDictionary[nn.Module, tuple[dict[str, Any], Reach]] = WeakKeyDictionary()


def _measured(network: nn.Module, channels: int) -> Reach:
    import torch

    step, least = int(getattr(network, "step", 1)), int(getattr(network, "least", 0))
    most = getattr(network, "most", None)
    learns = network.training
    strips = _Strips(network.eval(), step, -(-max(step, least) // step) * step, channels)
    try:
        with torch.inference_mode(), plain_kernels():
            halo = None if most else strips.halo()
    except _REFUSALS as error:
        if "memory" in str(error):
            raise
        halo = None
    finally:
        network.train(learns)
    return Reach(step=step, least=least, halo=halo, most=most)


class _Strips:
    """Narrow images along either axis, and what a network makes of them."""

    def __init__(self, network: nn.Module, step: int, width: int, channels: int) -> None:
        import torch

        self._network, self._step, self._width, self._channels = network, step, width, channels
        self._device = next(network.parameters()).device
        self._generator = torch.Generator().manual_seed(0)
        fewest, longest = width // step, max(_LONGEST, 2 * width) // step
        tried = [cells for cells in _CELLS if fewest <= cells < longest]
        self._lengths = [*(tried or [fewest]), longest]

    def halo(self) -> int | None:
        """Pixels, None where there is no end."""
        most = 0
        for vertical in (False, True):
            cells = self._spread(vertical)
            if cells is None:
                return None
            most = max(most, cells)
        if all(self._is_enough(most, vertical) for vertical in (False, True)):
            return most * self._step
        return None

    def _spread(self, vertical: bool) -> int | None:
        """Cells on both sides of a spoilt one that it spoils."""
        while self._lengths:
            cells = self._lengths[0]
            middle = cells // 2
            strip = self._strip(cells)
            strip[..., middle * self._step : (middle + 1) * self._step] = float("nan")
            spoilt = self._response(strip, vertical).isnan().flatten(0, -2).any(dim=0)
            touched: list[int] = spoilt.reshape(cells, -1).any(dim=1).nonzero().flatten().tolist()
            if touched and touched[0] > 0 and touched[-1] < cells - 1:
                return max(middle - touched[0], touched[-1] - middle)
            del self._lengths[0]
        return None

    def _is_enough(self, halo: int, vertical: bool) -> bool:
        """Whether answers are the same however the strip goes on beyond the halo."""
        window = max(2 * halo + _CORE_CELLS, self._width // self._step)
        whole = self._strip(window + 2 * _FURTHER_CELLS)
        start, end = (cells * self._step for cells in (_FURTHER_CELLS, _FURTHER_CELLS + window))
        core = slice(halo * self._step, (halo + _CORE_CELLS) * self._step)
        expected = self._response(whole, vertical)[..., start:end][..., core]
        found = self._response(whole[..., start:end], vertical)[..., core]
        return bool((found - expected).abs().max() <= _TOLERANCE * expected.abs().max())

    def _strip(self, cells: int) -> Tensor:
        import torch

        size = (1, self._channels, self._width, cells * self._step)
        return torch.randn(size, generator=self._generator).to(self._device)

    def _response(self, strip: Tensor, vertical: bool) -> Tensor:
        if not vertical:
            return self._network(strip)  # type: ignore[no-any-return]
        return self._network(strip.mT.contiguous()).mT  # type: ignore[no-any-return]
