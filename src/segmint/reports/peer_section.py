"""The chapter on peers: what each is worth, and what learning from each other brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from segmint.reports.page import Cell, Section, Table
from segmint.reports.peer_facts import peer_plans
from segmint.reports.peer_scores import PeerScore, best_peer, gains, twin_of
from segmint.reports.run_scores import number
from segmint.solvers.peer_names import ENSEMBLE, SOLO

_LEAST_GAIN = 0.0005
"""Of the mean IoU; less is shown as nothing."""

_ONE_SEED = (
    "That is one training with one seed: another seed may reverse a small difference, so "
    "compare several before you rely on it."
)
_NO_TWINS = (
    "What learning together brought cannot be told from this run: with --solo a twin of each "
    "network learns alone beside it, from the same start and the same batches."
)


def peer_section(
    record: Mapping[str, Any],
    scores: Mapping[str, PeerScore],
    parameters: Mapping[str, int],
    *,
    place: str,
) -> Section:
    """The chapter.

    Args:
        record: of a run with peers.
        scores: of every peer and ensemble.
        parameters: how many numbers each network has learned, by the name of its peer.
        place: what the scores were counted on, for example "the 5 images of cells val".
    """
    known = any(score.mean_iou is not None for score in scores.values())
    counted = f"Scores on {place}." if known else "No validation, so there are no scores."
    return Section(
        title="Peers",
        text=(_introduction(record), *(_findings(record, scores) if known else ())),
        tables=(_table(record, scores, parameters, counted),),
    )


def owner(name: str) -> str:
    """Who says it, as a sentence has it.

    Example:
        >>> owner("ensemble"), owner("unet"), owner("unet-solo")
        ('the ensemble', 'peer unet', 'peer unet-solo, which learned alone')
    """
    if name == ENSEMBLE:
        return "the ensemble"
    if name == f"{ENSEMBLE}{SOLO}":
        return "the ensemble of those that learned alone"
    return f"peer {name}{', which learned alone' if name.endswith(SOLO) else ''}"


def _introduction(record: Mapping[str, Any]) -> str:
    """Who learned from whom."""
    plans = peer_plans(record)
    pupils = [plan.name for plan in plans if plan.teachers]
    others = [plan for plan in plans if not plan.teachers]
    each_other = ["each other"] if any(set(plan.teachers) & set(pupils) for plan in plans) else []
    sources = ["the masks", *each_other, *(plan.name for plan in others)]
    said = f"{_listed(pupils)} learned from {_listed(sources)}. "
    for plan in others:
        said += f"{plan.name} {'was frozen' if plan.frozen else 'learned from the masks alone'}. "
    return f"{said}The ensemble is the mean of the probabilities of all {len(plans)}."


def _findings(record: Mapping[str, Any], scores: Mapping[str, PeerScore]) -> Iterator[str]:
    """What the numbers say, no more."""
    best, ensemble = best_peer(scores), scores[ENSEMBLE].mean_iou
    if best is not None and best.mean_iou is not None and ensemble is not None:
        over = ensemble - best.mean_iou
        if abs(over) < _LEAST_GAIN:
            yield f"The ensemble is as good as the best peer, {best.name}."
        else:
            side = "above" if over > 0 else "below"
            yield f"The ensemble is {abs(over):.3f} {side} the best peer, {best.name}."
    brought = gains(record, scores)
    yield f"{_gain_sentence(brought)} {_ONE_SEED}" if brought else _NO_TWINS


def _gain_sentence(brought: Mapping[str, float]) -> str:
    """Who did better together than alone, and who did not."""
    outcomes: dict[str, list[str]] = {"did better": [], "did worse": [], "did the same": []}
    for name, gain in brought.items():
        side = "did better" if gain > 0 else "did worse"
        verb = "did the same" if abs(gain) < _LEAST_GAIN else side
        who = owner(name) if name == ENSEMBLE else name
        outcomes[verb].append(f"{who} ({_signed(gain)})")
    told = [f"{_listed(names)} {verb}" for verb, names in outcomes.items() if names]
    return f"In mean IoU, together against alone: {'; '.join(told)}."


def _table(
    record: Mapping[str, Any],
    scores: Mapping[str, PeerScore],
    parameters: Mapping[str, int],
    counted: str,
) -> Table:
    twins = any(peer["solo"] for peer in record["peers"])
    rows = _networks(record, parameters)
    columns = _score_columns([name for name, *_ in rows], record, scores, twins=twins)
    heads = ("mean IoU together", "alone", "gain") if twins else ("mean IoU",)
    return Table(
        columns=("peer", *heads, "accuracy", "mean Dice", "best epoch", "parameters", "network"),
        rows=tuple(
            (
                Cell(text=name),
                *(column[index] for column in columns),
                Cell(text=str(scores[name].epoch or "-")),
                Cell(text=f"{count:,}"),
                Cell(text=network),
            )
            for index, (name, count, network) in enumerate(rows)
        ),
        caption=counted,
        notes=tuple(_notes(twins=twins)),
    )


def _networks(
    record: Mapping[str, Any], parameters: Mapping[str, int]
) -> list[tuple[str, int, str]]:
    """Name, parameters and network of each peer and of the ensemble."""
    rows = [
        (peer["name"], parameters[peer["name"]], peer["network"])
        for peer in record["peers"]
        if not peer["solo"]
    ]
    return [*rows, (ENSEMBLE, sum(count for _, count, _ in rows), f"all {len(rows)}")]


def _score_columns(
    names: Sequence[str],
    record: Mapping[str, Any],
    scores: Mapping[str, PeerScore],
    *,
    twins: bool,
) -> list[list[Cell]]:
    columns = [_column([scores[name].mean_iou for name in names])]
    if twins:
        alone = [twin_of(name, record, scores) for name in names]
        brought = gains(record, scores)
        columns.append(_column([None if twin is None else twin.mean_iou for twin in alone]))
        columns.append([Cell(text=_signed(brought.get(name))) for name in names])
    columns.append(_column([scores[name].accuracy for name in names]))
    columns.append(_column([scores[name].mean_dice for name in names]))
    return columns


def _notes(*, twins: bool) -> Iterator[str]:
    yield "The best of each column is bold."
    if twins:
        yield (
            "Alone is a twin of the same network, with the same first weights, batches and number "
            "of steps, that saw the masks and no other network; gain is together minus alone."
        )
    yield "An ensemble has its members as they were at its own best epoch."


def _column(values: Sequence[float | None]) -> list[Cell]:
    best = max((value for value in values if value is not None), default=None)
    return [Cell(text=number(value), best=value is not None and value == best) for value in values]


def _signed(value: float | None) -> str:
    # Adding 0 makes -0.0 what it looks like.
    return "-" if value is None else f"{round(value, 3) + 0.0:+.3f}"


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
