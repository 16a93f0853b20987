from __future__ import annotations

from pathlib import Path

import pytest

from segmint.comparisons.arms import parse_arms
from segmint.comparisons.option_words import in_words_of_set, words_of_set
from segmint.errors import InputError, UsageError


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("pass --batch-size 6 or less", "pass --set training.batch_size=6 or less"),
        ("--learning-rate is -1", "--set optimizer.learning_rate is -1"),
        ("pass --crop with the side", "pass --set transform.crop with the side"),
        ("--components is 0", "--set components is 0"),
        ("give --epochs, --steps or --dataset", "give --epochs, --steps or --dataset"),
        ("pass --overwrite or another --out", "pass --overwrite or another --out"),
    ],
)
def test_options_are_named_as_a_comparison_takes_them(sentence: str, expected: str) -> None:
    arms = parse_arms(["unet", "kmeans", "blank"], Path())
    assert words_of_set(sentence, arms) == expected


@pytest.mark.parametrize("kind", [InputError, UsageError])
def test_an_error_keeps_its_kind(kind: type[InputError] | type[UsageError]) -> None:
    with (
        pytest.raises(kind, match=r"^give --set transform\.crop=8$"),
        in_words_of_set(parse_arms(["unet"], Path())),
    ):
        raise kind("give --crop 8")
