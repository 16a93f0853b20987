"""Labels and maps of a scene as TIFF files or OME-Zarr folders, from its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segmint.images.label_levels import TILE
from segmint.images.scene import Scene
from segmint.images.tiff_maps import write_tiff_maps
from segmint.images.tiff_pyramid import read_tiff_level, write_tiff_pyramid
from segmint.images.window import Window, blocks
from segmint.images.zarr_labels import read_zarr_level
from segmint.images.zarr_pyramid import write_zarr_maps, write_zarr_pyramid
from segmint.inference.block_store import BlockStore
from segmint.inference.numbering import Numbering

Form = Literal["tiff", "zarr"]
"""TIFF files or OME-Zarr folders."""

_SUFFIXES: dict[Form, str] = {"tiff": ".tif", "zarr": ".zarr"}


@dataclass(frozen=True, kw_only=True, eq=False)
class SceneFiles:
    """What writes the large files of a result."""

    scene: Scene
    store: BlockStore
    numbering: Numbering
    form: Form
    colors: NDArray[np.uint8] | None
    """(K, 3) of the ids; the fixed palette when not given."""

    @property
    def labels_name(self) -> str:
        """Name of the label file."""
        return f"labels{_SUFFIXES[self.form]}"

    def write_labels(self, folder: Path, identifier: str) -> None:
        """Write the label file.

        Args:
            folder: for the file.
            identifier: a UUID that depends on what the labels are of.
        """
        shape, spacing = self.scene.shape, self.scene.spacing
        dtype, path = self.numbering.dtype, folder / self.labels_name
        if self.form == "zarr":
            write_zarr_pyramid(
                path,
                self._ids,
                shape=shape,
                dtype=dtype,
                ids=self.numbering.ids,
                colors=self.colors,
                spacing=spacing,
            )
        else:
            write_tiff_pyramid(
                path,
                self._ids,
                shape=shape,
                dtype=dtype,
                colors=self.colors,
                spacing=spacing,
                identifier=identifier,
            )

    def write_maps(self, folder: Path, names: Mapping[int, str]) -> None:
        """Write ``probabilities`` and ``entropy``, float16, the maps in the order of the ids.

        Args:
            folder: for the files.
            names: of ids.
        """
        count = self.store.classes
        maps = [int(label) for label in self.numbering.former]
        named = [names.get(index, str(index)) for index in range(count)]
        stack = "z" if self.scene.depth is not None else ""
        suffix = _SUFFIXES[self.form]
        self._write(folder / f"probabilities{suffix}", maps, stack, "c", named)
        self._write(folder / f"entropy{suffix}", [count], stack, "", ["entropy in bits"])

    def reduced(self, folder: Path, longest: int, plane: int) -> NDArray[Any]:
        """Ids of a plane from the smallest level with a side of at least so many pixels."""
        read = read_zarr_level if self.form == "zarr" else read_tiff_level
        return read(folder / self.labels_name, longest, plane)

    def _write(
        self, path: Path, maps: list[int], stack: str, channel: str, names: list[str]
    ) -> None:
        count = (len(maps),) if channel else ()
        slices, size = self.scene.shape[:-2], self.scene.size
        if self.form == "zarr":  # which has channels before slices, and ImageJ after them

            def read(window: Window, plane: int) -> NDArray[np.float16]:
                number, within = divmod(plane, self.scene.planes)
                return self.store.map(maps[number], window, within)

            shape, axes = (*count, *slices, *size), f"{channel}{stack}yx"
            write_zarr_maps(path, read, shape=shape, axes=axes, spacing=self.scene.spacing)
        else:
            shape, axes = (*slices, *count, *size), f"{stack}{channel}yx".upper()
            write_tiff_maps(path, self._map_tiles(maps), shape=shape, axes=axes, names=names)

    def _map_tiles(self, maps: list[int]) -> Iterator[bytes]:
        for plane in range(self.scene.planes):
            for number in maps:
                for window in blocks(*self.scene.size, (TILE, TILE)):
                    yield self.store.map_bytes(number, window, plane)

    def _ids(self, window: Window, plane: int) -> NDArray[Any]:
        return self.numbering.stored(self.store.labels(window, plane))
