"""The errand ``segment``: an image without labels, or from scribbles, watched while it learns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.app.desks.picture_name import download_name
from segmint.app.errand import Telling
from segmint.app.errands.answers import write_answer
from segmint.app.errands.held import held, stamp
from segmint.app.errands.held_images import opened_image
from segmint.app.errands.result_links import link_result
from segmint.app.views.view import label_png, nearest, upright_size, view_size
from segmint.app.visitor_options import visitor_options
from segmint.images import Image
from segmint.images.viewing import upright
from segmint.methods import methods
from segmint.methods.method import BY_AREA, Method, Outcome, WarmStart
from segmint.methods.segment import UNLABELLED, checked_region, segment, segmentation_of
from segmint.methods.segmentation import Segmentation

_LAST_ITERATIONS = ("iterations", "max_epochs")
"""Options that say how many iterations there are at most."""

_LEAST_SECONDS = 0.15
"""Between two frames; an eye follows no more, and each takes some milliseconds."""


def segment_picture(
    telling: Telling,
    *,
    path: str,
    name: str,
    fit: str,
    result: str,
    views: str,
    method: str,
    preset: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    scribbles: str | None = None,
    device: str = "auto",
    precision: str = "auto",
    large: bool = False,
    max_memory: str | None = None,
) -> dict[str, Any]:
    """Segment an image as ``segmint segment`` does; its files are the same to the byte.

    Args:
        telling: of iterations and of labels as they are; stopped, the labels stay as they are.
        path: the image.
        name: what its visitor calls it.
        fit: folder for the result.
        result: folder for the files that are offered.
        views: folder for the views of the answer.
        method: that ``segmint list`` shows.
        preset: of the method.
        options: of the method, those given.
        seed: of everything random.
        scribbles: PNG of ids, 255 where nothing is known.
        device: as for :func:`segmint.segment`.
        precision: as for :func:`segmint.segment`.
        large: whether the image is answered window by window.
        max_memory: that this may hold, as 2GiB.

    Returns:
        What :func:`segmint.app.errands.answers.write_answer` says.

    Raises:
        InputError: for an image or scribbles that cannot be used.
        UsageError: for an unknown method, preset or option, or a value out of range.
    """
    how: dict[str, Any] = {
        "method": method,
        "preset": preset,
        "seed": seed,
        "device": device,
        "precision": precision,
    }
    given = visitor_options(method, options or {})
    if large:
        from segmint.app.errands.large_images import segment_large

        return segment_large(
            telling,
            path=path,
            name=name,
            fit=fit,
            result=result,
            views=views,
            options=given,
            scribbles=scribbles,
            max_memory=max_memory,
            **how,
        )
    image = opened_image(Path(path), name)
    marks = None if scribbles is None else _read_scribbles(Path(scribbles))
    warm = _warm_start(Path(path))
    found, stopped = _segmented(telling, image, marks, warm, how, given)
    guides = {
        "scribbles": None if scribbles is None else download_name(name, "scribbles.png"),
        "unlabelled": UNLABELLED,
        "region": None,
    }
    found = replace(found, options={**found.options, **guides})
    _save(found, image, Path(fit))
    link_result(Path(fit), Path(result))
    return write_answer(found, image, views=Path(views), result=Path(result), stopped=stopped)


def _segmented(
    telling: Telling,
    image: Image,
    marks: NDArray[np.int32] | None,
    warm: WarmStart,
    how: Mapping[str, Any],
    given: Mapping[str, Any],
) -> tuple[Segmentation, int | None]:
    """The segmentation, and the iteration at which it was stopped by hand."""
    chosen: Method = methods.load(how["method"])
    resolved = chosen.resolve(how["preset"], given)
    watch = _Watch(telling, image, _last_iteration(resolved))
    start = time.perf_counter()
    try:
        return segment(image, scribbles=marks, observe=watch, warm=warm, **how, **given), None
    except _StoppedError as ended:
        found = segmentation_of(
            _as_it_is(ended, image, marks),
            method=how["method"],
            options={**resolved.resolved(), "preset": how["preset"]},
            seed=how["seed"],
            seconds=time.perf_counter() - start,
        )
        return found, ended.iteration


class _StoppedError(Exception):
    """Ends a method in the middle: the visitor has seen enough."""

    def __init__(self, iteration: int, labels: NDArray[np.int32]) -> None:
        super().__init__(iteration)
        self.iteration = iteration
        self.labels = labels


class _Watch:
    """Shows labels as they are, and ends the method when that is asked for."""

    def __init__(self, telling: Telling, image: Image, last: int | None) -> None:
        self._telling = telling
        self._view = view_size(*upright_size(image))
        self._turn = upright(image)[1]
        self._last = last
        self._shown = -np.inf

    def __call__(self, iteration: int, labels: NDArray[np.int32]) -> None:
        if self._telling.is_stopped:
            raise _StoppedError(iteration, labels.copy())
        self._telling.progress(iteration, self._last, "iterations")
        now = time.monotonic()
        if now - self._shown < _LEAST_SECONDS:
            return
        self._shown = now
        shown = nearest(self._turn(labels), self._view)
        self._telling.frame(label_png(shown), iteration, self._last)


def _as_it_is(ended: _StoppedError, image: Image, marks: NDArray[np.int32] | None) -> Outcome:
    """The labels of an unfinished method, at the size of the image."""
    from segmint.regions.ordering import name_by_scribbles

    labels = np.array(nearest(ended.labels, (image.height, image.width)), np.int32)
    region = checked_region(image, None)
    if region is not None:
        labels[~region] = -1
    notes = (f"stopped by hand after iteration {ended.iteration}",)
    if marks is None:
        return Outcome(labels=labels, notes=notes)
    known = marks != UNLABELLED
    if region is not None:
        known &= region
    named = name_by_scribbles(labels, np.where(known, marks, -1).astype(np.int32))
    return Outcome(labels=named, notes=notes, order=BY_AREA)


def _save(found: Segmentation, image: Image, fit: Path) -> None:
    from segmint.reports.panel_files import panel_files

    found.save(fit, image, files=panel_files(image, found))


def _read_scribbles(path: Path) -> NDArray[np.int32]:
    from segmint.images.masks import read_masks

    return read_masks(path, ignore_index=None, colors=False)[0]


def _last_iteration(options: Any) -> int | None:
    found = (getattr(options, name, None) for name in _LAST_ITERATIONS)
    return next((last for last in found if last is not None), None)


def _warm_start(path: Path) -> WarmStart:
    """What methods found out about this image before."""
    return held.get(("warm", *stamp(path)), WarmStart, size=lambda warm: warm.nbytes)
