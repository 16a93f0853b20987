"""Blocks answered elsewhere, in any order, give the files of one process."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.block_answers import BlockAnswers
from segmint.inference.elsewhere import AnsweredBlock, AskedBlocks, Elsewhere
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.spool import Spool
from segmint.inference.streaming import UNFINISHED, is_unfinished, segment_scene
from segmint.methods.segmentation import RESULT

SIZE = (1040, 1060)
BLOCKS = 9


class Waves:
    """Probabilities that depend on the place and on the pixels."""

    notes: tuple[str, ...] = ("answered in waves",)
    classes = 4
    block = (512, 512)

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.asked = 0
        self._before = before

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        self._before()
        self.asked += 1
        rows, columns = np.mgrid[window.slices].astype(np.float32)
        light = scene.read(window, plane).mean(axis=-1) / 255
        waves = [np.sin(rows / (40 + k)) + np.cos(columns / (60 - k + plane)) for k in range(4)]
        shares = np.exp(np.stack(waves) + light)
        found: NDArray[np.float32] = (shares / shares.sum(axis=0)).astype(np.float32)
        return found

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[Any]:
        return np.asarray(self.probabilities(scene, window, plane).argmax(axis=0))


class Damaged(ArrayScene):
    """Some pixels cannot be read."""

    def unreadable(self, window: Window, plane: int = 0) -> NDArray[np.bool_] | None:
        damaged = np.random.default_rng(3).random(SIZE) < 0.01
        return damaged[window.slices]


def scene_of(shape: tuple[int, ...] = SIZE) -> ArrayScene:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    return ArrayScene.of_array(pixels, stack=len(shape) == 3)


def region_of(shape: tuple[int, ...] = SIZE) -> ArrayScene:
    inside = np.random.default_rng(1).random(shape) < 0.9
    inside[..., :512, :512] = False
    return ArrayScene.of_array(inside[..., np.newaxis] * np.uint8(7), stack=len(shape) == 3)


def shuffled(
    scene: Scene, region: Scene | None, *, seed: int = 0, fails_after: int | None = None
) -> Elsewhere:
    """Others who answer in an order that a seed stands for, and fail after so many blocks."""

    def answered(asked: AskedBlocks) -> Generator[AnsweredBlock, None, None]:
        answers = BlockAnswers(
            scene=scene,
            region=region,
            answer=Waves(),
            form=asked.form,
            likeliest=asked.outcome.likeliest,
        )
        order = list(asked.missing)
        random.Random(seed).shuffle(order)
        for count, index in enumerate(order):
            if count == fails_after:
                raise InputError("a tile is damaged")
            parts = asked.form.encoded(index, *answers.of(index))
            yield AnsweredBlock(index=index, parts=parts, notes=Waves.notes)

    return answered


def segment(folder: Path, answer: Waves | None = None, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"scene": scene_of(), "method": "waves", "options": {}, "seed": 0}
    given |= options
    return segment_scene(
        given.pop("scene"), SceneOutcome(answer=answer or Waves()), folder, **given
    )


def content(folder: Path) -> dict[str, object]:
    """All files by name; the record without its seconds."""
    found: dict[str, object] = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
    record = json.loads((folder / RESULT).read_text())
    del record["seconds"]
    return {**found, RESULT: record}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The files of one process."""
    folder = tmp_path_factory.mktemp("alone")
    segment(folder)
    return content(folder)


@pytest.mark.parametrize(
    ("scene", "region", "form", "probabilities"),
    [
        (scene_of(), None, "zarr", False),
        (scene_of((3, 530, 600)), region_of((3, 530, 600)), "zarr", True),
        (Damaged(scene_of().image), region_of(), "tiff", True),
    ],
    ids=["zarr", "stack", "damaged"],
)
def test_the_files_are_those_of_one_process(
    tmp_path: Path, scene: Scene, region: Scene | None, form: str, probabilities: bool
) -> None:
    if form == "zarr":
        pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    told: list[tuple[int, int]] = []
    options: dict[str, Any] = {
        "scene": scene,
        "region": region,
        "probabilities": probabilities,
        "form": form,
    }
    here = Waves()
    record = segment(
        tmp_path / "spread",
        here,
        **options,
        progress=lambda *counts: told.append(counts),
        elsewhere=shuffled(scene, region),
    )
    segment(tmp_path / "alone", **options)
    assert content(tmp_path / "spread") == content(tmp_path / "alone")
    assert here.asked == 0
    assert told == [(done, record["blocks"]) for done in range(record["blocks"] + 1)]


def records(folder: Path) -> dict[int, bytes]:
    """What a journal holds of each block."""
    found = {}
    with Spool(folder / UNFINISHED / "blocks") as spool:
        for index in spool.done:
            parts = len(spool._places[index]) - 1
            found[index] = b"".join(spool.read(index, part) for part in range(parts))
    return found


def stop_after(blocks: int) -> Callable[[], None]:
    left = iter(range(blocks))

    def before() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return before


@pytest.mark.parametrize("failing_first", [True, False])
def test_either_goes_on_with_what_the_other_began(
    tmp_path: Path, alone: dict[str, object], failing_first: bool
) -> None:
    scene, out = scene_of(), tmp_path / "out"
    told: list[str] = []
    if failing_first:
        with pytest.raises(InputError, match="a tile is damaged"):
            segment(out, elsewhere=shuffled(scene, None, seed=5, fails_after=4))
        answer = Waves()
        segment(out, answer, tell=told.append)
        assert answer.asked == 1 + BLOCKS - 4  # one to see that it is answered alike
    else:
        with pytest.raises(KeyboardInterrupt, match="run the same command again"):
            segment(out, Waves(stop_after(4)))
        segment(out, tell=told.append, elsewhere=shuffled(scene, None))
    assert told == [f"goes on: 4 of {BLOCKS} blocks were finished before"]
    assert content(out) == alone


def test_the_journal_holds_the_same_bytes_of_each_block(tmp_path: Path) -> None:
    given: dict[str, dict[str, Any]] = {
        "spread": {"elsewhere": shuffled(scene_of(), None, fails_after=5)},
        "alone": {"answer": Waves(stop_after(8))},
    }
    for name, options in given.items():
        with pytest.raises((InputError, KeyboardInterrupt)):
            segment(tmp_path / name, **options)
        assert is_unfinished(tmp_path / name)
    spread, alone = records(tmp_path / "spread"), records(tmp_path / "alone")
    common = spread.keys() & alone.keys()
    assert len(spread) == 5
    assert common
    assert all(spread[index] == alone[index] for index in common)


def test_nobody_is_asked_where_nothing_is_missing(tmp_path: Path) -> None:
    def stopped(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    def nobody(_: AskedBlocks) -> Generator[AnsweredBlock, None, None]:
        raise AssertionError("it was asked")

    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path, progress=stopped)
    segment(tmp_path, elsewhere=nobody)
    assert (tmp_path / RESULT).is_file()


def test_others_are_let_go_when_it_is_stopped(tmp_path: Path) -> None:
    ended: list[int] = []

    def counted(asked: AskedBlocks) -> Generator[AnsweredBlock, None, None]:
        given = 0
        try:
            for block in shuffled(scene_of(), None)(asked):
                given += 1
                yield block
        finally:
            ended.append(given)

    def stopped(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path, elsewhere=counted, progress=stopped)
    # No block was taken before the one before it was kept.
    assert ended == [3]
    assert len(records(tmp_path)) == 3


def test_what_others_decided_on_the_way_is_in_the_record(tmp_path: Path) -> None:
    def noted(asked: AskedBlocks) -> Generator[AnsweredBlock, None, None]:
        for block in shuffled(scene_of(), None)(asked):
            yield AnsweredBlock(
                index=block.index, parts=block.parts, notes=(*block.notes, "tiles were halved")
            )

    record = segment(tmp_path, elsewhere=noted)
    assert sorted(record["notes"]) == ["answered in waves", "tiles were halved"]
