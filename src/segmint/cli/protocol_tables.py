"""The scores of a field on the screen, in JSON and in CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segmint.cli import console
from segmint.cli.wrapping import print_wrapped

if TYPE_CHECKING:
    from segmint.metrics.evaluation import ScoreRow
    from segmint.metrics.protocol import ScoreKind
    from segmint.metrics.protocol_scores import ProtocolScores

_MOST_CLASSES = 40
"""Of more classes ``--json`` has the scores."""


def print_protocols(scores: Sequence[ProtocolScores]) -> None:
    """A table for each protocol, one of its classes where it has any, and what they mean."""
    for each in scores:
        rows = {row.name: row for row in each.rows()}
        kinds = [kind for kind in each.protocol.scores if kind.name in rows]
        if rows:
            console.result(f"{each.name}: {each.protocol.summary}")
            console.table(
                ["score", "value", "better"],
                [[kind.title, written(rows[kind.name].value), kind.better] for kind in kinds],
            )
            console.result()
            _print_classes(rows, kinds)
            width = max(len(kind.title) for kind in kinds) + 2
            for kind in kinds:
                print_wrapped(kind.title.ljust(width), rows[kind.name].protocol)
        for note in each.notes:
            print_wrapped("note".ljust(12), note)
        console.result()


def protocols_as_json(scores: Sequence[ProtocolScores]) -> dict[str, Any]:
    """The rows of each protocol by its name, and what was left out."""
    return {
        each.name: {
            "scores": [row.as_dict() for row in each.rows()],
            "notes": list(each.notes),
        }
        for each in scores
    }


def with_protocols(
    rows: Sequence[Mapping[str, Any]], scores: Sequence[ProtocolScores]
) -> list[dict[str, Any]]:
    """Rows of images with the scores of protocols added; None for those an image does not have.

    Args:
        rows: one an image, with its name as ``image``.
        scores: of a set with these images.
    """
    nothing = {row.name: None for each in scores for row in each.rows()}
    found: dict[str, dict[str, Any]] = {}
    for each in scores:
        for image, values in each.image_values().items():
            found.setdefault(image, {}).update(values)
    return [{**row, **nothing, **found.get(row["image"], {})} for row in rows]


def written(score: float | None) -> str:
    """A score as tables show it; one that does not exist is a dash."""
    return "-" if score is None or score != score else f"{score:.4f}"


def _print_classes(rows: Mapping[str, ScoreRow], kinds: Sequence[ScoreKind]) -> None:
    """A line a class, where there are several and so few that they can be read."""
    first = f"{kinds[0].name}_"
    own = {kind.name for kind in kinds}
    classes = [name.removeprefix(first) for name in rows if name.startswith(first)]
    classes = [name for name in classes if f"{first}{name}" not in own]
    if not 1 < len(classes) <= _MOST_CLASSES:
        return
    lines = [
        [name.replace("_", " "), *[_of_class(rows, kind, name) for kind in kinds]]
        for name in classes
    ]
    console.table(["class", *[kind.title for kind in kinds]], lines)
    console.result()


def _of_class(rows: Mapping[str, ScoreRow], kind: ScoreKind, name: str) -> str:
    row = rows.get(f"{kind.name}_{name}")
    return "" if row is None else written(row.value)
