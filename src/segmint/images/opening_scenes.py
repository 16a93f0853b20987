"""Open an image of any size as a scene; what it is, its bytes decide."""

from __future__ import annotations

from pathlib import Path

from segmint.images import nifti
from segmint.images.array_scene import ArrayScene
from segmint.images.checked_scene import NotByWindowError
from segmint.images.choices import MAX_PIXELS
from segmint.images.decoding import Request
from segmint.images.reading import checked_request, format_of, read_image, start_of
from segmint.images.scene import Scene
from segmint.images.zarr_folders import is_zarr


def open_scene(
    path: str | Path, *, pages: str = "auto", skip_bad: bool = False, max_pixels: int = MAX_PIXELS
) -> Scene:
    """An image or a stack of any size, to be read window by window.

    TIFF files in tiles, strips or rows, Zarr and OME-Zarr folders, ``.npy`` and uncompressed NIfTI
    are read by window; all others are decoded at once, within ``max_pixels``. Values are those of
    :func:`segmint.images.read_image`.

    Args:
        path: the file, or the folder of a Zarr image.
        pages: what the pages of a TIFF or the slices of an array are, as for ``read_image``.
        skip_bad: damaged tiles, and values that are NaN or infinite, are left out: their values
            are 0 and ``unreadable`` marks them.
        max_pixels: the most that is decoded at once: an image that cannot be read by window, or
            one strip or chunk of an image that can.

    Raises:
        InputError: when the file is missing, damaged, not an image, or too large to be decoded at
            once.
        UsageError: for an unknown ``pages`` or a limit below 1.
    """
    request = checked_request(path, pages=pages, max_pixels=max_pixels)
    try:
        scene = _by_window(request, skip_bad=skip_bad)
    except NotByWindowError as error:
        if error.pixels > max_pixels:
            raise
        scene = None
    if scene is not None:
        return scene
    return ArrayScene(
        read_image(request.path, pages=pages, max_pixels=max_pixels), skip_bad=skip_bad
    )


def can_stream(path: str | Path, *, pages: str = "auto", max_pixels: int = MAX_PIXELS) -> bool:
    """Whether an image can be read by window, from its headers alone.

    Args:
        path: the file, or the folder of a Zarr image.
        pages: as for :func:`open_scene`.
        max_pixels: the most that is decoded at once.

    Raises:
        InputError: when it cannot be opened, or its headers are damaged.
    """
    try:
        scene = _by_window(checked_request(path, pages=pages, max_pixels=max_pixels), skip_bad=True)
    except NotByWindowError:
        return False
    if scene is None:
        return False
    scene.close()
    return True


def _by_window(request: Request, *, skip_bad: bool) -> Scene | None:
    """A scene that reads by window, or nothing for formats that cannot be read so."""
    if is_zarr(request.path):
        from segmint.images.zarr_scene import open_zarr

        return open_zarr(request, skip_bad=skip_bad)
    start = start_of(request.path)
    format_name = format_of(request.path, start)
    if format_name == "TIFF":
        from segmint.images.tiff_scene_opening import open_tiff

        return open_tiff(request, skip_bad=skip_bad)
    if format_name == "NumPy":
        from segmint.images.npy_scene import NpyScene

        return NpyScene(request, skip_bad=skip_bad)
    version = nifti.nifti_version(start) if format_name == "NIfTI" else None
    if version is not None:
        from segmint.images.nifti_scene import NiftiScene

        return NiftiScene(request, version, skip_bad=skip_bad)
    return None
