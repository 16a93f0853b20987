from __future__ import annotations

import numpy as np
import pytest

from segmint.errors import UsageError
from segmint.metrics.protocol import Case, LooksAt
from segmint.metrics.protocol_scores import ProtocolScorer, unscored
from segmint.metrics.surface_protocol import surfaces

SQUARE = np.zeros((12, 14), np.int64)
SQUARE[3:8, 3:9] = 1


def case(name: str = "cat", shift: int = 0) -> Case:
    labels = np.roll(SQUARE, shift, axis=1)
    return Case(name=name, labels=labels, masks=(SQUARE,), ignore_index=255)


def test_images_are_added_one_by_one() -> None:
    scorer = ProtocolScorer(["surfaces", "instances"])
    for name, shift in (("cat", 2), ("dog", 0)):
        scorer.add(name, lambda looks_at, name=name, shift=shift: case(name, shift))  # type: ignore[misc]
    surface, instances = scorer.scores()
    assert (surface.name, instances.name) == ("surfaces", "instances")
    assert surface.rows()[0].value == 1
    assert {name: found["hd95"] for name, found in surface.image_values().items()} == {
        "cat": 2.0,
        "dog": 0.0,
    }
    assert surface.notes == ()


def test_each_kind_of_numbers_is_made_once() -> None:
    asked: list[LooksAt] = []

    def case_of(looks_at: LooksAt) -> Case:
        asked.append(looks_at)
        return case()

    ProtocolScorer(["surfaces", "calibration", "surfaces", "instances"]).add("cat", case_of)
    assert asked == ["classes", "probabilities", "objects"]


def test_what_does_not_fit_is_told_by_reason() -> None:
    scorer = ProtocolScorer(["calibration", "surfaces"])
    for name in "abcde":
        scorer.add(name, lambda looks_at: case())
    calibration, surface = scorer.scores()
    assert calibration.rows() == []
    assert calibration.image_values() == {}
    (note,) = calibration.notes
    assert note.startswith("calibration: 5 of 5 images not scored (a, b, c and 2 more): there are")
    assert unscored([calibration, surface], ["surfaces"]) == []
    (sentence,) = unscored([calibration, surface], ["calibration"])
    assert sentence.startswith("--protocol calibration cannot score a: there are no probabilities")


def test_images_without_truth_are_told() -> None:
    scorer = ProtocolScorer(["surfaces"])
    hidden = np.full_like(SQUARE, 255)
    scorer.add("a", lambda looks_at: case())
    scorer.add(
        "b", lambda looks_at: Case(name="b", labels=SQUARE, masks=(hidden,), ignore_index=255)
    )
    (found,) = scorer.scores()
    assert found.notes == (
        "surfaces: 1 of 2 images not scored (b): it has no truth, or none that counts",
    )


def test_protocols_may_differ_from_the_registered_ones() -> None:
    scorer = ProtocolScorer(["surfaces"], changed={"surfaces": surfaces(tolerance=2)})
    scorer.add("cat", lambda looks_at: case(shift=2))
    values = {row.name: row.value for row in scorer.scores()[0].rows()}
    assert values["surface_dice"] == 1


def test_unknown_protocol() -> None:
    with pytest.raises(UsageError, match="unknown protocol 'surface': did you mean 'surfaces'"):
        ProtocolScorer(["surface"])
