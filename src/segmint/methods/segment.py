"""``segment``: from an array to a segmentation, by any method."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.devices import check_arithmetic, memory_errors
from segmint.errors import InputError, UsageError
from segmint.images import Image, check_finite, check_region, to_unit_range
from segmint.methods import DEFAULT_METHOD, methods
from segmint.methods.method import BY_AREA, Method, Observer, Outcome, Task, WarmStart
from segmint.methods.segmentation import Segmentation
from segmint.options import Options
from segmint.regions.ordering import order_by_area

if TYPE_CHECKING:
    from segmint.images.scene import Scene
    from segmint.inference.memory_limit import MemoryLimit
    from segmint.inference.scene_answer import SceneOutcome

UNLABELLED = 255
"""Value of pixels without a scribble."""

LEAST_OF_SCENES = 192 * 2**20
"""Bytes beside what the process holds: blocks of the file, counters of colors, a window."""

_LARGEST_ID = np.iinfo(np.int32).max


def segment(
    image: ArrayLike | Image,
    method: str = DEFAULT_METHOD,
    *,
    preset: str | None = None,
    scribbles: ArrayLike | None = None,
    unlabelled: int = UNLABELLED,
    region: ArrayLike | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    observe: Observer | None = None,
    save_model: str | None = None,
    warm: WarmStart | None = None,
    **options: Any,
) -> Segmentation:
    """Segment an image without labels, or from a few scribbles.

    Args:
        image: (H, W) or (H, W, C), any integer or float type; or an ``Image``, whose stacks are
            segmented slice by slice, or as a whole by mixtures.
        method: a name that ``segmint list`` shows under methods.
        preset: a named set of options of the method, for example ``kim2020`` for ``clustering``.
        scribbles: (H, W) integer id of each scribbled pixel, ``unlabelled`` elsewhere; at least
            two ids. Components keep the ids of their scribbles.
        unlabelled: value of pixels without a scribble.
        region: (H, W) boolean, or (D, H, W) for a stack: where to look; a prepared file brings
            its own.
        seed: of everything random; the same seed gives the same labels on the same machine.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``, of networks.
        observe: called with the iteration and the labels as they are, by methods that iterate.
        save_model: file for the learned network, for methods that learn one.
        warm: the same object in every call on an image makes later ones quicker, as those with
            more scribbles; labels are the same.
        options: of the method, for example ``components=5``.

    Raises:
        InputError: for an image, region or scribbles that cannot be used.
        UsageError: for an unknown method, preset or option, or a value out of range.

    Example:
        >>> checkers = np.kron([[0, 255], [255, 0]], np.ones((16, 16))).astype(np.uint8)
        >>> segment(checkers, method="kmeans", components=2).components
        2
    """
    chosen: Method = methods.load(method)
    resolved = chosen.resolve(preset, options)
    check_arithmetic(seed, device, precision)
    source = image if isinstance(image, Image) else Image.from_array(image)
    check_abilities(method, scribbles=scribbles is not None, save_model=save_model is not None)
    where = checked_region(source, region)
    task = Task(
        scribbles=_checked_scribbles(source, scribbles, unlabelled, where),
        region=where,
        seed=seed,
        device=device,
        precision=precision,
        observe=observe,
        save_model=save_model,
        image=source,
        warm=warm,
    )
    check_finite(source, task.region)
    start = time.perf_counter()
    with memory_errors():
        outcome = _outcome(chosen, source, resolved, task)
    if task.scribbles is not None and outcome.order is None:
        outcome = replace(outcome, order=BY_AREA)
    return segmentation_of(
        outcome,
        method=method,
        options={**resolved.resolved(), "preset": preset},
        seed=seed,
        seconds=time.perf_counter() - start,
    )


def fit_scene(
    scene: Scene,
    method: str = DEFAULT_METHOD,
    *,
    preset: str | None = None,
    region: Scene | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    save_model: str | None = None,
    limit: MemoryLimit | None = None,
    **options: Any,
) -> SceneOutcome:
    """Learn from one pass or a stated sample of a scene, and say how to answer any window of it.

    Args:
        scene: an image, or a stack, that need not fit into memory.
        method: one that sees a scene part by part, as ``em-gmm``.
        preset: a named set of options of the method.
        region: of the scene's size; values other than 0 are where to look.
        seed: of everything random; the same seed gives the same answers on the same machine.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: ``auto``, ``float32`` or ``bfloat16``, of networks.
        save_model: file for the learned network, for methods that learn one.
        limit: of the memory that windows may take.
        options: of the method, for example ``components=5``.

    Raises:
        InputError: for a scene or a region that cannot be used.
        UsageError: for a method that has to see the whole image at once, an unknown preset or
            option, or a value out of range.
    """
    chosen: Method = methods.load(method)
    resolved = chosen.resolve(preset, options)
    check_arithmetic(seed, device, precision)
    check_abilities(method, scribbles=False, save_model=save_model is not None)
    fit = _fit_of(method)
    _check_scene_region(scene, region)
    _check_limit(limit, method)
    task = Task(
        seed=seed,
        device=device,
        precision=precision,
        save_model=save_model,
        scene_region=region,
        limit=limit,
    )
    with memory_errors():
        return fit(scene, resolved, task)


def _check_limit(limit: MemoryLimit | None, method: str) -> None:
    """Refuse a limit below what a pass over a scene and a table of colors take."""
    from segmint.inference.memory_limit import held_memory

    if limit is not None and limit.total - held_memory() < LEAST_OF_SCENES:
        needed = (held_memory() + LEAST_OF_SCENES) / 2**30
        raise UsageError(
            f"--max-memory is {limit.total / 2**30:.2f} GiB, but method {method!r} needs at least "
            f"{needed + 0.01:.2f} GiB: give that"
        )


def check_scene_abilities(method: str, *, scribbles: bool = False) -> None:
    """Refuse what a method cannot do window by window.

    Raises:
        UsageError: names the methods that can, or says that scribbles need the whole image.
    """
    _fit_of(method)
    if scribbles:
        raise UsageError(
            "scribbles are for images that are held in memory, not for one that is read window by "
            "window: leave --scribbles out or give a smaller image"
        )


def segmentation_of(
    outcome: Outcome, *, method: str, options: Mapping[str, Any], seed: int, seconds: float
) -> Segmentation:
    """What was found with how it was found; ids without an order of their own go by area."""
    labels, compute = outcome.labels, outcome.probabilities
    if outcome.order is None:
        labels, former = order_by_area(labels)
        if compute is not None:
            compute = _reordered(compute, former)
    return Segmentation(
        labels=labels,
        method=method,
        options=options,
        seed=seed,
        seconds=seconds,
        history=outcome.history,
        notes=outcome.notes,
        hierarchy=outcome.hierarchy,
        compute_probabilities=compute,
        compute_uncertainty=outcome.uncertainty,
        order=outcome.order or BY_AREA,
        names=outcome.names,
        colors=outcome.colors,
        mixture=outcome.mixture,
        maps=outcome.maps,
    )


def checked_region(image: Image, region: ArrayLike | None) -> NDArray[np.bool_] | None:
    """Where to look: what was given, else what the image's file says.

    Raises:
        InputError: for a region that is empty or of another shape.
    """
    if region is None:
        region = image.region
    if region is None:
        return None
    where = np.asarray(region)
    if where.dtype != np.bool_:
        where = where != 0
    check_region(image.pixels, where)
    return where


def _fit_of(method: str) -> Callable[[Scene, Any, Task], SceneOutcome]:
    chosen: Method = methods.load(method)
    if chosen.fit_scene is not None:
        return chosen.fit_scene
    able = [name for name in methods if methods.load(name).fit_scene is not None]
    raise UsageError(
        f"method {method!r} has to see the whole image at once, and this one is read window by "
        f"window: use {', '.join(able[:-1])} or {able[-1]}, or give a smaller image"
    )


def _check_scene_region(scene: Scene, region: Scene | None) -> None:
    if region is not None and region.shape != scene.shape:
        raise InputError(
            f"region has shape {region.shape} and the image {scene.shape}, "
            "accepted is a region of the image's shape: pass the one that belongs to it"
        )


def check_abilities(method: str, *, scribbles: bool, save_model: bool) -> None:
    """Refuse what a method cannot do.

    Raises:
        UsageError: names the methods that can.
    """
    chosen: Method = methods.load(method)
    if scribbles and not chosen.takes_scribbles:
        able = [name for name in methods if methods.load(name).takes_scribbles]
        raise UsageError(f"method {method!r} takes no scribbles: use {' or '.join(able)}")
    if save_model and not chosen.saves_model:
        able = [name for name in methods if methods.load(name).saves_model]
        raise UsageError(f"method {method!r} learns no network to save: use {' or '.join(able)}")


def check_scribble_shape(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """Refuse scribbles of another size than the image.

    Raises:
        InputError: names both.
    """
    if shape != expected:
        raise InputError(
            f"scribbles have shape {shape} and the image {expected}: "
            "draw them on an image of the same size"
        )


def _outcome(method: Method, image: Image, options: Options, task: Task) -> Outcome:
    if method.takes_volumes:
        return method.segment(image.pixels, options, task)
    pixels = to_unit_range(image.pixels)
    if not image.is_stack:
        return method.segment(pixels, options, task)
    if task.save_model is not None:
        raise UsageError("--save-model keeps the network of one image: give one slice of the stack")
    slices = []
    for index, plane in enumerate(pixels):
        region = None if task.region is None else task.region[index]
        if region is not None and not region.any():
            slices.append(np.full(plane.shape[:2], -1, np.int32))
            continue
        alone = replace(task, region=region, observe=None, warm=None)
        outcome = method.segment(plane, options, alone)
        labels, _ = order_by_area(outcome.labels)
        slices.append(labels)
    return Outcome(
        labels=_stacked(slices),
        notes=(f"{len(slices)} slices segmented one by one: no component spans two slices",),
    )


def _stacked(slices: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Slices with ids of their own."""
    offset = 0
    stacked = []
    for labels in slices:
        stacked.append(np.where(labels < 0, -1, labels + offset).astype(np.int32))
        offset += int(labels.max(initial=-1)) + 1
    return np.stack(stacked)


def _reordered(compute: Any, former: NDArray[np.int64]) -> Any:
    return lambda: compute()[former]


def _checked_scribbles(
    image: Image,
    scribbles: ArrayLike | None,
    unlabelled: int,
    region: NDArray[np.bool_] | None,
) -> NDArray[np.int32] | None:
    if scribbles is None:
        return None
    marks = np.asarray(scribbles)
    expected = image.pixels.shape[:-1]
    if image.is_stack:
        raise UsageError("scribbles are for one image, not for a stack: give one slice")
    check_scribble_shape(marks.shape, expected)
    if not np.issubdtype(marks.dtype, np.integer):
        raise InputError(f"scribbles are {marks.dtype}, accepted are whole numbers (ids)")
    known = marks != unlabelled
    if region is not None:
        known &= region
    ids = np.unique(marks[known])
    for outside in ids[(ids < 0) | (ids > _LARGEST_ID)][:1]:
        raise InputError(
            f"scribbles hold the id {outside}, accepted are 0 to {_LARGEST_ID}: renumber them"
        )
    if len(ids) < 2:
        held = f"only the id {ids[0]}" if len(ids) else f"no id beside {unlabelled}"
        where = "" if region is None else " inside the region"
        raise InputError(
            f"scribbles hold {held}{where}, at least two ids are needed to tell areas apart: "
            f"scribble a second area (pixels without a scribble are {unlabelled})"
        )
    if known.all() if region is None else known[region].all():
        raise InputError(
            "scribbles give every pixel an id, so nothing is left to find: say with --unlabelled "
            f"which value means unknown (it is {unlabelled} now)"
        )
    return np.where(known, marks.astype(np.int32), np.int32(-1))
