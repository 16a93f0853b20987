"""A Gaussian mixture of the colors of a scene: counted in one pass, or learned from a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.images.image import Image
from segmint.images.normalization import ChannelMap
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.images.window import Window
from segmint.inference.scene_answer import SceneOutcome
from segmint.methods.method import Task
from segmint.mixtures.color_counts import ColorCounts, bits_of
from segmint.mixtures.distinct import codes_of, pixels_of
from segmint.mixtures.standardized import parts
from segmint.solvers.answer_block import answer_block
from segmint.solvers.expectation_maximization import LearnedMixture, learn_mixture
from segmint.solvers.mixture_data import MixtureData, mixture_data
from segmint.solvers.scene_sample import check_any, sampled_values

if TYPE_CHECKING:
    from segmint.methods.em_gmm import GaussianMixtureOptions

SAMPLE = 2_000_000
"""Pixels, or distinct colors, that a mixture is fitted to at most."""
_ROWS = 1 << 16
"""Pixels that are looked up or computed together, so that they stay in cache."""
_RESPONSIBILITIES = 1 << 23
"""Probabilities that are held together."""
_UNKNOWN = 255
"""No component: there are at most 255."""

Counts = NDArray[np.int64]


def gaussian_mixture_of_scene(
    scene: Scene, options: GaussianMixtureOptions, task: Task
) -> SceneOutcome:
    """What segments a scene, or a stack, by the likeliest component of each pixel.

    Pixels of at most 24 bits, as 8-bit RGB, are counted color by color in one pass, so that the
    mixture is that of all pixels; of others a sample is taken.
    """
    pixels = ScenePixels(scene=scene, region=task.scene_region)
    if ColorCounts.can_count(scene.dtype, scene.channels):
        return _of_colors(pixels, options, task)
    return _of_sample(pixels, options, task)


def _of_colors(pixels: ScenePixels, options: GaussianMixtureOptions, task: Task) -> SceneOutcome:
    colors, counts = _counted(pixels)
    data = _data(pixels, colors, options, task)
    mapping = _mapping(colors, counts, data)
    some, often, notes = _few(colors, counts, task.seed)
    learned = learn_mixture(mapping(some), often, data, options, task)
    answer = ColorAnswer(mapping, learned, colors, scene=pixels.scene)
    return _outcome(answer, data, learned, (*notes, *data.absent(answer.areas(colors, counts))))


def _of_sample(pixels: ScenePixels, options: GaussianMixtureOptions, task: Task) -> SceneOutcome:
    if pixels.scene.dtype.kind == "f":
        examined(pixels)
    sample = sampled_values(pixels, SAMPLE, task.seed)
    values = sample.inside()
    data = _data(pixels, values, options, task)
    mapping = data.map_of(values)
    learned = learn_mixture(mapping(values), None, data, options, task)
    answer = PixelAnswer(mapping=mapping, learned=learned)
    return _outcome(answer, data, learned, (f"the mixture was fitted to {sample.said}",))


def _counted(pixels: ScenePixels) -> tuple[NDArray[Any], Counts]:
    """Distinct colors (n, C) of a scene and how often each occurs (n,).

    Raises:
        InputError: when no pixel counts.
    """
    scene = pixels.scene
    counter = ColorCounts(scene.dtype, scene.channels)
    for plane in range(scene.planes):
        for _, values, counting in pixels.windows(plane):
            whole = bool(counting.all())
            counter.add(values.reshape(-1, scene.channels) if whole else values[counting])
    colors, counts = counter.result()
    check_any(scene, len(colors))
    return colors, counts


def _few(
    colors: NDArray[Any], counts: Counts, seed: int
) -> tuple[NDArray[Any], Counts, tuple[str, ...]]:
    """The colors, or those of a sample of pixels at an even step through the ordered colors."""
    if len(colors) <= SAMPLE:
        return colors, counts, ()
    ends = np.cumsum(counts)
    start = np.random.default_rng(seed).random()
    places = ((np.arange(SAMPLE) + start) / SAMPLE * ends[-1]).astype(np.int64)
    often = np.bincount(np.searchsorted(ends, places, side="right"), minlength=len(colors))
    taken = often > 0
    note = (
        f"the mixture was fitted to {SAMPLE:,} pixels at an even step through the {len(colors):,} "
        "distinct colors in order; normalization counts all pixels"
    )
    return colors[taken], often[taken].astype(np.int64), (note,)


def _mapping(colors: NDArray[Any], counts: Counts, data: MixtureData) -> ChannelMap:
    """The normalization of the scene; of many colors channel by channel, to save memory."""
    if len(colors) <= SAMPLE:
        return data.map_of(colors, counts)
    maps = [_of_channel(column, counts, data) for column in colors.T]
    return replace(
        maps[0],
        offset=np.concatenate([each.offset for each in maps]),
        slope=np.concatenate([each.slope for each in maps]),
    )


def _of_channel(column: NDArray[Any], counts: Counts, data: MixtureData) -> ChannelMap:
    values, places = np.unique(column, return_inverse=True)
    often = np.bincount(places, weights=counts).astype(np.int64)
    return data.map_of(values[:, np.newaxis], often)


def _data(
    pixels: ScenePixels, values: NDArray[Any], options: GaussianMixtureOptions, task: Task
) -> MixtureData:
    """What the options make of values (n, C) that stand for the scene."""
    image = Image(pixels=values[np.newaxis], channel_names=pixels.scene.channel_names)
    return mixture_data(image.pixels, options, replace(task, image=image, region=None))


def _outcome(
    answer: ColorAnswer | PixelAnswer,
    data: MixtureData,
    learned: LearnedMixture,
    notes: tuple[str, ...],
) -> SceneOutcome:
    return SceneOutcome(
        answer=answer,
        order=data.order,
        names=data.names(),
        mixture=data.table(learned.mixture),
        history=learned.history,
        notes=(*learned.notes, *notes),
    )


class ColorAnswer:
    """Answers from a table of all colors, one byte each.

    Args:
        mapping: the normalization.
        learned: the mixture.
        colors: (n, C) that occur where the mixture was fitted; others are computed when met.
        scene: what has such colors.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, mapping: ChannelMap, learned: LearnedMixture, colors: NDArray[Any], *, scene: Scene
    ) -> None:
        self.classes = len(learned.mixture.weights)
        self.block = answer_block(self.classes)
        self._mapping, self._learned = mapping, learned
        self._dtype, self._channels = scene.dtype.newbyteorder("="), scene.channels
        bits = bits_of(scene.dtype, scene.channels)
        self._table = np.full(1 << bits, _UNKNOWN, np.uint8)
        self._fill(colors)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.uint8]:
        """(h, w), 0 to K - 1."""
        pixels = self._pixels(scene, window, plane)
        found = np.empty(len(pixels), np.uint8)
        for part in parts(len(pixels), _ROWS):
            np.take(self._table, codes_of(pixels[part]), out=found[part], mode="clip")
        unknown = np.flatnonzero(found == _UNKNOWN)
        if len(unknown):
            codes = codes_of(pixels[unknown])
            self._fill(pixels_of(np.unique(codes), self._dtype, self._channels))
            found[unknown] = self._table[codes]
        return found.reshape(window.size)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """(K, h, w)."""
        pixels = self._pixels(scene, window, plane)
        return _probabilities(self._mapping, self._learned, pixels).reshape(-1, *window.size)

    def areas(self, colors: NDArray[Any], counts: Counts) -> Counts:
        """Pixels (K,) of each component among colors (n, C) that occur so often (n,)."""
        areas = np.zeros(self.classes, np.int64)
        np.add.at(areas, self._table[codes_of(colors)], counts)
        return areas

    def _pixels(self, scene: Scene, window: Window, plane: int) -> NDArray[Any]:
        """(n, C) in the byte order of the machine."""
        pixels = scene.read(window, plane).reshape(-1, self._channels)
        return pixels.astype(self._dtype, copy=False)

    def _fill(self, colors: NDArray[Any]) -> None:
        """Write the components of colors (n, C) into the table."""
        for part in _fitting(len(colors), self.classes):
            shares = self._learned.responsibilities(self._mapping(colors[part]))
            self._table[codes_of(colors[part])] = shares.argmax(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelAnswer:
    """Answers computed for each pixel."""

    mapping: ChannelMap
    """The normalization."""
    learned: LearnedMixture
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """K."""
        return len(self.learned.mixture.weights)

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of windows that fit into the memory."""
        return answer_block(self.classes)

    def labels(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.uint8]:
        """(h, w), 0 to K - 1."""
        pixels = scene.read(window, plane).reshape(-1, scene.channels)
        found = np.empty(len(pixels), np.uint8)
        for part in _fitting(len(pixels), self.classes):
            found[part] = _shares(self.mapping, self.learned, pixels[part]).argmax(axis=1)
        return found.reshape(window.size)

    def probabilities(self, scene: Scene, window: Window, plane: int = 0) -> NDArray[np.float32]:
        """(K, h, w)."""
        pixels = scene.read(window, plane).reshape(-1, scene.channels)
        return _probabilities(self.mapping, self.learned, pixels).reshape(-1, *window.size)


def _probabilities(
    mapping: ChannelMap, learned: LearnedMixture, pixels: NDArray[Any]
) -> NDArray[np.float32]:
    """(K, n) of pixels (n, C) as stored."""
    classes = len(learned.mixture.weights)
    found = np.empty((classes, len(pixels)), np.float32)
    for part in _fitting(len(pixels), classes):
        found[:, part] = _shares(mapping, learned, pixels[part]).T
    return found


def _shares(
    mapping: ChannelMap, learned: LearnedMixture, pixels: NDArray[Any]
) -> NDArray[np.float32]:
    """(n, K) probabilities of pixels (n, C) as stored."""
    # The fit has seen that what is not finite, or too large, does not count.
    values = np.nan_to_num(mapping(pixels), copy=False, nan=0, posinf=0, neginf=0)
    # With float32 the arithmetic would depend on the values that come together.
    return learned.responsibilities(values.astype(np.float64))


def _fitting(count: int, classes: int) -> Iterator[slice]:
    """Parts of so many pixels whose probabilities are held together."""
    return parts(count, max(_RESPONSIBILITIES // classes, 1))
