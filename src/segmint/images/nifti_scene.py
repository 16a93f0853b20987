"""Uncompressed NIfTI volumes read window by window."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images import nifti
from segmint.images.checked_scene import CheckedScene, Mask
from segmint.images.decoding import Pixels, Request, decoding, quiet
from segmint.images.scene_stored_array import row_block
from segmint.images.window import Window


class NiftiScene(CheckedScene):
    """A volume as a stack along its last spatial axis; a fourth axis becomes channels.

    Args:
        request: the file, and whether its first slice alone is wanted.
        version: 1 or 2.
        skip_bad: NaN and infinite values count as unreadable, rather than as an error.

    Raises:
        InputError: when it is damaged, cut short, or not made of real numbers.
    """

    def __init__(self, request: Request, version: int, *, skip_bad: bool) -> None:
        self.skip_bad, self.source = skip_bad, request.path
        self._request = dataclasses.replace(request, max_pixels=sys.maxsize)
        self._handle = request.path.open("rb")
        try:
            self._describe(version)
        except BaseException:
            self._handle.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._handle.close()

    affine: NDArray[np.float64]
    """(4, 4) from voxel indices, in the file's order, to millimeters."""
    volume_shape: tuple[int, ...]
    """Spatial axes as they stand in the file, slices last."""

    def _describe(self, version: int) -> None:
        import nibabel
        from nibabel.filebasedimages import ImageFileError
        from nibabel.spatialimages import HeaderDataError

        kind: Any = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
        with decoding(self._request, "NIfTI"), quiet("nibabel.global"):
            try:
                self._file = kind.from_stream(self._handle)
                shape = nifti.checked_shape(self._request, self._file)
                self._check_length(shape)
                self._ndim = len(shape)
                self.height, self.width = shape[:2]
                probe, _ = self._stored(Window.whole(1, 1), 0)
            except (ImageFileError, HeaderDataError) as error:
                raise ValueError("header") from error
            self.affine = nifti.checked_affine(self._request, self._file)
        self.dtype, self.channels = probe.dtype, probe.shape[-1]
        self.block = row_block(self.size[::-1], self.dtype.itemsize)[::-1]
        self._name_axes(shape[:3])

    def _name_axes(self, spatial: tuple[int, ...]) -> None:
        spacing = tuple(float(step) for step in self._file.header.get_zooms()[: len(spatial)])
        first = self._request.pages == "first"
        slices = spatial[2] if len(spatial) == 3 else 1
        self.depth = slices if slices > 1 and not first else None
        self.volume_shape = (*spatial[:2], 1) if slices > 1 and first else spatial
        if all(0 < step < math.inf for step in spacing):
            self.spacing = (spacing[2], *spacing[:2]) if self.depth else spacing[:2]
        stored = self._file.get_data_dtype()
        if self.dtype != stored and stored.names is None:
            self.notes = (f"{stored} values scaled as the header says",)
        if self.depth:
            self.notes = (*self.notes, f"{slices} slices along the last axis read as a stack")
        elif slices > 1:
            self.notes = ("first slice read",)

    def _stored(self, window: Window, plane: int) -> tuple[Pixels, Mask | None]:
        others = (slice(None),) * max(self._ndim - 3, 0)
        index = (*window.slices, plane, *others)[: self._ndim]
        with decoding(self._request, "NIfTI"):
            values = nifti.scaled_values(self._request, self._file, index)
        return np.ascontiguousarray(values.reshape(*window.size, -1)), None

    def _check_length(self, shape: tuple[int, ...]) -> None:
        stored = self._file.get_data_dtype().itemsize * math.prod(shape)
        needed = int(self._file.dataobj.offset) + stored
        size = self._request.path.stat().st_size
        if size < needed:
            raise InputError(
                f"{self._request.path} has {size} bytes and was cut short, accepted are the "
                f"{needed} bytes that its header says: copy it again"
            )
