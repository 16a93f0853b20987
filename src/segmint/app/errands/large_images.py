"""Large images: shown by what fits on a page, answered window by window.

For opening, ``is_large`` tells which they are from the header alone, and ``overview_picture`` draws
one without decoding it whole; for drawing, ``draw_large_labels`` does the same for its result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.app.errand import Telling
from segmint.app.errands.opened_runs import RunChoice, described, opened, places_hidden
from segmint.app.errands.window_work import WindowWork
from segmint.app.views.scene_labels import check_slice, write_scene_label_view
from segmint.app.views.scene_overviews import overview_of, upright_plane
from segmint.errors import UsageError
from segmint.images.normalization import display_rgb
from segmint.images.opening_scenes import can_stream, open_scene
from segmint.inference.memory_limit import MemoryLimit
from segmint.methods.storage import read_record

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome

Picture = NDArray[np.uint8]

_MOST_FINE_CHANNELS = 4
"""Up to so many are read at twice the size of the view, for a sharper picture."""


def is_large(path: Path, max_whole: int) -> bool:
    """Whether an image has more pixels than are held in memory, and can be read window by window.

    Args:
        path: the file.
        max_whole: the most pixels that are held, slices included.

    Raises:
        InputError: when its header is damaged.
    """
    if not can_stream(path):
        return False
    with open_scene(path, skip_bad=True) as scene:
        return math.prod(scene.shape) > max_whole


def overview_picture(path: Path, *, view: tuple[int, int], plane: int = 0) -> Picture:
    """A slice of an image as the page shows it, drawn without decoding the image whole.

    Args:
        path: the file.
        view: height and width of the picture, of the slice as it stands upright.
        plane: which slice of a stack.

    Returns:
        uint8 RGB (height, width, 3).

    Raises:
        InputError: for a damaged image, or when there is no such slice.
    """
    from PIL import Image as Pillow

    with open_scene(path) as scene:
        check_slice(scene, plane)
        finer = 2 if scene.channels <= _MOST_FINE_CHANNELS else 1
        pixels = upright_plane(scene, overview_of(scene, finer * max(view), plane))
    drawn = Pillow.fromarray(display_rgb(pixels))
    return np.asarray(drawn.resize(view[::-1], Pillow.Resampling.BOX))


def draw_large_labels(views: Path, fit: Path, path: Path, index: int = 0) -> Path:
    """Draw a slice of the labels of a large image.

    Args:
        views: folder of the views of the answer.
        fit: folder of the result.
        path: the image.
        index: which slice of a stack.

    Returns:
        The file.

    Raises:
        InputError: when a file is damaged, or there is no such slice.
        OutputError: when the view cannot be written.
    """
    return write_scene_label_view(views, fit / read_record(fit)["labels"], path, index)


def segment_large(
    telling: Telling,
    *,
    path: str,
    name: str,
    fit: str,
    result: str,
    views: str,
    method: str,
    preset: str | None = None,
    options: Mapping[str, Any],
    seed: int = 0,
    scribbles: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    max_memory: str | None = None,
) -> dict[str, Any]:
    """Segment an image window by window, after a preview of it reduced.

    Args:
        telling: of the preview and of the blocks that are done.
        path: the image.
        name: of the image, as its visitor knows it.
        fit: folder for the result as it was computed.
        result: folder for the files that are offered.
        views: folder for the views of this answer.
        method: one that sees a scene part by part.
        preset: a named set of options of the method.
        options: of the method, those that were given.
        seed: of everything random.
        scribbles: None; they need the whole image.
        device: where networks compute.
        precision: of their arithmetic.
        max_memory: what the process may hold, as ``2GiB``.

    Returns:
        The facts of the answer; there are no probabilities, and nothing can be changed by hand.

    Raises:
        InputError: for an image that cannot be used.
        UsageError: for a method that needs the whole image, an option that it does not take, and
            when the visitor stopped it.
    """
    from segmint.methods import methods
    from segmint.methods.segment import check_scene_abilities, fit_scene, segment

    check_scene_abilities(method, scribbles=scribbles is not None)
    resolved = methods.load(method).resolve(preset, options)
    how = {"preset": preset, "seed": seed, "device": device, "precision": precision, **options}
    limit = MemoryLimit.of(max_memory)

    def by_window(scene: Scene, region: Scene | None) -> SceneOutcome:
        return fit_scene(scene, method, region=region, limit=limit, **how)

    guides = {"scribbles": None, "unlabelled": 255, "region": None}
    work = WindowWork(telling, Path(path), name, fit=Path(fit))
    work.preview(lambda image: segment(image, method, **how).labels)
    record = work.run(
        by_window,
        method=method,
        options={**resolved.resolved(), "preset": preset, **guides},
        seed=seed,
        identity={"precision": precision, "device": device},
    )
    return work.shown(record, result=Path(result), views=Path(views))


def predict_large(
    telling: Telling,
    path: Path,
    name: str,
    *,
    fit: Path,
    result: Path,
    views: Path,
    choice: RunChoice,
    uncertainty: bool,
) -> dict[str, Any]:
    """Answer an image by runs window by window, after a preview of it reduced.

    Args:
        telling: of the preview and of the blocks that are done.
        path: the image.
        name: of the image, as its visitor knows it.
        fit: folder for the result as it was computed.
        result: folder for the files that are offered.
        views: folder for the views of this answer.
        choice: who answers.
        uncertainty: False; it needs the whole image.

    Returns:
        As :func:`segment_large`.

    Raises:
        InputError: for an image or a run that cannot be used.
        UsageError: for an option that the run does not take, for uncertainty, and when the visitor
            stopped it.
    """
    if uncertainty:
        raise UsageError(
            "--uncertainty needs the whole image in memory, and this one is read window by "
            "window: leave it out, or give a smaller image"
        )
    with places_hidden(choice.places):
        answering = opened(choice)
        work = WindowWork(telling, path, name, fit=fit)
        work.preview(lambda image: answering.segment(image).labels)
        record = work.run(
            lambda scene, _: answering.of_scene(scene),
            method=answering.method,
            options=described(answering.described),
            seed=answering.seed,
            identity=answering.identity,
        )
    return work.shown(record, result=result, views=views)
