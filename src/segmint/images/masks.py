"""Ground truth and label maps from files, and which mask belongs to which prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmint.errors import InputError
from segmint.images.choices import MAX_PIXELS
from segmint.images.decoding import Request, check_pixel_count, decoding, quiet
from segmint.images.mask_names import partners, some_of
from segmint.images.npy import load_array
from segmint.images.prepared import read_prepared
from segmint.images.reading import read_image
from segmint.images.zarr_labels import SUFFIX as ZARR
from segmint.images.zarr_labels import is_zarr, read_zarr_labels

MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".nii", ".nii.gz", ".npy", ".npz", ".mat")
_ARRAY_SUFFIXES = (".npy", ".npz", ".mat")
_MOST_COLORS = 4096
_ROUNDING = 1e-4
_INDEX_MODES = ("1", "P")
_MIN_IS_WHITE, _PALETTE = 0, 3  # photometric interpretations of TIFF


def read_masks(
    path: str | Path, *, ignore_index: int | None = 255, colors: bool = True
) -> tuple[NDArray[np.int32], ...]:
    """Read a file of ground truth.

    Values are kept as they are in the file: the indices of a palette, the values of an 8- or
    16-bit image, 0 and 1 of a 1-bit image (1 is white). An 8-bit black and white mask thus holds 0
    and 255, and is scored with ``ignore_index=None``. A color gets the number that the PASCAL VOC
    palette gives it, continued to all colors: the same in every file, black is 0, the VOC void is
    255; an RGB file that is grey throughout keeps its grey values.

    Args:
        path: a PNG, BMP, TIFF, NIfTI, NumPy, prepared (``.npz``), Zarr or Berkeley ``.mat`` file.
        ignore_index: the value that will not be counted, or None; Berkeley files have no such
            value, so a segment of that number gets a free one.
        colors: give colors of an RGB file their numbers; without it such a file is refused.

    Returns:
        One (H, W) or (D, H, W) array for each annotator; only ``.mat`` files hold several.

    Raises:
        InputError: for a file that is absent, damaged, of another kind, or no mask.
    """
    path = Path(path)
    request = Request(path=path, pages="stack", max_pixels=MAX_PIXELS)
    if is_zarr(path):
        return (_whole_numbers(read_zarr_labels(path), path),)
    if not path.is_file():
        raise InputError(f"{path} is no file, accepted is one mask file: check the path")
    if suffix_of(path) == ".mat":
        masks = [_whole_numbers(mask, path) for mask in _read_berkeley(request)]
        return tuple(_without_value(mask, ignore_index) for mask in masks)
    if suffix_of(path) == ".npy":
        return (_whole_numbers(load_array(request), path),)
    if suffix_of(path) == ".npz":
        return (_read_prepared_mask(path),)
    indices = _read_indices(request)
    if indices is None:
        indices = _read_values(path, colors=colors)
    return (_whole_numbers(indices, path),)


def read_stored(path: str | Path) -> NDArray[Any]:
    """Read one mask as it is stored, colors as colors.

    Returns:
        (H, W) whole numbers, or (H, W, 3) uint8 for an RGB picture, grey ones included.

    Raises:
        InputError: as :func:`read_masks`, and for stacks and files of several annotators.
    """
    path = Path(path)
    if suffix_of(path) in _ARRAY_SUFFIXES or not path.is_file():
        masks = read_masks(path, ignore_index=None)
    else:
        stored = _read_indices(Request(path=path, pages="stack", max_pixels=MAX_PIXELS))
        if stored is None:
            pixels = _read_pixels(path)
            if pixels.shape[2:] == (3,) and pixels.dtype == np.uint8:
                return pixels
            stored = _one_value(pixels, path)
        masks = (_whole_numbers(stored, path),)
    shapes = [" x ".join(map(str, mask.shape)) for mask in masks]
    if len(masks) > 1 or masks[0].ndim - masks[0].shape.count(1) > 2:
        raise InputError(
            f"{path} holds masks of {', '.join(shapes)}, accepted is one (H, W): save one mask for "
            "each image"
        )
    return masks[0].reshape(masks[0].shape[-2:])


def read_prediction(path: str | Path) -> NDArray[np.int32]:
    """Read a label map: one that segmint wrote (``labels.*``, -1 outside the region) or any mask.

    Raises:
        InputError: as ``read_masks``, and for a file of several annotators.
    """
    path = Path(path)
    if is_labels_file(path):
        from segmint.images.labels import read_labels

        return np.asarray(read_labels(path), dtype=np.int32)
    masks = read_masks(path, ignore_index=None)
    if len(masks) > 1:
        raise InputError(
            f"{path} holds {len(masks)} annotations, a prediction is one: give a label map"
        )
    return masks[0]


def pair_files(predictions: str | Path, masks: str | Path) -> list[tuple[str, Path, Path]]:
    """Find the mask of each prediction.

    Two single files are a pair whatever their names. Otherwise names are compared without
    suffix, and without endings such as ``_mask``, ``_gt`` or ``_labels``. Masks that no
    prediction asks for are left alone, so that a part of a data set can be scored.

    Args:
        predictions: a label file, a folder of label files, a result folder (with ``labels.png``,
            ``labels.tif`` or another suffix in it), or a folder of result folders.
        masks: a mask file, or a folder of them.

    Returns:
        Name, prediction and mask of each pair, sorted by name.

    Raises:
        InputError: when a file or folder is absent, a prediction has no mask or more than one, or
            two predictions have the same one.
    """
    pairs, missing = pair_files_with_masks(predictions, masks)
    if missing:
        raise InputError(
            f"{len(missing)} of {len(missing) + len(pairs)} predictions in {predictions} have no "
            f"mask in {masks}: {some_of(missing)}; add their masks or remove them"
        )
    return pairs


def pair_files_with_masks(
    predictions: str | Path, masks: str | Path
) -> tuple[list[tuple[str, Path, Path]], list[str]]:
    """As :func:`pair_files`, leaving out predictions without a mask, unless none has one.

    Returns:
        The pairs, and the names of the predictions that have no mask.

    Raises:
        InputError: as :func:`pair_files`.
    """
    predictions, masks = Path(predictions), Path(masks)
    found, truths = _named_files(predictions), _named_files(masks)
    if _single_file(predictions) and _single_file(masks):
        return [(found[0][0], found[0][1], truths[0][1])], []
    fitting = partners([name for name, _ in found], truths)
    missing = [name for (name, _), files in zip(found, fitting, strict=True) if not files]
    if len(missing) == len(found):
        raise InputError(
            f"no prediction has a mask of its name: predictions are {some_of(missing)}, masks are "
            f"{some_of([name for name, _ in truths])}; name them alike (cat.png and cat_mask.png)"
        )
    pairs = []
    for (name, file), files in zip(found, fitting, strict=True):
        if len(files) > 1:
            raise InputError(
                f"prediction {name} fits {len(files)} masks in {masks}, accepted is one: keep one "
                f"of {some_of([mask.name for mask in files])}"
            )
        if files:
            pairs.append((name, file, files[0]))
    _check_each_mask_once(pairs)
    return sorted(pairs), missing


def is_labels_file(path: Path) -> bool:
    """Whether the name is that of a label map segmint wrote: ``labels.png``, ``labels.nii.gz``."""
    return stem_of(path) == "labels"


def stem_of(path: Path) -> str:
    """The file name without its suffix, ``.nii.gz`` being one suffix."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def suffix_of(path: Path) -> str:
    """The suffix in lower case, ``.nii.gz`` in one piece."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def _read_values(path: Path, *, colors: bool) -> NDArray[Any]:
    """One value a pixel from a grey, 16-bit or colored picture, or from a volume."""
    pixels = _read_pixels(path)
    if pixels.shape[-1] == 3 and pixels.dtype == np.uint8:
        return _color_numbers(pixels, path, colors=colors)
    return _one_value(pixels, path)


def _read_pixels(path: Path) -> NDArray[Any]:
    with path.open("rb") as handle:
        if handle.read(3) == b"\xff\xd8\xff":
            raise InputError(
                f"{path} is a JPEG file, which changes label values, accepted are PNG, BMP, TIFF, "
                "NIfTI, NumPy and .mat masks: use the original mask"
            )
    return read_image(path, pages="stack").pixels


def _one_value(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    if pixels.shape[-1] == 1:
        return np.asarray(pixels[..., 0])
    raise InputError(
        f"{path} holds {pixels.shape[-1]} channels of {pixels.dtype}, accepted is one value for "
        "each pixel or 8-bit RGB: save one channel as a mask"
    )


def _color_numbers(pixels: NDArray[np.uint8], path: Path, *, colors: bool) -> NDArray[Any]:
    """The number of each color (..., 3), or the grey value when nothing is colored."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return np.asarray(red)
    if not colors:
        raise InputError(
            f"{path} is a color picture, accepted is one id for each pixel: save it as 8-bit grey "
            "or with a palette, the ids as values"
        )
    # Bits 0, 1, 2 of a number are the top bits of red, green, blue; bits 3, 4, 5 the next; so on.
    value = np.arange(256)
    spread = np.zeros(256, dtype=np.int32)
    for bit in range(8):
        spread |= ((value >> (7 - bit) & 1) << (3 * bit)).astype(np.int32)
    numbers: NDArray[np.int32] = spread[red] | spread[green] << 1 | spread[blue] << 2
    count = np.unique(numbers).size
    if count > _MOST_COLORS:
        raise InputError(
            f"{path} holds {count} distinct colors, a mask has at most {_MOST_COLORS}: give the "
            "mask and not the picture, saved without smoothing"
        )
    return numbers


def _read_indices(request: Request) -> NDArray[Any] | None:
    """The indices of a palette picture or the bits of a 1-bit one, (H, W); None for others."""
    with request.path.open("rb") as handle:
        start = handle.read(4)
    if start[:2] in (b"II", b"MM"):
        return _read_tiff_indices(request)
    if start != b"\x89PNG" and start[:2] != b"BM":
        return None
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.PngImagePlugin import PngImageFile

    kind = PngImageFile if start == b"\x89PNG" else BmpImageFile
    with decoding(request, kind.format), quiet("PIL"), request.path.open("rb") as handle:
        picture = kind(handle)
        if picture.mode not in _INDEX_MODES:
            return None
        check_pixel_count(request, (picture.height, picture.width), 1)
        return np.array(picture)


def _read_tiff_indices(request: Request) -> NDArray[Any] | None:
    import tifffile
    from PIL.TiffImagePlugin import TiffImageFile

    with decoding(request, "TIFF"), quiet("tifffile"), request.path.open("rb") as handle:
        with tifffile.TiffFile(handle, _multifile=False) as file:
            series = file.series[0]
            page = series.keyframe
            if page.photometric != _PALETTE and page.bitspersample != 1:
                return None
            check_pixel_count(request, series.shape, 1)
            if page.compression in tifffile.TIFF.DECOMPRESSORS:
                stored = series.asarray()
                return (
                    ~stored
                    if stored.dtype == bool and page.photometric == _MIN_IS_WHITE
                    else stored
                )
            pages = [int(each.index) for each in series.pages if each is not None]
        handle.seek(0)
        picture = TiffImageFile(handle)
        frames = []
        for index in pages:
            picture.seek(index)
            frames.append(np.array(picture))
        return np.stack(frames) if len(frames) > 1 else frames[0]


def _read_prepared_mask(path: Path) -> NDArray[np.int32]:
    mask = read_prepared(path).mask
    assert mask is not None
    return mask


def _read_berkeley(request: Request) -> list[NDArray[Any]]:
    """The segmentations of all annotators in a ground truth file of BSDS300 or BSDS500."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        with decoding(request, "MATLAB"), quiet("scipy"):
            try:
                cells = loadmat(request.path)["groundTruth"].ravel()
                masks = [np.asarray(cell["Segmentation"][0, 0]) for cell in cells]
            except MatReadError as error:
                raise ValueError("not a MATLAB file") from error
            if not masks or any(mask.ndim != 2 for mask in masks):
                raise ValueError("no segmentation")
    except InputError as error:
        raise InputError(
            f"{request.path} is not a Berkeley ground truth file or is damaged, accepted is "
            "groundTruth{i}.Segmentation of each annotator: copy it again, or save the mask as PNG"
        ) from error.__cause__
    return masks


def _whole_numbers(values: NDArray[Any], path: Path) -> NDArray[np.int32]:
    """The values as (H, W) or (D, H, W) int32, refused when that would change one."""
    if values.ndim not in (2, 3) or not values.size:
        raise InputError(
            f"{path} holds an array of shape {values.shape}, accepted is one label for each pixel, "
            "H x W or D x H x W: save the part you need"
        )
    if values.dtype.kind not in "buif":
        raise InputError(f"{path} holds {values.dtype}, accepted are integers: convert it")
    if values.dtype.kind != "f" and values.dtype.itemsize < np.dtype(np.int32).itemsize:
        return values.astype(np.int32)
    # Scaling in a NIfTI header leaves values a rounding error beside the whole number.
    with np.errstate(invalid="ignore"):
        whole = (
            np.rint(values).astype(np.int32) if values.dtype.kind == "f" else values.astype("i4")
        )
        changed = ~(np.abs(whole - values.astype(np.float64)) < _ROUNDING)
    if changed.any():
        raise InputError(
            f"{path} holds the value {values[changed][0]}, accepted are whole numbers up to "
            f"{np.iinfo(np.int32).max}: round the labels, or give the mask and not the picture"
        )
    return whole


def _without_value(mask: NDArray[np.int32], value: int | None) -> NDArray[np.int32]:
    if value is None or not (mask == value).any():
        return mask
    return np.where(mask == value, mask.max() + 1, mask).astype(np.int32)


def _named_files(path: Path) -> list[tuple[str, Path]]:
    """The label files behind a path, each with the name it goes by."""
    own = _single_file(path)
    if own is not None:
        folder = own.resolve().parent.name
        return [(folder if is_labels_file(own) else stem_of(own), own)]
    if not path.is_dir():
        raise InputError(f"{path} does not exist, accepted is a file or a folder: check the path")
    children = sorted(child for child in path.iterdir() if not child.name.startswith("."))
    folders = [child for child in children if child.is_dir() and not is_zarr(child)]
    results = [(child.name, _labels_in(child)) for child in folders]
    found = [(name, file) for name, file in results if file is not None]
    if not found:
        files = [file for file in children if suffix_of(file) in MASK_SUFFIXES and file.is_file()]
        files += [child for child in children if is_zarr(child)]
        found = [(stem_of(file), file) for file in files]
    if not found:
        raise InputError(
            f"{path} holds no label map, accepted are {', '.join(MASK_SUFFIXES)} files and folders "
            "with a labels file: name another folder"
        )
    return found


def _single_file(path: Path) -> Path | None:
    """The one label file that a file or a result folder stands for."""
    return path if path.is_file() or is_zarr(path) else _labels_in(path)


def _labels_in(folder: Path) -> Path | None:
    files = [folder / f"labels{suffix}" for suffix in (*MASK_SUFFIXES, ZARR)]
    return next((file for file in files if file.is_file() or is_zarr(file)), None)


def _check_each_mask_once(pairs: Sequence[tuple[str, Path, Path]]) -> None:
    first: dict[Path, Path] = {}
    for _, file, mask in pairs:
        if mask in first:
            raise InputError(
                f"predictions {first[mask]} and {file} have the same mask {mask.name}, accepted is "
                "one prediction for each mask: remove one or evaluate them apart"
            )
        first[mask] = file
