"""Images of one shape that go together in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.cli.collection_work import CollectionWork
from segmint.cli.inputs import InputOptions, RunOptions, SceneOptions
from segmint.cli.segment_job import SegmentJob
from segmint.cli.segment_options import SegmentOptions
from segmint.engines.item import Item
from segmint.errors import InputError
from segmint.images import Image
from segmint.methods.segmentation import Segmentation


class Pairs:
    """Two images of one shape at a time; a black one spoils its pair."""

    def __init__(self, job: SegmentJob) -> None:
        self.job = job
        self.groups: list[list[str]] = []

    def at_once(self, image: Image) -> int:
        return 2

    def segment(
        self, images: Sequence[tuple[Item, Image]]
    ) -> list[tuple[Segmentation, Mapping[str, bytes]]]:
        self.groups.append([item.name for item, _ in images])
        if any(not image.pixels.any() for _, image in images):
            raise InputError("it is black")
        return [self.job.segment(image, item) for item, image in images]


@pytest.fixture
def job(here: Path) -> SegmentJob:
    return SegmentJob(
        options=SegmentOptions(method="felzenszwalb"),
        inputs=InputOptions(out="out", quiet=True),
        how=RunOptions(),
        scenes=SceneOptions(),
        given={},
    )


def test_groups_by_shape_and_what_spoils_one(here: Path, job: SegmentJob) -> None:
    random = np.random.default_rng(0)
    sizes = [(20, 30), (24, 24), (20, 30), (20, 30), (20, 30), (20, 30)]
    for number, size in enumerate(sizes):
        pixels = random.integers(0, 255, (*size, 3)).astype(np.uint8)
        Pillow.fromarray(pixels * (number != 3)).save(f"{number}.png")
    (here / "6.png").write_text("no picture")
    items = [Item(number=number, image=f"{number}.png", name=f"{number}") for number in range(7)]
    pairs = Pairs(job)
    work = CollectionWork(job=job, work=replace(job.images(), together=pairs))
    outcomes = {outcome.number: outcome for outcome in work.do(items)}
    assert pairs.groups == [["0", "2"], ["3", "4"], ["3"], ["4"], ["1"], ["5"]]
    assert {number for number, each in outcomes.items() if each.state == "failed"} == {3, 6}
    assert outcomes[3].sentence == "3.png: it is black"
    assert all((here / "out" / f"{number}" / "labels.png").exists() for number in (0, 1, 2, 4, 5))
