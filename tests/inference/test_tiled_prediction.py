from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError, UsageError
from segmint.images.window import Window, blocks
from segmint.inference import memory_limit, tile_plan
from segmint.inference.blending import tile_starts
from segmint.inference.member import Member
from segmint.inference.memory_limit import MemoryLimit
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import Views
from segmint.networks.padding import padded
from segmint.networks.reach import Reach

sys.path.insert(0, str(Path(__file__).parent))
from tiling_example import (
    MEASURED,
    assembled,
    known,
    member,
    network,
    picture,
    plain,
    plain_logits,
    scene_of,
)

exact = st.sampled_from(["unet", "unet-original"])
sides = st.integers(1, 170)


def whole(height: int, width: int) -> list[Window]:
    return [Window.whole(height, width)]


def near(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def sure(probabilities: Any) -> Any:
    """Where the two most likely classes differ by more than rounding."""
    ordered = np.sort(probabilities, axis=0)
    return ordered[-1] - ordered[-2] > 1e-4


class TestExact:
    @given(name=exact, height=sides, width=sides)
    @settings(max_examples=15)
    def test_without_a_limit_it_is_a_plain_call(self, name: str, height: int, width: int) -> None:
        image = picture(height, width)
        answer = TiledPrediction([known(name)])
        found = assembled(answer, scene_of(image), whole(height, width))
        near(found, plain(network(name), image))
        assert answer.notes == ()

    @given(
        name=exact,
        height=sides,
        width=sides,
        tile=st.integers(64, 200),
        block=st.tuples(st.integers(20, 200), st.integers(20, 200)),
    )
    @settings(max_examples=25)
    def test_tiles_and_windows_make_no_difference(
        self, name: str, height: int, width: int, tile: int, block: tuple[int, int]
    ) -> None:
        image = picture(height, width)
        scene, expected = scene_of(image), plain(network(name), image)
        answer = TiledPrediction([known(name)], tile=tile)
        assert answer.block == (tile, tile)
        found = assembled(answer, scene, blocks(height, width, block))
        near(found, expected)
        assert not found.sum(axis=0) == pytest.approx(0)
        np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
        labels = np.full((height, width), -1, np.int32)
        for window in blocks(height, width, block):
            labels[window.slices] = answer.labels(scene, window)
        labels = np.where(sure(expected), labels, expected.argmax(axis=0))
        np.testing.assert_array_equal(labels, expected.argmax(axis=0))

    @given(
        data=st.data(),
        name=exact,
        height=st.integers(60, 150),
        width=st.integers(60, 150),
    )
    @settings(max_examples=15)
    def test_any_window(self, data: st.DataObject, name: str, height: int, width: int) -> None:
        image = picture(height, width)
        top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
        bottom = data.draw(st.integers(top + 1, height))
        right = data.draw(st.integers(left + 1, width))
        window = Window(top=top, bottom=bottom, left=left, right=right)
        tile = data.draw(st.sampled_from([None, 64, 77]))
        found = TiledPrediction([known(name)], tile=tile).probabilities(scene_of(image), window)
        near(found, plain(network(name), image)[:, *window.slices])

    def test_slices_of_a_stack(self) -> None:
        stack = np.stack([picture(70, 83, seed) for seed in range(3)])
        scene, answer = scene_of(stack), TiledPrediction([known()], tile=64)
        for plane in (2, 0, 1):
            found = assembled(answer, scene, blocks(70, 83, (64, 64)), plane)
            near(found, plain(network(), stack[plane]))
            labels = answer.labels(scene, Window.whole(70, 83), plane)
            assert (labels == plain(network(), stack[plane]).argmax(axis=0)).mean() > 0.999

    @pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
    def test_values_of_any_type(self, kind: type) -> None:
        image = picture(70, 90, kind=kind)
        found = assembled(TiledPrediction([known()], tile=64), scene_of(image), whole(70, 90))
        near(found, plain(network(), image))

    @pytest.mark.parametrize("activation", ["sigmoid", "none"])
    def test_other_activations(self, activation: Any) -> None:
        image = picture(70, 90)
        logits = plain_logits(network(), MEASURED.tensor(image), (70, 90)).numpy()
        odds = 1 / (1 + np.exp(-logits.astype(np.float64)))
        expected = odds / odds.sum(axis=0) if activation == "sigmoid" else logits
        answer = TiledPrediction([replace(known(), activation=activation)], tile=64)
        found = assembled(answer, scene_of(image), whole(70, 90))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


class TestSeveral:
    def test_each_and_their_mean(self) -> None:
        image = picture(90, 75)
        names = (("unet", 0), ("unet-original", 0), ("unet", 1))
        answer = TiledPrediction([known(*name) for name in names], tile=64)
        expected = [plain(network(*name), image) for name in names]
        window = Window(top=3, bottom=81, left=5, right=75)
        scene = scene_of(image)
        found = list(answer.each(scene, window))
        assert len(found) == 3
        for one, other in zip(found, expected, strict=True):
            near(one, other[:, *window.slices])
        mean = np.mean(expected, axis=0)
        near(answer.probabilities(scene, window), mean[:, *window.slices])
        labels = answer.labels(scene, window)
        assert labels.dtype == np.int32
        assert (labels == mean.argmax(axis=0)[window.slices]).mean() > 0.999

    def test_each_has_its_own_preprocessing(self) -> None:
        image = picture(60, 75)
        others = (
            Preprocessing(mean=(0.0,) * 3, deviation=(1.0,) * 3),
            Preprocessing(resize=40, normalization="image", mean=(0.0,) * 3, deviation=(1.0,) * 3),
        )
        members = [replace(known(), preprocessing=other) for other in others]
        found = TiledPrediction(members).each(scene_of(image), Window.whole(60, 75))
        for one, other in zip(found, others, strict=True):
            near(one, plain(network(), image, other))


class TestBlended:
    """Networks in which every output looks at everything."""

    def test_small_images_are_seen_whole(self) -> None:
        for size in ((1, 3), (50, 61), (64, 64)):
            image = picture(*size)
            for tile in (None, 64):
                found = assembled(
                    TiledPrediction([known("instance")], tile=tile), scene_of(image), whole(*size)
                )
                near(found, plain(network("instance"), image))

    def test_as_large_as_is_asked_without_a_limit(self) -> None:
        image = picture(150, 131)
        answer = TiledPrediction([known("instance")])
        found = assembled(answer, scene_of(image), blocks(150, 131, (64, 40)))
        near(found, plain(network("instance"), image))

    def test_tiles_are_weighed_by_bells(self) -> None:
        height, width, tile = 101, 149, 64
        image = picture(height, width)
        larger, inside = padded(MEASURED.tensor(image), 2)
        rows, columns = larger.shape[-2:]
        total, weights = np.zeros((3, rows, columns)), np.zeros((rows, columns))
        places = (np.arange(tile) - (tile - 1) / 2) / (tile / 8)
        bell = np.exp(-(places**2) / 2)
        for top in tile_starts(rows, tile, 2):
            for left in tile_starts(columns, tile, 2):
                place = (slice(top, top + tile), slice(left, left + tile))
                part = plain_logits(network("instance"), larger[..., *place], (tile, tile))
                total[:, *place] += part.numpy() * bell[:, None] * bell
                weights[place] += bell[:, None] * bell
        logits = torch.from_numpy((total / weights)[inside])
        answer = TiledPrediction([known("instance")], tile=tile)
        found = assembled(answer, scene_of(image), blocks(height, width, (64, 64)))
        near(found, logits.softmax(dim=0).numpy())

    @given(block=st.tuples(st.integers(1, 120), st.integers(30, 140)))
    @settings(max_examples=8)
    def test_windows_make_no_difference_at_all(self, block: tuple[int, int]) -> None:
        scene, members = scene_of(picture(97, 140)), [known("instance")]
        expected = assembled(TiledPrediction(members, tile=64), scene, whole(97, 140))
        found = assembled(TiledPrediction(members, tile=64), scene, blocks(97, 140, block))
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-7)
        labels = TiledPrediction(members, tile=64).labels
        for window in blocks(97, 140, block):
            part = labels(scene, window)
            np.testing.assert_array_equal(part, expected[:, *window.slices].argmax(axis=0))

    def test_tiles_are_answered_once(self) -> None:
        calls: list[int] = []

        def respond(image: Tensor) -> Tensor:
            calls.append(len(image))
            return known("instance").respond(image)

        answer = TiledPrediction([replace(known("instance"), respond=respond)], tile=64)
        scene = scene_of(picture(128, 128))
        first = assembled(answer, scene, blocks(128, 128, (32, 32)))
        tiles = len(tile_starts(128, 64, 2)) ** 2
        assert sum(calls) == tiles
        np.testing.assert_array_equal(assembled(answer, scene, blocks(128, 128, (64, 64))), first)
        assert sum(calls) == tiles
        other = assembled(answer, scene_of(picture(128, 128, 1)), blocks(128, 128, (64, 64)))
        assert sum(calls) == 2 * tiles
        assert not np.array_equal(other, first)

    def test_a_constant_stays_one(self) -> None:
        def respond(image: Tensor) -> Tensor:
            shape = (len(image), 3, *image.shape[-2:])
            return torch.tensor([1.0, -2.0, 0.5])[:, None, None].expand(shape)

        constant = replace(known("instance"), respond=respond)
        found = assembled(
            TiledPrediction([constant], tile=64), scene_of(picture(150, 99)), whole(150, 99)
        )
        expected = np.exp([1, -2, 0.5]) / np.exp([1, -2, 0.5]).sum()
        near(found, np.broadcast_to(expected[:, None, None], found.shape))

    def test_networks_of_one_size(self) -> None:
        seen = set()

        def respond(image: Tensor) -> Tensor:
            seen.add(tuple(image.shape[-2:]))
            return image * 2

        reach = Reach(step=48, least=0, halo=None, most=48)
        fixed = replace(known("instance"), reach=reach, respond=respond)
        image = picture(100, 130)
        for tile in (None, 64):
            found = assembled(
                TiledPrediction([fixed], tile=tile), scene_of(image), blocks(100, 130, (77, 60))
            )
            near(found, (2 * MEASURED.tensor(image)[0]).softmax(dim=0).numpy())
        assert seen == {(48, 48)}


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
        assert answer.notes == ("memory ran out: 2 tiles at a time instead of 4",)
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
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_answers_that_are_no_numbers(value: float) -> None:
    def respond(image: Tensor) -> Tensor:
        return image * value

    answer = TiledPrediction([replace(known(), respond=respond)])
    scene, window = scene_of(picture(70, 70)), Window.whole(70, 70)
    for ask in (answer.labels, answer.probabilities, lambda *given: list(answer.each(*given))):
        with pytest.raises(InputError, match=r"runs/a/network.* answers with values that are no"):
            ask(scene, window)


def test_other_channels() -> None:
    gray = picture(70, 70)[..., :1]
    with pytest.raises(InputError, match=r"accepted is \(H, W, 3\)"):
        TiledPrediction([known()]).labels(scene_of(gray), Window.whole(70, 70))


class TestSizeOfTheNetwork:
    """Preprocessing with a shorter side: the network sees the whole image at another size."""

    @pytest.mark.parametrize("resize", [33, 64, 90, 150])
    @pytest.mark.parametrize("normalization", ["dataset", "image"])
    @pytest.mark.parametrize("tile", [None, 64])
    def test_tiles_are_the_whole(self, resize: int, normalization: str, tile: int | None) -> None:
        numbers = (
            {} if normalization == "dataset" else {"mean": (0.0,) * 3, "deviation": (1.0,) * 3}
        )
        preprocessing = replace(MEASURED, resize=resize, normalization=normalization, **numbers)
        image = picture(90, 121)
        answer = TiledPrediction([replace(known(), preprocessing=preprocessing)], tile=tile)
        found = assembled(answer, scene_of(image), blocks(90, 121, (50, 70)))
        near(found, plain(network(), image, preprocessing))

    @pytest.mark.parametrize("kind", [np.uint16, np.float32])
    def test_other_types(self, kind: type) -> None:
        preprocessing = replace(MEASURED, resize=47)
        image = picture(70, 93, kind=kind)
        answer = TiledPrediction([replace(known(), preprocessing=preprocessing)], tile=64)
        found = assembled(answer, scene_of(image), blocks(70, 93, (33, 93)))
        near(found, plain(network(), image, preprocessing))


def test_normalization_by_the_image() -> None:
    own = Preprocessing(normalization="image", mean=(0.0,) * 3, deviation=(1.0,) * 3)
    image = picture(90, 121)
    image[..., 1] = 77  # a channel of one value
    answer = TiledPrediction([member(network(), own)], tile=64)
    near(
        assembled(answer, scene_of(image), blocks(90, 121, (64, 64))), plain(network(), image, own)
    )
