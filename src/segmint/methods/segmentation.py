"""A segmentation as the user holds it: labels, how they came about, and how to keep them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmint.errors import UsageError
from segmint.images import (
    Image,
    component_table,
    display_rgb,
    draw_overlay,
    entropy_of,
    save_picture,
    write_components_csv,
    write_labels,
)
from segmint.images.viewing import fullest_slice, upright
from segmint.methods.hand_changes import (
    MERGED_BY_HAND,
    checked_names,
    joined_ids,
    merge_note,
    merged_labels,
    merged_probabilities,
)
from segmint.methods.method import BY_AREA
from segmint.methods.mixture_files import write_mixture
from segmint.methods.mixture_table import MixtureTable
from segmint.methods.result_record import result_record
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.ordering import counted_ids, order_by_area
from segmint.regions.storage import save_hierarchy
from segmint.runs import atomic_path, staged_folder, write_json

RESULT = "result.json"
"""The record of a result; written last, so that its presence means that the result is whole."""

FILES = (
    "labels.png",
    "labels.tif",
    "labels.nii.gz",
    "labels.zarr",
    "overlay.png",
    "components.csv",
    "hierarchy.npz",
    "mixture.csv",
    "history.png",
    "probabilities.tif",
    "probabilities.nii.gz",
    "probabilities.zarr",
    "entropy.tif",
    "entropy.nii.gz",
    "entropy.zarr",
    "uncertainty.tif",
    "uncertainty.nii.gz",
    "uncertainty.png",
    "panels.png",
    "progress.gif",
)
"""Every other file that a result may have; those of an earlier result go when it is replaced."""

_LEAST_BITS = 0.1
"""Where the scale of the uncertainty ends at the lowest: below it networks all but agree."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Segmentation:
    """What a method made of an image.

    Components are numbered from the largest to the smallest, those of equal area in reading order;
    with scribbles the ids of the scribbles are kept, and mixtures have an ``order`` of their own.
    """

    labels: NDArray[np.int32]
    """(H, W), or (D, H, W) for a stack; -1 outside the region."""
    method: str
    options: Mapping[str, Any]
    """All options with their values."""
    seed: int
    seconds: float
    history: tuple[dict[str, float], ...] = ()
    """One row an iteration, for methods that iterate."""
    notes: tuple[str, ...] = ()
    """What was decided on the way, one sentence each."""
    hierarchy: RegionHierarchy | None = None
    """Regions and merge tree, for methods that have them."""
    compute_probabilities: Callable[[], NDArray[np.float32]] | None = field(
        default=None, repr=False
    )
    compute_uncertainty: Callable[[], NDArray[np.float32]] | None = field(default=None, repr=False)
    order: str = BY_AREA
    """What the ids are ordered by."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of ids, where components are known classes."""
    colors: NDArray[np.uint8] | None = None
    """(K, 3) RGB color of each id, where classes have colors of their own."""
    mixture: MixtureTable | None = None
    """Weights, means and variances, of mixtures."""
    maps: bool = False
    """Whether :meth:`save` writes the probabilities and their entropy."""
    uncertainty_map: bool = False
    """Whether :meth:`save` writes the uncertainty, and a picture of it."""

    @cached_property
    def probabilities(self) -> NDArray[np.float32] | None:
        """(K, H, W) or (K, D, H, W) float32 that sum to 1, computed when first asked for.

        None for hard methods; 0 outside the region for mixtures.
        """
        return None if self.compute_probabilities is None else self.compute_probabilities()

    @property
    def entropy(self) -> NDArray[np.float32] | None:
        """(H, W) or (D, H, W), how undecided each pixel is, in bits; None for hard methods."""
        return None if self.probabilities is None else entropy_of(self.probabilities)

    @cached_property
    def uncertainty(self) -> NDArray[np.float32] | None:
        """(H, W) or (D, H, W), where several networks disagree, computed when first asked for.

        The mutual information in bits between the class of a pixel and the network that is asked:
        the entropy of their mean minus the mean of their entropies. None where one network, or no
        network, answered.
        """
        return None if self.compute_uncertainty is None else self.compute_uncertainty()

    @property
    def components(self) -> int:
        """How many components the labels have."""
        return len(self._ids)

    def with_components(self, components: int) -> Segmentation:
        """The same fit cut into exactly so many components.

        Raises:
            UsageError: when the method keeps no merge tree, or has fewer regions than that.
        """
        if self.hierarchy is None:
            raise UsageError(
                f"a result of {self.method!r} has no merge tree to cut again: {self._instead()}"
            )
        hierarchy = self.hierarchy.with_components(components)
        labels, _ = order_by_area(hierarchy.labels)
        return replace(
            self,
            labels=labels,
            hierarchy=hierarchy,
            options={**self.options, "components": components},
            names={},
            compute_probabilities=None,
            compute_uncertainty=None,
        )

    def with_merged(self, groups: Sequence[Sequence[int]]) -> Segmentation:
        """The same labels with groups of components joined by hand.

        The components of a group become the one with the smallest id, under its name; other ids
        stay as they are, so that some are missing afterwards. Probabilities of a group add up in
        the row of its smallest id and are 0 in its others. The result keeps no merge tree and no
        mixture, which would speak of other components: cut first, then merge.

        Args:
            groups: two or more ids each; groups that share an id are one.

        Raises:
            UsageError: for an id that does not occur, or a group of fewer than two.

        Example:
            >>> found = Segmentation(
            ...     labels=np.array([[0, 1, 2]], np.int32), method="kmeans", options={}, seed=0,
            ...     seconds=0.0)
            >>> found.with_merged([(2, 0)]).labels.tolist()
            [[0, 1, 0]]
        """
        joined = joined_ids(groups, self._ids)
        if not joined:
            return self
        return replace(
            self,
            labels=merged_labels(self.labels, joined),
            hierarchy=None,
            mixture=None,
            order=MERGED_BY_HAND,
            notes=(*self.notes, merge_note(joined)),
            names={index: name for index, name in self.names.items() if index not in joined},
            compute_probabilities=merged_probabilities(self.compute_probabilities, joined),
            compute_uncertainty=None,
            uncertainty_map=False,
        )

    def with_names(self, names: Mapping[int, str]) -> Segmentation:
        """The same components under names given by hand, beside those they have.

        Args:
            names: of ids that occur; one line of at most 64 letters each.

        Raises:
            UsageError: for an id that does not occur, or a name that is empty or too long.

        Example:
            >>> found = Segmentation(
            ...     labels=np.array([[0, 1]], np.int32), method="kmeans", options={}, seed=0,
            ...     seconds=0.0)
            >>> found.with_names({1: "cup"}).names
            {1: 'cup'}
        """
        if not names:
            return self
        named = {**self.names, **checked_names(names, self._ids)}
        mixture = None if self.mixture is None else replace(self.mixture, names=named)
        return replace(self, names=dict(sorted(named.items())), mixture=mixture)

    def changed(
        self,
        *,
        components: int | None = None,
        merged: Sequence[Sequence[int]] = (),
        names: Mapping[int, str] | None = None,
    ) -> Segmentation:
        """The same fit changed by hand: cut, then merged, then named.

        Args:
            components: as for :meth:`with_components`; not cut again when not given.
            merged: as for :meth:`with_merged`, ids of that cut.
            names: as for :meth:`with_names`, of ids that are left.

        Raises:
            UsageError: as these three.
        """
        found = self if components is None else self.with_components(components)
        return found.with_merged(merged).with_names(names or {})

    def overlay(self, image: ArrayLike) -> NDArray[np.uint8]:
        """uint8 RGB (H, W, 3): the image under translucent colors and outlines.

        Args:
            image: (H, W) or (H, W, C) that the labels belong to; of a stack the slice with the
                most components is drawn.
        """
        stack = self.labels.ndim == 3
        return self._overlay(Image.from_array(image, stack=stack))

    def save(
        self,
        folder: str | Path,
        image: ArrayLike | Image | None = None,
        *,
        files: Mapping[str, bytes] | None = None,
        lean: bool = False,
    ) -> Path:
        """Write the result into a folder.

        Files: ``labels.png`` (or ``.tif``, ``.nii.gz``), with an image also ``overlay.png`` and
        ``components.csv``, with a hierarchy ``hierarchy.npz``, of a mixture ``mixture.csv``,
        ``history.png``, where asked for ``probabilities`` and ``entropy``, and ``uncertainty`` with
        a picture of it, and last ``result.json``. They replace those of an earlier result.

        Args:
            folder: made when missing.
            image: what the labels belong to.
            files: content of further files by name, for example ``progress.gif``.
            lean: leave out ``overlay.png`` and ``hierarchy.npz``, which take the most room.

        Returns:
            The folder.

        Raises:
            OutputError: when a file cannot be written; what is there is whole.
        """
        folder = Path(folder)
        source = None
        if image is not None:
            stack = self.labels.ndim == 3
            source = image if isinstance(image, Image) else Image.from_array(image, stack=stack)
        with staged_folder(folder, last=RESULT, replaces=FILES) as stage:
            labels = write_labels(stage / "labels", self.labels, like=source, colors=self.colors)
            if source is not None:
                if not lean:
                    save_picture(stage / "overlay.png", self._overlay(source))
                components = component_table(
                    source.pixels, self.labels, names=self.names, colors=self.colors
                )
                channels = source.channel_names or None
                write_components_csv(stage / "components.csv", components, channels=channels)
            if self.hierarchy is not None and not lean:
                save_hierarchy(stage / "hierarchy.npz", self.hierarchy)
            if self.mixture is not None:
                write_mixture(stage, self.mixture, self.history)
            if self.maps:
                self._write_maps(stage, source)
            if self.uncertainty_map:
                self._write_uncertainty(stage, source)
            for name, content in (files or {}).items():
                with atomic_path(stage / name) as temporary:
                    temporary.write_bytes(content)
            write_json(stage / RESULT, self._record(source, labels.name))
        return folder

    def _write_maps(self, folder: Path, image: Image | None) -> None:
        from segmint.images.maps import write_maps

        probabilities, entropy = self.probabilities, self.entropy
        assert probabilities is not None
        assert entropy is not None
        names = [self.names.get(index, str(index)) for index in range(len(probabilities))]
        write_maps(folder / "probabilities", probabilities, like=image, names=names)
        write_maps(folder / "entropy", entropy, like=image, names=["entropy in bits"], single=True)

    def _write_uncertainty(self, folder: Path, image: Image | None) -> None:
        from segmint.images.map_picture import draw_map
        from segmint.images.maps import write_maps

        bits = self.uncertainty
        assert bits is not None
        names = ["mutual information in bits"]
        write_maps(folder / "uncertainty", bits, like=image, names=names, single=True)
        if image is not None:
            pixels, values, labels = self._for_the_eye(image, bits, self.labels)
            drawn = draw_map(
                display_rgb(pixels),
                values,
                title="where the networks disagree",
                label="mutual information (bits)",
                inside=labels >= 0,
                least_top=_LEAST_BITS,
            )
            save_picture(folder / "uncertainty.png", drawn)

    @property
    def _ids(self) -> NDArray[np.int64]:
        """The ids that occur, in order."""
        return counted_ids(self.labels)[0]

    def _instead(self) -> str:
        """What to do where there is no merge tree."""
        if self.order == MERGED_BY_HAND:
            return "components of it were merged by hand, so cut the result that it was made from"
        if self.mixture is not None:
            return "segment once more with --components"
        if self.labels.ndim == 3:
            return "it is a stack, so segment once more with --components, which counts per slice"
        if self.options.get("scribbles"):
            return "its components are those of the scribbles, so draw others"
        return "segment once more with --components, by hybrid or clustering and without scribbles"

    def __repr__(self) -> str:
        size = "x".join(str(side) for side in self.labels.shape)
        return f"<Segmentation by {self.method}: {self.components} components, {size} pixels>"

    def _overlay(self, image: Image) -> NDArray[np.uint8]:
        pixels, labels = self._for_the_eye(image, self.labels)
        return draw_overlay(display_rgb(pixels), labels, colors=self.colors)

    def _for_the_eye(self, image: Image, *maps: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Pixels of the image and maps of its shape, upright; of a stack its fullest slice."""
        image, turn = upright(image)
        planes = [image.pixels, *map(turn, maps)]
        if self.labels.ndim == 3:
            index = fullest_slice(turn(self.labels))
            planes = [plane[index] for plane in planes]
        pixels, *others = planes
        if image.channel_names:  # sequences, which are no colors
            pixels = pixels[..., :1]
        return (pixels, *others)

    def _record(self, image: Image | None, labels: str) -> dict[str, Any]:
        source = None
        notes = list(self.notes)
        if image is not None:
            source = None if image.source is None else str(image.source)
            notes = [*image.notes, *notes]
        return result_record(
            image=source,
            labels=labels,
            shape=self.labels.shape,
            spacing=None if image is None else image.spacing,
            method=self.method,
            options=self.options,
            seed=self.seed,
            components=self.components,
            order=self.order,
            names=self.names,
            mixture=self.mixture,
            seconds=self.seconds,
            notes=notes,
            history=self.history,
        )
