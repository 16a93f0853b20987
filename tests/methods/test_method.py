from __future__ import annotations

from dataclasses import dataclass

import pytest

from segmint.errors import UsageError
from segmint.methods.clustering import METHOD
from segmint.methods.kmeans import METHOD as KMEANS
from segmint.methods.method import Method
from segmint.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Cutting(Options):
    pieces: int = option(4, low=1, aliases=("n",))
    sharp: float = option(1.0)


METHOD_OF_TWO = Method(
    options=Cutting, segment=lambda *_: None, presets={"fine": {"pieces": 9, "sharp": 2.0}}
)


def test_defaults() -> None:
    assert METHOD_OF_TWO.resolve(None, {}) == Cutting()


def test_preset() -> None:
    assert METHOD_OF_TWO.resolve("fine", {}) == Cutting(pieces=9, sharp=2.0)


@pytest.mark.parametrize("name", ["pieces", "n"])
def test_values_win_over_the_preset(name: str) -> None:
    assert METHOD_OF_TWO.resolve("fine", {name: 3}) == Cutting(pieces=3, sharp=2.0)


def test_unknown_preset_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown preset 'kim2000': did you mean 'kim2020'\?"):
        METHOD.resolve("kim2000", {})


def test_method_without_presets() -> None:
    with pytest.raises(UsageError, match="unknown preset 'fine': this method has none"):
        KMEANS.resolve("fine", {})


@pytest.mark.parametrize("preset", METHOD.presets)
def test_presets_of_clustering_are_accepted(preset: str) -> None:
    resolved = METHOD.resolve(preset, {}).resolved()
    assert resolved.items() >= METHOD.presets[preset].items()
