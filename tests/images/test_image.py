"""Arrays as images, and the refusal of what is not one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from segmint.errors import InputError
from segmint.images import Image, check_finite


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (1, 1), (4, 6, 200), (3, 20, 8)])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64"])
def test_arrays_become_images(shape: tuple[int, ...], dtype: str) -> None:
    image = Image.from_array(np.ones(shape, dtype))
    assert (image.height, image.width) == shape[:2]
    assert image.channels == (shape[2] if len(shape) == 3 else 1)
    assert image.pixels.dtype == np.dtype(dtype)
    assert not image.is_stack


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 2)])
def test_stacks(shape: tuple[int, ...]) -> None:
    image = Image.from_array(np.zeros(shape), stack=True)
    assert image.is_stack
    assert (image.height, image.width) == (4, 6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4), bool), "array of bool is a mask"),
        (np.zeros((4, 4), complex), "array of complex128 is not an image"),
        (np.zeros((4, 4), object), "array of object is not an image"),
        (np.array([["a"]]), "not an image"),
        ([[1, 2], [3]], "is not an array"),
        (np.zeros((0, 4)), "is empty"),
        (np.zeros((4, 4, 0)), "is empty"),
        (np.zeros(4), r"shape \(4,\), accepted is \(H, W\)"),
        (np.zeros((2, 4, 4, 3)), r"pass segmint\.Image\.from_array\(array, stack=True\)"),
        (np.zeros((3, 40, 60)), r"channels first, .*: pass numpy.moveaxis\(array, 0, -1\)"),
    ],
)
def test_unusable_arrays_are_refused(array: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Image.from_array(array)  # type: ignore[arg-type]


def test_values_that_are_not_finite() -> None:
    pixels = np.zeros((4, 5, 2))
    check_finite(pixels)
    pixels[0, 0] = [np.nan, np.inf]
    pixels[3, 4, 1] = -np.inf
    with pytest.raises(InputError, match="holds 3 values that are NaN or infinite"):
        check_finite(Image.from_array(pixels))
    region = np.ones((4, 5), bool)
    region[3, 4] = False
    with pytest.raises(InputError, match=r"holds 2 values .* --region"):
        check_finite(pixels, region)
    region[0, 0] = False
    check_finite(pixels, region)
    check_finite(np.zeros((4, 5, 1), np.uint8))


def test_import_is_light() -> None:
    code = (
        "import sys, segmint.images; "
        "heavy = {'torch', 'scipy', 'PIL', 'tifffile', 'nibabel', 'skimage', 'matplotlib'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
