"""One image, answered by several workers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import tifffile

from segmint.engines.job import Job, Seat
from segmint.engines.local_workers import LocalWorkers
from segmint.engines.scene_spreading import spread
from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.scene import Scene
from segmint.inference.answer_file import answer_file
from segmint.inference.scene_answer import SceneOutcome
from segmint.inference.streaming import is_unfinished
from segmint.methods.segment import fit_scene
from segmint.regions.hybrid_scene import HybridScene
from segmint.solvers.network_answer import NetworkAnswer

sys.path.insert(0, str(Path(__file__).parent))
from scene_example import HereWorkers, content, damage_last_tile, picture, write_tiff

SIZE = (1040, 1060)
PRELOAD = ("segmint.solvers.network_answer", "segmint.engines.scene_job")
BLOCKS = 9


class Hiring:
    """Makes workers and remembers them."""

    def __init__(self, dies: Callable[[int, int], bool] = lambda number, time: False) -> None:
        self.made: list[HereWorkers] = []
        self._dies = dies

    def __call__(self, job: Job) -> HereWorkers:
        self.made.append(HereWorkers(job, dies=self._dies))
        return self.made[-1]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiff(tmp_path_factory.mktemp("image") / "image.tif", picture(*SIZE))


@cache
def fitted() -> SceneOutcome:
    """Of the pixels as they are before any is damaged."""
    found = fit_scene(ArrayScene.of_array(picture(*SIZE)), "hybrid", working_pixels=4000)
    cast("HybridScene", found.answer).block = (512, 512)
    return found


def fit(scene: Scene, region: Scene | None) -> SceneOutcome:
    return fitted()


def answer(image: Path, out: Path, hiring: Hiring | None, **options: Any) -> dict[str, Any]:
    return answer_file(
        image,
        out,
        fit,
        method="hybrid",
        options={},
        seed=0,
        spread=None if hiring is None else spread(hiring),
        **options,
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, image: Path) -> dict[str, object]:
    """The files of one process."""
    out = tmp_path_factory.mktemp("alone")
    answer(image, out, None)
    return content(out)


def test_the_result_is_that_of_one_process(
    tmp_path: Path, image: Path, alone: dict[str, object]
) -> None:
    hiring = Hiring()
    answer(image, tmp_path, hiring)
    assert content(tmp_path) == alone
    (workers,) = hiring.made
    assert workers.ended
    assert workers.begun == dict.fromkeys(range(BLOCKS), 1)


def test_a_worker_that_dies_loses_nothing(
    tmp_path: Path, image: Path, alone: dict[str, object]
) -> None:
    hiring = Hiring(lambda number, time: number in (2, 6) and time == 1)
    answer(image, tmp_path, hiring)
    assert content(tmp_path) == alone
    assert {number for number, times in hiring.made[0].begun.items() if times == 2} >= {2, 6}


def test_a_window_that_kills_is_named_and_the_others_are_kept(
    tmp_path: Path, image: Path, alone: dict[str, object]
) -> None:
    hiring = Hiring(lambda number, time: number == 4)
    out = tmp_path / "out"
    with pytest.raises(InputError) as caught:
        answer(image, out, hiring)
    said = str(caught.value)
    assert f"{image} (rows 512 to 1023 and columns 512 to 1023) killed its process twice" in said
    assert hiring.made[0].ended
    assert is_unfinished(out)
    told: list[str] = []
    answer(image, out, Hiring(), tell=told.append)
    assert len(told) == 1
    assert told[0].startswith("goes on: ")
    assert content(out) == alone


def test_a_damaged_tile_is_told_as_by_one_process(tmp_path: Path) -> None:
    damaged = write_tiff(tmp_path / "image.tif", picture(*SIZE))
    damage_last_tile(damaged)
    said: list[str] = []
    for hiring in (None, Hiring()):
        with pytest.raises(InputError) as caught:
            answer(damaged, tmp_path / f"out{len(said)}", hiring)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_workers_that_see_no_such_file_are_told_of(tmp_path: Path, image: Path) -> None:
    moved = tmp_path / "image.tif"
    moved.write_bytes(image.read_bytes())

    def remove(job: Job) -> HereWorkers:
        moved.rename(tmp_path / "gone.tif")
        return HereWorkers(job, dies=lambda number, time: False)

    with pytest.raises(InputError, match=r"image\.tif"):
        answer_file(
            moved,
            tmp_path / "out",
            fit,
            method="hybrid",
            options={},
            seed=0,
            spread=spread(remove),
        )


def in_processes(job: Job) -> LocalWorkers:
    return LocalWorkers(job, workers=2, seat=Seat(), preload=PRELOAD)


def test_with_processes(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="the extra bigimage is not installed")
    image = write_tiff(tmp_path / "image.tif", picture(600, 1100))
    region = tmp_path / "region.tif"
    inside = np.ones((600, 1100), np.uint8)
    inside[:100, 300:] = 0
    tifffile.imwrite(region, inside)

    def answered(out: Path, **options: Any) -> None:
        answer_file(
            image,
            out,
            fit_clustering,
            method="clustering",
            options={},
            seed=0,
            region=region,
            probabilities=True,
            form="zarr",
            **options,
        )

    answered(tmp_path / "spread", spread=spread(in_processes))
    answered(tmp_path / "alone")
    assert content(tmp_path / "spread") == content(tmp_path / "alone")


def fit_clustering(scene: Scene, region: Scene | None) -> SceneOutcome:
    """A network that sees the region, in blocks of 512 pixels."""
    options: dict[str, Any] = {"features": 8, "max_components": 8, "iterations": 3}
    found = fit_scene(scene, "clustering", region=region, precision="float32", **options)
    cast("NetworkAnswer", found.answer).block = (512, 512)
    return found


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_scene_spreading import fit, in_processes
from segmint.engines.scene_spreading import spread
from segmint.inference.answer_file import answer_file

answer_file(
    sys.argv[1], sys.argv[2], fit, method="hybrid", options={}, seed=0,
    spread=spread(in_processes), progress=lambda done, total: print(done, flush=True),
)
"""


def test_a_driver_that_is_killed_goes_on(
    tmp_path: Path, image: Path, alone: dict[str, object]
) -> None:
    out = tmp_path / "out"
    words = [sys.executable, "-c", SCRIPT, str(image), str(out), str(Path(__file__).parent)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "2":
                break
        process.kill()
    assert is_unfinished(out)
    told: list[str] = []
    answer(image, out, Hiring(), tell=told.append)
    assert len(told) == 1
    assert told[0].startswith("goes on: ")
    assert content(out) == alone


@dataclass(frozen=True)
class FitAnew:
    """As runs are opened in each worker; of a device they are told there."""

    device: str

    def __call__(self, scene: Scene, region: Scene | None, seat: Seat) -> SceneOutcome:
        assert (seat.device, seat.workers) == (self.device, 2)
        return fit(scene, region)


def test_what_answers_can_be_made_by_each_worker(
    tmp_path: Path, image: Path, alone: dict[str, object]
) -> None:
    def told_of_a_device(job: Job) -> HereWorkers:
        return HereWorkers(job, dies=lambda number, time: False, device="cpu")

    of = spread(told_of_a_device, fit=FitAnew("cpu"))
    answer_file(image, tmp_path, fit, method="hybrid", options={}, seed=0, spread=of)
    assert content(tmp_path) == alone
