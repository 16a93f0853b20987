"""Which of several networks an error message is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import nn


def in_networks(networks: Mapping[str, nn.Module], spoilt: Iterable[nn.Parameter]) -> str:
    """The networks that hold some parameters, in words; empty where there is but one network.

    Args:
        networks: all there are, by name.
        spoilt: parameters whose values or gradients are no numbers.

    Example:
        >>> networks = {"unet": nn.Linear(2, 1), "fcn": nn.Linear(2, 1)}
        >>> in_networks(networks, networks["fcn"].parameters())
        " in network 'fcn'"
    """
    known = {id(weight) for weight in spoilt}
    names = [
        repr(name)
        for name, network in networks.items()
        if any(id(weight) in known for weight in network.parameters())
    ]
    if len(networks) < 2 or not names:
        return ""
    return f" in network{'s' if len(names) > 1 else ''} {', '.join(names)}"
