"""What is changed by hand in a result: components are joined and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segmint.errors import UsageError, shortened

MERGED_BY_HAND = "those before components were merged by hand, which keep the smallest of their ids"
"""The order of components after merging."""

LONGEST_NAME = 64
"""Letters of a component's name."""

_MOST_LISTED = 12

Probabilities = NDArray[np.float32]


def merged_labels(labels: NDArray[np.int32], joined: Mapping[int, int]) -> NDArray[np.int32]:
    """Labels in which each vanishing id became the one it was joined to."""
    merged = labels.copy()
    for vanished, kept in joined.items():
        merged[labels == vanished] = kept
    return merged


def joined_ids(groups: Sequence[Sequence[int]], ids: NDArray[np.int64]) -> dict[int, int]:
    """The id that each vanishing one becomes, when every group becomes its smallest.

    Args:
        groups: those that share an id are one.
        ids: that occur.

    Raises:
        UsageError: for an id that does not occur, or a group of fewer than two ids.

    Example:
        >>> joined_ids([(1, 4), (4, 2)], np.arange(5))
        {2: 1, 4: 1}
    """
    whole: list[set[int]] = []
    for group in groups:
        members = set(map(int, group))
        _check_occur(members, ids)
        if len(members) < 2:
            raise UsageError(
                f"a group to merge holds {_listed(sorted(members)) or 'no id'}, accepted are two "
                "ids or more: name those that become one"
            )
        for other in [each for each in whole if each & members]:
            whole.remove(other)
            members |= other
        whole.append(members)
    return {
        vanished: min(members)
        for members in sorted(whole, key=min)
        for vanished in sorted(members - {min(members)})
    }


def merge_note(joined: Mapping[int, int]) -> str:
    """A sentence on what was joined.

    Example:
        >>> merge_note({3: 0, 5: 0, 4: 1})
        'merged by hand: 0 + 3 + 5, 1 + 4'
    """
    groups: dict[int, list[int]] = {}
    for vanished, kept in joined.items():
        groups.setdefault(kept, [kept]).append(vanished)
    return f"merged by hand: {', '.join(' + '.join(map(str, group)) for group in groups.values())}"


def merged_probabilities(
    compute: Callable[[], Probabilities] | None, joined: Mapping[int, int]
) -> Callable[[], Probabilities] | None:
    """Computes probabilities (K, ...) in which the rows of what was joined are added up."""
    if compute is None:
        return None

    def added() -> Probabilities:
        probabilities = compute().copy()
        for vanished, kept in joined.items():
            probabilities[kept] += probabilities[vanished]
            probabilities[vanished] = 0
        return probabilities

    return added


def checked_names(names: Mapping[int, str], ids: NDArray[np.int64]) -> dict[int, str]:
    """Names of ids that occur, as they are kept.

    Raises:
        UsageError: for an id that does not occur, or a name that is empty, too long or no line.
    """
    _check_occur(names, ids)
    return {int(index): _checked_name(index, name) for index, name in names.items()}


def _checked_name(index: int, name: str) -> str:
    kept = name.strip()
    if not kept:
        raise UsageError(f"the name of component {index} is empty: give a word, as cup")
    if len(kept) > LONGEST_NAME or not kept.isprintable():
        held = f"has {len(kept)} letters" if kept.isprintable() else "is no plain line"
        raise UsageError(
            f"the name {shortened(kept)!r} of component {index} {held}, accepted is one line of at "
            f"most {LONGEST_NAME} letters: shorten it"
        )
    return kept


def _check_occur(wanted: set[int] | Mapping[int, str], ids: NDArray[np.int64]) -> None:
    known = set(ids.tolist())
    for unknown in sorted(set(wanted) - known)[:1]:
        raise UsageError(
            f"component {unknown} does not occur, accepted are {_listed(ids.tolist())}: name one "
            "of them"
        )


def _listed(ids: Sequence[int]) -> str:
    """Ids in words, a run of them by its ends."""
    if len(ids) > 2 and ids[-1] - ids[0] == len(ids) - 1:
        return f"{ids[0]} to {ids[-1]}"
    shown = ", ".join(map(str, ids[:_MOST_LISTED]))
    return f"{shown} and so on to {ids[-1]}" if len(ids) > _MOST_LISTED else shown
