from __future__ import annotations

import re
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from segmint.engines.item import Item
from segmint.engines.job import Seat
from segmint.engines.outcome import Outcome
from segmint.engines.scene_job import Fit, Fitted, SceneJob, error_of
from segmint.errors import InputError, SegmintError, UsageError
from segmint.images.scene import Scene
from segmint.images.window import Window
from segmint.inference.block_answers import BlockAnswers
from segmint.inference.block_form import BlockForm
from segmint.inference.block_gathering import looks_of
from segmint.inference.block_grid import BlockGrid
from segmint.inference.scene_answer import InTiles, SceneOutcome
from segmint.inference.scene_source import SceneSource
from segmint.methods import methods
from segmint.methods.segment import fit_scene

sys.path.insert(0, str(Path(__file__).parent))
from scene_example import damage_last_tile, picture, sent, write_tiff

ABLE = [name for name in methods if methods.load(name).fit_scene is not None]
QUICK: dict[str, dict[str, Any]] = {
    "clustering": {"features": 8, "max_components": 8, "iterations": 3},
    "deepg": {"components": 3, "min_epochs": 1, "max_epochs": 2, "features": 4, "levels": 2},
    "deepsvg": {"components": 3, "min_epochs": 1, "max_epochs": 2, "features": 4, "levels": 2},
}
SIZE = (300, 560)
BLOCKS = 2


def source_of(folder: Path, *, dtype: str = "uint8", region: bool = False) -> SceneSource:
    image = write_tiff(folder / "image.tif", picture(*SIZE, dtype))
    mask = None
    if region:
        inside = np.random.default_rng(1).random(SIZE) < 0.8
        inside[:60] = False
        mask = folder / "region.tif"
        tifffile.imwrite(mask, np.uint8(inside))
    return SceneSource(image=image, region=mask)


def job_of(source: SceneSource, scene: Scene, outcome: SceneOutcome, *, maps: bool) -> SceneJob:
    answer = outcome.answer
    grid = BlockGrid.of(scene, (512, 512))
    return SceneJob(
        source=source,
        image=looks_of(scene),
        form=BlockForm(grid=grid, classes=answer.classes, channels=scene.channels, maps=maps),
        tile=answer.tile if isinstance(answer, InTiles) else None,
        fit=Fitted(outcome),
    )


def items() -> list[Item]:
    return [Item(number=number) for number in range(BLOCKS)]


def done(job: SceneJob, what: list[Item]) -> list[Outcome]:
    with closing(job.open(Seat())) as work:
        return list(work.do(what))


@pytest.mark.parametrize(
    ("dtype", "region"), [("uint8", False), ("float32", True)], ids=["bytes", "floats-in-region"]
)
@pytest.mark.parametrize("method", ABLE)
def test_each_method_answers_elsewhere_as_here(
    tmp_path: Path, method: str, dtype: str, region: bool
) -> None:
    source = source_of(tmp_path, dtype=dtype, region=region)
    with source.opened() as (scene, where):
        outcome = fit_scene(
            scene, method, region=where, precision="float32", **QUICK.get(method, {})
        )
        has_maps = method not in ("kmeans", "hybrid")
        job = job_of(source, scene, outcome, maps=has_maps)
        arrived = sent(job)
        answers = BlockAnswers(
            scene=scene,
            region=where,
            answer=outcome.answer,
            form=job.form,
            likeliest=outcome.likeliest,
        )
        expected = [job.form.encoded(index, *answers.of(index)) for index in range(BLOCKS)]
    found = done(arrived, items())
    assert [outcome.state for outcome in found] == ["done"] * BLOCKS
    assert [sent(outcome).payload for outcome in found] == expected


@dataclass(frozen=True)
class Constant:
    """An answer, and what makes it."""

    classes: int = 2
    block: tuple[int, int] = (512, 512)
    notes: tuple[str, ...] = ("constant",)
    error: str = ""

    def __call__(self, scene: Scene, region: Scene | None, seat: Seat) -> SceneOutcome:
        if self.error == "refused":
            raise UsageError("no such device here")
        return SceneOutcome(answer=self)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> np.ndarray:
        if self.error == "torch":
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        if self.error == "usage":
            raise UsageError("it has none")
        return scene.read(window, plane)[..., 0] % self.classes

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> np.ndarray:
        raise NotImplementedError


def constant_job(source: SceneSource, fit: Fit | None = None) -> SceneJob:
    with source.opened() as (scene, _):
        outcome = SceneOutcome(answer=Constant())
        return replace(job_of(source, scene, outcome, maps=False), fit=fit or Constant())


def test_what_was_decided_comes_with_a_block(tmp_path: Path) -> None:
    job = constant_job(source_of(tmp_path))
    (outcome,) = done(sent(job), items()[1:])
    assert (outcome.number, outcome.told) == (1, {"notes": ("constant",)})


def test_a_damaged_tile_fails_its_block_alone(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    damage_last_tile(source.image)
    first, second = done(constant_job(source), items())
    assert (first.state, second.state) == ("done", "failed")
    with source.opened() as (scene, _), pytest.raises(InputError) as caught:
        scene.read(Window(top=0, bottom=300, left=512, right=560))
    assert second.sentence == str(caught.value)
    assert isinstance(error_of(sent(second)), InputError)


@pytest.mark.parametrize(("error", "kind"), [("torch", MemoryError), ("usage", UsageError)])
def test_errors_keep_their_kind(tmp_path: Path, error: str, kind: type[Exception]) -> None:
    job = constant_job(source_of(tmp_path), Constant(error=error))
    (outcome,) = done(job, items()[:1])
    assert type(error_of(sent(outcome))) is kind
    assert str(error_of(outcome)) == outcome.sentence != ""


def test_a_killed_process_is_told_as_bad_input() -> None:
    found = error_of(Outcome(number=0, state="failed", sentence="it killed its process twice"))
    assert isinstance(found, InputError)


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    job = constant_job(source)
    write_tiff(source.image, picture(SIZE[0], SIZE[1] + 1))
    with pytest.raises(
        InputError,
        match=r"another image here \(300 x 561 pixels of 3 uint8 in [\d,]+ bytes\) than where",
    ):
        job.open(Seat())
    source.image.unlink()
    with pytest.raises(InputError, match=re.escape(str(source.image))):
        job.open(Seat())


@pytest.mark.parametrize(
    ("fit", "said"),
    [(Constant(classes=3), "3 classes here and 2 where"), (Constant(error="refused"), "no such")],
)
def test_an_answer_that_is_not_the_same_is_refused(
    tmp_path: Path, fit: Constant, said: str
) -> None:
    job = constant_job(source_of(tmp_path), fit)
    with pytest.raises(SegmintError, match=said):
        job.open(Seat())


def test_an_unknown_device_is_refused(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    with source.opened() as (scene, _):
        outcome = fit_scene(scene, "clustering", precision="float32", **QUICK["clustering"])
        job = sent(job_of(source, scene, outcome, maps=False))
    with pytest.raises(UsageError, match="cuda:99"):
        job.open(Seat(device="cuda:99"))
