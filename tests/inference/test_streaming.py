from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segmint.errors import InputError, OutputError, UsageError
from segmint.images.array_scene import ArrayScene
from segmint.images.labels import read_labels
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.spool import Spool
from segmint.inference.streaming import UNFINISHED, is_unfinished, segment_scene
from segmint.locking import only_writer
from segmint.methods.segmentation import RESULT
from segmint.regions.ordering import order_by_area

SIZE = (530, 1030)


class Answer:
    """Labels that depend on the place in the scene alone; it may be stopped at a block."""

    notes: tuple[str, ...] = ("answered in blocks",)

    def __init__(
        self, *, classes: int = 5, shift: int = 0, before: Callable[[int], None] | None = None
    ) -> None:
        self.classes = classes
        self.block = (512, 512)
        self.asked: list[tuple[Window, int]] = []
        self._shift = shift
        self._before = before

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[Any]:
        if self._before is not None:
            self._before(len(self.asked))
        self.asked.append((window, plane))
        rows = np.arange(window.top, window.bottom)[:, np.newaxis]
        columns = np.arange(window.left, window.right)
        return (rows // 90 * 3 + columns // 70 + plane + self._shift) ** 2 % self.classes

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        labels = self.labels(scene, window, plane)
        sure = np.float32(0.7)
        rest = (1 - sure) / (self.classes - 1)
        return np.stack([np.where(labels == k, sure, rest) for k in range(self.classes)])


def scene_of(shape: tuple[int, ...] = SIZE) -> ArrayScene:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    return ArrayScene.of_array(pixels, stack=len(shape) == 3)


def segment(folder: Path, answer: Answer | None = None, **options: Any) -> dict[str, Any]:
    given = {"scene": scene_of(), "method": "made-up", "options": {"a": 1}, "seed": 0, **options}
    outcome = SceneOutcome(answer=answer or Answer(), order=given.pop("order", None))
    return segment_scene(given.pop("scene"), outcome, folder, **given)


def whole(shape: tuple[int, ...] = SIZE) -> NDArray[Any]:
    planes = 1 if len(shape) == 2 else shape[0]
    window = Window.whole(*shape[-2:])
    labels = np.stack([Answer().labels(scene_of(), window, plane) for plane in range(planes)])
    return labels.reshape(shape)


def interrupted_at(block: int) -> Callable[[int], None]:
    def stop(asked: int) -> None:
        if asked == block:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("shape", [SIZE, (3, 530, 90), (1, 1)])
def test_labels_are_those_of_the_whole(tmp_path: Path, shape: tuple[int, ...]) -> None:
    told: list[tuple[int, int]] = []
    record = segment(tmp_path, scene=scene_of(shape), progress=lambda *counts: told.append(counts))
    assert np.array_equal(read_labels(tmp_path / record["labels"]), order_by_area(whole(shape))[0])
    assert told == [(done, record["blocks"]) for done in range(record["blocks"] + 1)]
    assert not (tmp_path / UNFINISHED).exists()


def test_ids_with_an_order_stay(tmp_path: Path) -> None:
    record = segment(tmp_path, order="of the data set")
    assert np.array_equal(read_labels(tmp_path / "labels.tif"), whole())
    assert record["order"] == "of the data set"


def test_outside_the_region_and_unreadable_is_outside(tmp_path: Path) -> None:
    class Damaged(ArrayScene):
        def unreadable(self, window: Window, plane: int = 0) -> NDArray[np.bool_] | None:
            return damaged[window.slices]

    generator = np.random.default_rng(1)
    damaged, inside = generator.random(SIZE) < 0.01, generator.random(SIZE) < 0.9
    inside[:, :512] = False
    answer = Answer()
    segment(
        tmp_path,
        answer,
        scene=Damaged(scene_of().image),
        region=ArrayScene.of_array(inside * np.uint8(7)),
        order="as it is",
    )
    want = np.where(inside & ~damaged, whole(), -1)
    assert np.array_equal(read_labels(tmp_path / "labels.tif"), want)
    # Blocks without a pixel inside are not even asked for.
    assert all(window.left >= 512 for window, _ in answer.asked)


@pytest.mark.parametrize("shape", [(20, 30), SIZE])
def test_a_region_of_another_size_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    channels = 1 if shape != SIZE else 2
    region = ArrayScene.of_array(np.ones((*shape, channels), np.uint8))
    with pytest.raises(InputError, match="accepted is one channel of the same size"):
        segment(tmp_path / "out", region=region)
    assert not (tmp_path / "out").exists()


def test_what_is_stopped_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match="run the same command again to go on"):
        segment(tmp_path / "out", Answer(before=interrupted_at(4)))
    assert is_unfinished(tmp_path / "out")
    told: list[str] = []
    answer = Answer()
    segment(tmp_path / "out", answer, tell=told.append)
    assert told == ["goes on: 4 of 6 blocks were finished before"]
    # The first block once more, to see that the answer is the same one, then what was missing.
    assert [window.left for window, _ in answer.asked] == [0, 512, 1024]
    assert not is_unfinished(tmp_path / "out")
    segment(tmp_path / "undisturbed")
    assert_same(tmp_path / "out", tmp_path / "undisturbed")


def assert_same(one: Path, other: Path) -> None:
    """All files byte for byte, and the record but for its seconds."""
    files = sorted(each.relative_to(one) for each in one.rglob("*") if each.is_file())
    assert files == sorted(each.relative_to(other) for each in other.rglob("*") if each.is_file())
    for name in files:
        if name.name == RESULT:
            found = [json.loads((folder / name).read_text()) for folder in (one, other)]
            assert {**found[0], "seconds": 0} == {**found[1], "seconds": 0}
        else:
            assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"options": {"a": 2}}, "options.a was 1 and is 2"),
        ({"seed": 1}, "seed was 0 and is 1"),
        ({"identity": {"precision": "bfloat16"}}, "precision was None and is bfloat16"),
        ({"probabilities": True}, "probabilities was False and is True"),
        ({"scene": scene_of((531, 1030))}, "image.shape was [530, 1030, 3] and is [531, 1030, 3]"),
    ],
)
def test_other_work_begins_again(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path / "out", Answer(before=interrupted_at(2)))
    told: list[str] = []
    segment(tmp_path / "out", tell=told.append, **changed)
    assert [each.startswith("begins again") and reason in each for each in told] == [True]


def test_another_answer_begins_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path / "out", Answer(before=interrupted_at(2), shift=1))
    told: list[str] = []
    segment(tmp_path / "out", tell=told.append)
    assert "answered otherwise" in told[-1]
    segment(tmp_path / "undisturbed")
    assert_same(tmp_path / "out", tmp_path / "undisturbed")


def test_a_changed_file_begins_again(tmp_path: Path) -> None:
    scene = scene_of()
    scene.source = tmp_path / "image.tif"
    scene.source.write_bytes(b"1")
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path / "out", Answer(before=interrupted_at(2)), scene=scene)
    os.utime(scene.source, (1, 1))
    told: list[str] = []
    segment(tmp_path / "out", scene=scene, tell=told.append)
    assert "begins again" in told[0]


def test_a_damaged_plan_begins_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path / "out", Answer(before=interrupted_at(2)))
    (tmp_path / "out" / UNFINISHED / "plan.json").write_text("{")
    told: list[str] = []
    segment(tmp_path / "out", tell=told.append)
    assert "begins again" in told[0]


def test_it_goes_on_with_the_blocks_it_began_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path / "out", Answer(before=interrupted_at(2)))
    answer = Answer()
    answer.block = (1024, 1024)  # as another process with more memory would have it
    segment(tmp_path / "out", answer)
    assert max(max(window.size) for window, _ in answer.asked) == 512


def test_an_earlier_result_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    segment(tmp_path, form="tiff", seed=1)
    (tmp_path / "labels.png").write_bytes(b"of an earlier result")
    before = (tmp_path / "labels.tif").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        segment(tmp_path, Answer(before=interrupted_at(2)), seed=2)
    assert is_unfinished(tmp_path)
    assert (tmp_path / "labels.tif").read_bytes() == before
    assert json.loads((tmp_path / RESULT).read_text())["seed"] == 1
    segment(tmp_path, seed=2)
    assert json.loads((tmp_path / RESULT).read_text())["seed"] == 2
    assert not (tmp_path / "labels.png").exists()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no locks of this kind")
    with only_writer(tmp_path), pytest.raises(OutputError, match="another process is writing"):
        segment(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> SceneOutcome:
        raise AssertionError("it was computed")

    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(OutputError, match=r"530 x 1030 pixels needs up to 0\.\d+ GiB"):
        segment_scene(scene_of(), never, tmp_path / "out", method="made-up", options={}, seed=0)
    assert not (tmp_path / "out").exists()


def test_maps_need_more_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Labels take at most 2.7 bytes a pixel and the pictures 16 MiB; six maps take 24 bytes.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20 * 2**20))
    segment(tmp_path / "labels")
    with pytest.raises(OutputError, match="needs up to"):
        segment(tmp_path / "maps", probabilities=True)
    assert not (tmp_path / "maps").exists()


def test_a_disk_that_fills_up_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Spool._write

    def write_until_full(self: Spool, data: bytes) -> None:
        if len(self.done) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, data)

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
        patch.setattr(Spool, "_write", write_until_full)
        segment(tmp_path / "out")
    told: list[str] = []
    segment(tmp_path / "out", tell=told.append)
    assert told == ["goes on: 3 of 6 blocks were finished before"]


def test_a_disk_that_fills_up_at_the_end_keeps_all_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
        patch.setattr("segmint.inference.scene_files.write_tiff_pyramid", full)
        segment(tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == [UNFINISHED]
    told: list[str] = []
    segment(tmp_path / "out", tell=told.append)
    assert told == ["goes on: 6 of 6 blocks were finished before"]


def test_what_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    def refuse() -> SceneOutcome:
        raise UsageError("it cannot")

    with pytest.raises(UsageError, match="it cannot"):
        segment_scene(scene_of(), refuse, tmp_path / "out", method="made-up", options={}, seed=0)
    assert not (tmp_path / "out").exists()


def test_zarr_that_is_not_installed_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(UsageError, match="Zarr is not installed"):
        segment(tmp_path / "out", form="zarr")
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        segment(tmp_path / "out")


def test_labels_that_are_not_the_likeliest_stay_with_probabilities(tmp_path: Path) -> None:
    class Sums(Answer):
        def probabilities(
            self, scene: Scene, window: Window, plane: int = 0
        ) -> NDArray[np.float32]:
            return super().probabilities(scene, window, plane)[::-1]

    for likeliest, labels in ((False, whole()), (True, 4 - whole())):
        out = tmp_path / str(likeliest)
        outcome = SceneOutcome(answer=Sums(), order="as it is", likeliest=likeliest)
        given = {"method": "made-up", "options": {}, "seed": 0}
        segment_scene(scene_of(), outcome, out, probabilities=True, **given)
        assert np.array_equal(read_labels(out / "labels.tif"), labels)
