"""Which of several networks an error message is about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn.utils import get_total_norm


def spoilt_weights(network: nn.Module) -> list[Tensor]:
    """The weights and floating buffers, of those that are saved, that are no usable numbers.

    Example:
        >>> norm = nn.BatchNorm2d(2)
        >>> spoilt_weights(norm)
        []
        >>> _ = norm.running_var.fill_(math.inf)
        >>> spoilt_weights(norm)[0] is norm.running_var
        True
    """
    held = [
        value
        for value in network.state_dict(keep_vars=True).values()
        if value.is_floating_point() and value.numel()
    ]
    kinds = [
        [value for value in held if isinstance(value, nn.Parameter) is learned]
        for learned in (True, False)
    ]
    # Weights whose squares overflow have run away; statistics that large may be as they should.
    return [
        value
        for kind, order in zip(kinds, (2.0, math.inf), strict=True)
        if not _finite(kind, order)
        for value in kind
        if not _finite([value], order)
    ]


def in_networks(networks: Mapping[str, nn.Module], spoilt: Iterable[Tensor]) -> str:
    """The networks that hold some tensors, in words; empty where there is but one network.

    Args:
        networks: all there are, by name.
        spoilt: weights or buffers that hold, or whose gradients hold, values that are no numbers.

    Example:
        >>> networks = {"unet": nn.Linear(2, 1), "fcn": nn.Linear(2, 1)}
        >>> in_networks(networks, networks["fcn"].parameters())
        " in network 'fcn'"
    """
    known = {id(weight) for weight in spoilt}
    names = [
        repr(name)
        for name, network in networks.items()
        if any(id(value) in known for value in network.state_dict(keep_vars=True).values())
    ]
    if len(networks) < 2 or not names:
        return ""
    return f" in network{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _finite(values: Sequence[Tensor], order: float) -> bool:
    return bool(get_total_norm([value.detach() for value in values], order).isfinite())
