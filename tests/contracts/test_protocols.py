"""What every protocol promises, whatever it scores."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from segmint.metrics.evaluation import ScoreRow
from segmint.metrics.protocol import Case, LooksAt, Protocol
from segmint.metrics.protocols import protocols

CLASSES = ("background", "left", "right")


def blocks(seed: int, size: tuple[int, int] = (36, 44)) -> np.ndarray:
    """Numbered blocks, two or three pixels of 0 between them."""
    rng = np.random.default_rng(seed)
    numbers = np.zeros(size, np.int32)
    number = 0
    for top in range(2, size[0] - 10, 12):
        for left in range(2, size[1] - 10, 12):
            number += 1
            height, width = rng.integers(6, 11, 2)
            numbers[top : top + height, left : left + width] = number
    return numbers


def truth_of(name: str, seed: int, size: tuple[int, int]) -> np.ndarray:
    """A mask that the protocol can score."""
    numbers = blocks(seed, size)
    if name == "membranes":
        return np.asarray((numbers > 0).astype(np.int32))
    if name in ("surfaces", "calibration"):
        return np.where(numbers > 0, 1 + numbers % 2, 0).astype(np.int32)
    return numbers


def strengths_of(labels: np.ndarray) -> np.ndarray:
    """1 at the upper left pixel of every block of 2 x 2 in which labels differ."""
    padded = np.pad(labels, ((0, 1), (0, 1)), mode="edge")
    blocks = np.lib.stride_tricks.sliding_window_view(padded, (2, 2))
    return (blocks.min(axis=(2, 3)) != blocks.max(axis=(2, 3))).astype(np.float32)


def case_of(
    name: str, labels: np.ndarray, mask: np.ndarray, *, image: str = "cat", full: bool = True
) -> Case:
    """Everything that a case can hold."""
    count = 2 if name == "membranes" else len(CLASSES)
    sure = (labels == np.arange(count)[:, np.newaxis, np.newaxis]).astype(np.float32)
    with_classes = name in ("surfaces", "calibration")
    annotators = 2 if name == "boundaries" else 1
    case = Case(
        name=image,
        labels=labels,
        masks=(mask,) * annotators,
        ignore_index=255,
        spacing=(1.5, 0.5) if full else None,
        probabilities=sure if with_classes or (full and name == "membranes") else None,
        strengths=strengths_of(labels) if full else None,
        class_names=CLASSES if with_classes else (),
    )
    arrays = (case.labels, *case.masks, case.probabilities, case.strengths)
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
    return case


def perfect(name: str, seed: int, size: tuple[int, int] = (36, 44), *, full: bool = True) -> Case:
    mask = truth_of(name, seed, size)
    return case_of(name, mask.copy(), mask, image=f"cat{seed}", full=full)


def spoilt(name: str, seed: int, size: tuple[int, int] = (36, 44)) -> Case:
    """Moved by a pixel, one corner empty and one filled with what is elsewhere."""
    mask = truth_of(name, seed, size)
    labels = np.roll(mask, (seed % 2, 1), axis=(0, 1))
    labels[:12, :12] = 0
    labels[-14:, -14:] = labels.max()
    return case_of(name, labels, mask, image=f"dog{seed}")


def uncounted(name: str) -> Case:
    """An image of whose mask nothing counts."""
    case = spoilt(name, 0)
    hidden = np.full_like(case.masks[0], 255)
    return replace(case, masks=(hidden,) * len(case.masks))


def values(rows: Sequence[ScoreRow]) -> dict[str, float]:
    return {row.name: row.value for row in rows}


@pytest.fixture(params=list(protocols))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def protocol(name: str) -> Protocol:
    found = protocols.load(name)
    assert isinstance(found, Protocol)
    return found


def test_names_of_scores_are_unique() -> None:
    kinds = [kind for name in protocols for kind in protocols.load(name).scores]
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert len({kind.title for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.name == kind.name.lower()
        assert kind.name.isidentifier()


class TestProtocol:
    def test_tells_what_it_is(self, protocol: Protocol) -> None:
        assert protocol.summary
        assert "\n" not in protocol.summary
        assert protocol.scores
        assert protocol.looks_at in get_args(LooksAt)

    def test_perfect_predictions_have_perfect_scores(self, name: str, protocol: Protocol) -> None:
        cases = [perfect(name, seed) for seed in range(3)]
        assert [protocol.unfit(case) for case in cases] == [""] * 3
        rows = protocol.rows([protocol.measure(case) for case in cases])
        found = values(rows)
        assert len(found) == len(rows)
        for kind in protocol.scores:
            assert found[kind.name] == pytest.approx(kind.perfect, abs=1e-6), kind.name
        others = set(found) - {kind.name for kind in protocol.scores}
        for other in others:
            (kind,) = (each for each in protocol.scores if other.startswith(f"{each.name}_"))
            assert found[other] == pytest.approx(kind.perfect, abs=1e-6), other

    def test_worse_predictions_have_worse_scores(self, name: str, protocol: Protocol) -> None:
        rows = values(protocol.rows([protocol.measure(spoilt(name, seed)) for seed in range(3)]))
        for kind in protocol.scores:
            worse = kind.perfect - rows[kind.name]
            assert (worse if kind.better == "higher" else -worse) > 0, kind.name

    def test_what_was_measured_is_said_with_counts(self, name: str, protocol: Protocol) -> None:
        for row in protocol.rows([protocol.measure(spoilt(name, 1))]):
            assert any(letter.isdigit() for letter in row.protocol), row.name
            assert "\n" not in row.protocol

    def test_order_of_images_does_not_matter(self, name: str, protocol: Protocol) -> None:
        cases = [perfect(name, 0), spoilt(name, 1), spoilt(name, 2, (40, 32)), uncounted(name)]
        evidence = [protocol.measure(case) for case in cases]
        rows, back = protocol.rows(evidence), protocol.rows(evidence[::-1])
        assert [row.name for row in rows] == [row.name for row in back]
        assert [row.protocol for row in rows] == [row.protocol for row in back]
        assert values(rows) == pytest.approx(values(back), rel=1e-12, nan_ok=True)

    def test_evidence_adds_up(self, name: str, protocol: Protocol) -> None:
        """Every image twice is as every image once, and a set lies between its images."""
        evidence = [protocol.measure(spoilt(name, seed)) for seed in range(2)]
        once, twice = values(protocol.rows(evidence)), values(protocol.rows(evidence * 2))
        assert once == pytest.approx(twice, rel=1e-9)
        single = [values(protocol.rows([each])) for each in evidence]
        for kind in protocol.scores:
            apart = [each[kind.name] for each in single]
            if kind.name not in ("expected_calibration_error", "maximum_calibration_error"):
                assert min(apart) - 1e-9 <= once[kind.name] <= max(apart) + 1e-9, kind.name

    def test_uncounted_images_change_nothing(self, name: str, protocol: Protocol) -> None:
        evidence = [protocol.measure(spoilt(name, seed)) for seed in range(2)]
        nothing = protocol.measure(uncounted(name))
        alone = values(protocol.rows([nothing]))
        for kind in protocol.scores:
            assert math.isnan(alone.get(kind.name, math.nan)), kind.name
        rows = values(protocol.rows(evidence))
        assert values(protocol.rows([*evidence, nothing])) == pytest.approx(rows, rel=1e-12)

    def test_less_given_gives_fewer_scores(self, name: str, protocol: Protocol) -> None:
        case = perfect(name, 0, full=False)
        assert protocol.unfit(case) == ""
        rows = values(protocol.rows([protocol.measure(case)]))
        assert rows
        assert not any(math.isnan(value) for value in rows.values())

    def test_every_case_is_scored_or_told_why_not(self, name: str, protocol: Protocol) -> None:
        case = perfect(name, 0)
        bare = replace(case, probabilities=None, strengths=None, spacing=None, class_names=())
        several = replace(bare, masks=(case.masks[0],) * 3)
        for odd in (case, bare, several, uncounted(name)):
            why = protocol.unfit(odd)
            assert "\n" not in why
            if not why:
                assert protocol.rows([protocol.measure(odd)])

    def test_evidence_can_be_sent_to_another_process(self, name: str, protocol: Protocol) -> None:
        evidence = protocol.measure(spoilt(name, 0))
        again = pickle.loads(pickle.dumps(evidence))  # noqa: S301 (its own bytes, as workers do)
        assert values(protocol.rows([again])) == values(protocol.rows([evidence]))
