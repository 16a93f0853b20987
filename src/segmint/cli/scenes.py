"""Images that do not fit into memory: which they are, and the same commands window by window."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from segmint.cli import console
from segmint.cli.guide_files import matching_file
from segmint.cli.inputs import InputOptions, SceneOptions
from segmint.engines.item import Item
from segmint.errors import UsageError
from segmint.images.opening_scenes import can_stream, open_scene
from segmint.inference.memory_limit import MemoryLimit
from segmint.solvers.epoch_line import clock_time

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.answer_file import Form
    from segmint.inference.elsewhere import Elsewhere
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.inference.scene_source import SceneSource

SECONDS_BETWEEN_LINES = 30.0
"""Of progress, where it is not shown on a terminal."""


@dataclass(frozen=True, kw_only=True)
class ScenesByWindow:
    """Answers images that do not fit into memory, and writes them window by window."""

    fit: Callable[[Scene, Scene | None], SceneOutcome]
    """``fit(scene, region)``: how its windows are answered."""
    bytes_a_pixel: Callable[[Scene], float]
    """What the ordinary way would hold for each pixel."""
    scenes: SceneOptions
    inputs: InputOptions
    limit: MemoryLimit
    method: str
    options: Mapping[str, Any]
    """Of the method, as the record says them."""
    seed: int
    region: str | None = None
    """Mask, or folder of masks."""
    probabilities: bool = False
    identity: Mapping[str, Any] = field(default_factory=dict)
    """What decides the labels beside the options, so that only the same work is gone on with."""
    refused: Mapping[str, bool] = field(default_factory=dict)
    """Options that only whole images can be answered with, and whether they were given."""
    spread: Callable[[SceneSource], Elsewhere] | None = None
    """Has windows answered by others."""

    def takes(self, path: Path) -> bool:
        """Whether the file must or shall be answered window by window."""
        if self.scenes.stream != "auto" or self.scenes.skip_bad or os.path.isdir(path):  # noqa: PTH112 (too long)
            return True
        if not can_stream(path):
            return False
        with open_scene(path, pages=self.inputs.pages, skip_bad=True) as scene:
            pixels = scene.planes * scene.height * scene.width
            whole = pixels * self.bytes_a_pixel(scene)
            return pixels * -(-scene.channels // 4) > self.inputs.max_pixels or (
                whole > self.limit.left()
            )

    def segment(self, item: Item, folder: Path) -> dict[str, Any]:
        """Answer the file and write its folder; what the record in it says."""
        from segmint.inference.answer_file import answer_file

        path = Path(item.image)
        refused = {**self.refused, "a file of scribbles": item.scribbles is not None}
        for name, given in refused.items():
            if given:
                raise UsageError(
                    f"{name} needs the whole image in memory: leave it out, or raise --max-memory "
                    "and leave out --stream and --skip-bad"
                )
        named = {} if item.region is None else {"region": item.region}
        return answer_file(
            path,
            folder,
            self.fit,
            method=self.method,
            options={**self.options, **named},
            seed=self.seed,
            region=matching_file(item.region or self.region, path, "region"),
            probabilities=self.probabilities,
            form=cast("Form", self.scenes.stream),
            pages=self.inputs.pages,
            skip_bad=self.scenes.skip_bad,
            max_pixels=self.inputs.max_pixels,
            identity=self.identity,
            progress=None if self.inputs.quiet else _Progress(path),
            spread=self.spread,
            tell=None if self.inputs.quiet else lambda said: console.say(f"{path}: {said}"),
        )


class _Progress:
    """A line now and then: blocks done, and the time left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start: tuple[float, int] | None = None
        self._said = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done)
        if now - self._said < SECONDS_BETWEEN_LINES or done >= total:
            return
        self._said = now
        start, before = self._start
        left = (now - start) / max(done - before, 1) * (total - done)
        console.say(f"{self._path}: {done} of {total} blocks, {clock_time(left)} left")
