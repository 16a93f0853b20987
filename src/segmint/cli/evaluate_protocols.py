"""The scores of a field for label maps and masks in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError, UsageError
from segmint.images import read_image
from segmint.images.map_reading import find_maps, read_maps
from segmint.images.masks import is_labels_file, read_masks, read_prediction
from segmint.images.spacing import read_spacing
from segmint.methods.segmentation import RESULT
from segmint.methods.storage import read_record
from segmint.metrics.calibration_protocol import NO_PROBABILITIES
from segmint.metrics.protocol import Case, LooksAt
from segmint.metrics.protocol_scores import ProtocolScorer, misfit, unscored
from segmint.metrics.surface_distances import checked_spacing

if TYPE_CHECKING:
    from segmint.cli.protocol_options import ProtocolOptions
    from segmint.metrics.protocol_scores import ProtocolScores

_OBJECTS = ("instances", "boundaries")
_CALIBRATION = "calibration"
_PROBABILITIES = (_CALIBRATION, "membranes")
_STRENGTHS = "boundaries"
_SURFACES = "surfaces"


@dataclass(frozen=True, kw_only=True)
class Files:
    """One image to be scored."""

    name: str
    prediction: Path
    mask: Path
    matching: Mapping[int, int] | None = None
    """The class of each label, where labels were given classes; None where they have them."""


def check_files(
    images: Sequence[Files], options: ProtocolOptions, class_names: Sequence[str]
) -> None:
    """Refuse what can be known not to fit before anything is scored.

    Args:
        images: at least one.
        options: what was asked.
        class_names: as for :func:`score_files`.

    Raises:
        InputError: for a protocol of what no prediction has.
        UsageError: for options that no protocol uses, or a spacing of other axes than the first
            prediction.
    """
    options.check_used(options.asked)
    _check_objects(options.asked, class_names, images[0])
    if _CALIBRATION in options.asked and not any(_maps(files) for files in images):
        raise InputError(misfit(_CALIBRATION, images[0].name, NO_PROBABILITIES))
    if options.steps is not None:
        try:
            labels = read_prediction(images[0].prediction)
        except InputError:
            return  # told when it is scored
        if len(options.steps) != labels.ndim:
            raise UsageError(_other_axes(options.steps, labels, images[0]))


def score_files(
    images: Sequence[Files],
    options: ProtocolOptions,
    *,
    ignore_index: int | None,
    class_names: Sequence[str],
) -> tuple[tuple[ProtocolScores, ...], list[str]]:
    """Score files by the protocols that were asked for.

    Args:
        images: at least one.
        options: what was asked.
        ignore_index: value of the masks that is not counted, or None.
        class_names: of a run whose classes the predictions hold; empty for others.

    Returns:
        The scores, and why images or protocols that ought to fit could not be scored, one sentence
        each.

    Raises:
        UsageError: for an unknown protocol.
    """
    scorer = ProtocolScorer(options.asked, changed=options.changed())
    failures = []
    for files in images:
        try:
            given = _given(files, options, ignore_index=ignore_index, class_names=class_names)
            scorer.add(files.name, partial(_case_of, given, files))
        except InputError as error:
            failures.append(f"{files.name} is not scored by every protocol: {error}")
    scores = scorer.scores()
    return scores, failures + unscored(scores, options.asked)


def names_in(mask: Path) -> tuple[str, ...]:
    """Names of the classes of a prepared file; other masks have none."""
    return read_image(mask).class_names if mask.suffix.lower() == ".npz" else ()


def _given(
    files: Files,
    options: ProtocolOptions,
    *,
    ignore_index: int | None,
    class_names: Sequence[str],
) -> Case:
    """Everything that the files of an image hold."""
    names = tuple(class_names) or names_in(files.mask)
    labels = read_prediction(files.prediction)
    return Case(
        name=files.name,
        labels=labels,
        masks=read_masks(files.mask, ignore_index=ignore_index),
        ignore_index=ignore_index,
        spacing=_spacing(files, options.steps, labels) if _SURFACES in options.asked else None,
        probabilities=_probabilities(files) if _any_of(_PROBABILITIES, options.asked) else None,
        strengths=_strengths(files) if _STRENGTHS in options.asked else None,
        class_names=names,
    )


def _case_of(given: Case, files: Files, looks_at: LooksAt) -> Case:
    """What is given, with classes in place of matched components where they are scored."""
    if files.matching is None:
        return given
    if looks_at == "classes":
        # What stands for no class must not look like one: beyond all names, or the background.
        nothing = len(given.class_names)
        same = all(component == value for component, value in files.matching.items())
        return replace(
            given,
            labels=_renamed(given.labels, files.matching, nothing),
            probabilities=given.probabilities if same else None,
        )
    if looks_at == "probabilities" and given.probabilities is not None and len(given.masks) == 1:
        return _with_maps_of_classes(given, given.probabilities, files.matching)
    return given


def _renamed(
    labels: NDArray[np.integer], matching: Mapping[int, int], nothing: int
) -> NDArray[np.int64]:
    values, places = np.unique(labels, return_inverse=True)
    named = [value if value < 0 else matching.get(value, nothing) for value in values.tolist()]
    return np.array(named, np.int64)[places].reshape(labels.shape)


def _with_maps_of_classes(
    given: Case, maps: NDArray[np.float32], matching: Mapping[int, int]
) -> Case:
    """A map for each class of the mask, and after them those that stand for none."""
    (mask,) = given.masks
    values = np.unique(mask).tolist()
    classes = [value for value in values if value >= 0 and value != given.ignore_index]
    place = {value: number for number, value in enumerate(classes)}
    alone = [number for number in range(len(maps)) if matching.get(number) not in place]
    found = np.zeros((len(classes) + len(alone), *maps.shape[1:]), np.float32)
    for component, value in matching.items():
        if component < len(maps) and value in place:
            found[place[value]] += maps[component]
    found[len(classes) :] = maps[alone]
    return replace(
        given,
        masks=(_renamed(mask, place, -1),),
        ignore_index=None,
        probabilities=found,
        class_names=(),
    )


def _check_objects(asked: Sequence[str], class_names: Sequence[str], first: Files) -> None:
    """Refuse classes where objects are scored."""
    found = [name for name in asked if name in _OBJECTS]
    if class_names and found:
        raise InputError(
            f"{first.prediction} holds classes of a run ({', '.join(class_names[:3])}) and "
            f"--protocol {found[0]} is of numbered objects or segments: score the run by 'segmint "
            "evaluate RUN DATA', which makes them of classes"
        )


def _spacing(
    files: Files, asked: tuple[float, ...] | None, labels: NDArray[np.integer]
) -> tuple[float, ...] | None:
    """What was asked for, or the mask tells, or else the prediction or its record.

    Raises:
        InputError: for a spacing of other axes, or a damaged one in the record.
    """
    if asked is not None:
        if len(asked) != labels.ndim:
            raise InputError(_other_axes(asked, labels, files))
        return asked
    found = read_spacing(files.mask) or read_spacing(files.prediction)
    if found is not None or not is_labels_file(files.prediction):
        return found
    told: Any = _record(files).get("spacing")
    if told is None:
        return None
    try:
        return tuple(checked_spacing(told, labels.ndim).tolist())
    except UsageError as error:
        raise InputError(
            f"{files.prediction.with_name(RESULT)} is damaged ({error}), or pass --spacing"
        ) from error


def _other_axes(steps: Sequence[float], labels: NDArray[np.integer], files: Files) -> str:
    return (
        f"--spacing has {len(steps)} lengths and {files.prediction} {labels.ndim} axes: give "
        f"{labels.ndim}"
    )


def _maps(files: Files) -> Path | None:
    """The file of the probabilities beside a prediction."""
    if not is_labels_file(files.prediction):
        return None
    return find_maps(files.prediction.with_name("probabilities"))


def _probabilities(files: Files) -> NDArray[np.float32] | None:
    path = _maps(files)
    return None if path is None else read_maps(path)


def _strengths(files: Files) -> NDArray[np.float32] | None:
    path = files.prediction.with_name("hierarchy.npz")
    if not is_labels_file(files.prediction) or not path.is_file():
        return None
    from segmint.regions.contour_map import contour_strengths
    from segmint.regions.storage import load_hierarchy

    return contour_strengths(load_hierarchy(path))


def _record(files: Files) -> dict[str, Any]:
    try:
        return read_record(files.prediction.parent)
    except InputError:
        return {}


def _any_of(names: Sequence[str], asked: Sequence[str]) -> bool:
    return any(name in asked for name in names)
