"""How much several predictions of one image disagree, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError


def disagreement(probabilities: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Mutual information between the class of a pixel and the one who is asked for it.

    It is the entropy of the mean minus the mean of the entropies: 0 where all say the same, however
    undecided they are, and large where each is sure of another class. Computed as the mean
    divergence from the mean, which subtracts nothing and so loses no digits.

    Args:
        probabilities: one or more arrays (K, ...), 0 to 1, that sum to 1 along the first axis.

    Returns:
        float32 (...) in bits, 0 to the logarithm of the number of arrays, and at most log2 K.

    Raises:
        InputError: when there is none, or their shapes differ.

    Source: Houlsby, Huszar, Ghahramani, Lengyel, "Bayesian Active Learning for Classification and
    Preference Learning", arXiv:1112.5745 (2011), equation 2.

    Example:
        >>> one, other = np.array([[1.0, 0.5], [0.0, 0.5]]), np.array([[0.0, 0.5], [1.0, 0.5]])
        >>> disagreement([one, other]).tolist()
        [1.0, 0.0]
    """
    from scipy.special import rel_entr

    shapes = {each.shape for each in probabilities}
    if len(shapes) != 1:
        raise InputError(
            f"probabilities have the shapes {sorted(shapes)}, accepted are one or more of the same "
            "shape (K, ...): ask all for the same image"
        )
    nats = np.zeros(probabilities[0].shape[1:])
    for shares in zip(*probabilities, strict=True):  # a class at a time, which needs little memory
        each = [share.astype(np.float64) for share in shares]
        mean = sum(each[1:], start=each[0]) / len(each)
        for share in each:
            nats += rel_entr(share, mean)
    bits = nats / (len(probabilities) * math.log(2))
    return np.maximum(bits, 0).astype(np.float32)
