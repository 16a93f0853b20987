"""Limits of memory, and memory that runs out."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from segmint.errors import UsageError
from segmint.images.window import Window, blocks
from segmint.inference import memory_limit, tile_plan
from segmint.inference.member import Member
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import Views

sys.path.insert(0, str(Path(__file__).parent))
from tiling_example import assembled, known, network, picture, plain, scene_of


def whole(height: int, width: int) -> list[Window]:
    return [Window.whole(height, width)]


def near(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def scarce(of: Member, most: int, **others: Any) -> Member:
    """A member that runs out of memory beyond so many pixels in one call."""

    def respond(image: Tensor) -> Tensor:
        if len(image) * image.shape[-2] * image.shape[-1] > most:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return of.respond(image)

    return replace(of, respond=respond, **others)


class TestMemoryThatRunsOut:
    @pytest.mark.parametrize("tile", [None, 128])
    def test_smaller_tiles_with_the_same_answer(self, tile: int | None) -> None:
        image = picture(150, 131)
        answer = TiledPrediction([scarce(known(), 95 * 95)], tile=tile)
        for window in blocks(150, 131, (100, 131)):
            near(
                answer.probabilities(scene_of(image), window),
                plain(network(), image)[:, *window.slices],
            )
        (note,) = answer.notes
        assert re.fullmatch(r"memory ran out: tiles of \d+ pixels instead of \d+", note)
        smaller, larger = map(int, re.findall(r"\d+", note))
        assert smaller < larger

    def test_blended_tiles_get_smaller_too(self) -> None:
        scene = scene_of(picture(150, 131))
        answer = TiledPrediction([scarce(known("instance"), 80 * 80)])
        found = assembled(answer, scene, blocks(150, 131, (100, 131)))
        assert answer.notes == ("memory ran out: tiles of 76 pixels instead of 150",)
        expected = assembled(TiledPrediction([known("instance")], tile=76), scene, whole(150, 131))
        near(found, expected)

    def test_fewer_tiles_at_a_time(self) -> None:
        image = picture(150, 131)
        answer = TiledPrediction([scarce(known("instance"), 2 * 64 * 64, batch=4)], tile=64)
        scene = scene_of(image)
        found = assembled(answer, scene, whole(150, 131))
        assert answer.notes[1:] == ("memory ran out: 2 tiles at a time instead of 4",)
        alone = TiledPrediction([known("instance")], tile=64)
        near(found, assembled(alone, scene, whole(150, 131)))

    @pytest.mark.parametrize("name", ["unet", "instance"])
    @pytest.mark.parametrize("least", [0, 100])
    def test_not_even_for_the_smallest(self, name: str, least: int) -> None:
        reach = replace(known(name).reach, least=least)
        answer = TiledPrediction([scarce(known(name), 10, reach=reach)])
        with pytest.raises(MemoryError, match=r"not enough memory for runs/a/network"):
            answer.labels(scene_of(picture(150, 131)), Window.whole(150, 131))

    def test_other_errors_are_not_taken_for_it(self) -> None:
        def respond(image: Tensor) -> Tensor:
            raise RuntimeError("expected scalar type Float")

        answer = TiledPrediction([replace(known(), respond=respond)])
        with pytest.raises(RuntimeError, match="expected scalar type"):
            answer.labels(scene_of(picture(70, 70)), Window.whole(70, 70))


@pytest.fixture
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that holds 300 MB, on a machine that does not say what it has."""
    for module in (memory_limit, tile_plan):
        monkeypatch.setattr(module, "held_memory", lambda: 300_000_000)
    monkeypatch.setattr(memory_limit, "available_memory", lambda: None)


@pytest.mark.usefixtures("quiet_machine")
class TestLimits:
    @pytest.mark.parametrize("bytes_per_pixel", [40.0, 444.0, 1234.5, 20_000.0, 91_234.0])
    @pytest.mark.parametrize("views", [Views(), Views(flips=True, scales=(1.7,))])
    @pytest.mark.parametrize("name", ["unet", "instance"])
    def test_the_smallest_that_works_works(
        self, name: str, bytes_per_pixel: float, views: Views
    ) -> None:
        members = [replace(known(name), bytes_per_pixel=bytes_per_pixel), known()]
        with pytest.raises(UsageError) as caught:
            TiledPrediction(members, views=views, limit=MemoryLimit.of("301MB"))
        said = str(caught.value)
        assert said.startswith("--max-memory is 0.28 GiB, but the smallest tile of runs/a/network")
        size = re.search(r"needs ([\d.]+ GiB): give at least that", said)
        assert size is not None
        enough = MemoryLimit.of(size[1])
        assert min(TiledPrediction(members, views=views, limit=enough).block) >= 64
        with pytest.raises(UsageError, match="give at least"):
            TiledPrediction(members, views=views, limit=MemoryLimit(enough.total - 2**25))

    def test_more_memory_gives_larger_tiles_up_to_an_end(self) -> None:
        found = [
            TiledPrediction([known()], limit=MemoryLimit(total)).block[0]
            for total in (500_000_000, 700_000_000, 2**30, 2**31, 2**33, 2**40)
        ]
        assert found == sorted(found)
        assert found[0] < found[-1] == 2048
        assert all(side % 256 == 0 or side in (64, 128) for side in found)

    def test_answers_do_not_depend_on_it(self) -> None:
        image = picture(190, 170)
        answer = TiledPrediction([known()], limit=MemoryLimit(440_000_000))
        near(
            assembled(answer, scene_of(image), blocks(190, 170, answer.block)),
            plain(network(), image),
        )

    def test_a_tile_that_is_asked_for(self) -> None:
        with pytest.raises(
            UsageError, match=r"but the tile of .* \(4000 x 4000 with a halo"
        ) as caught:
            TiledPrediction([known()], limit=MemoryLimit(500_000_000), tile=4000)
        assert "or a smaller tile" in str(caught.value)
        size = re.search(r"needs ([\d.]+ GiB)", str(caught.value))
        assert size is not None
        answer = TiledPrediction([known()], limit=MemoryLimit.of(size[1]), tile=4000)
        assert answer.block == (4000, 4000)

    @pytest.mark.parametrize("tile", [0, 63, -64, True, 64.0, "64", float("nan")])
    def test_impossible_tiles(self, tile: Any) -> None:
        with pytest.raises(UsageError, match="accepted is a whole number of pixels from 64"):
            TiledPrediction([known()], tile=tile)
