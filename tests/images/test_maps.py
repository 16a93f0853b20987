"""Maps in files. References: scipy's entropy, and tifffile's and nibabel's own reading."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from segmint.errors import InputError, OutputError
from segmint.images import Image, maps, read_image
from segmint.images.maps import entropy_of, write_maps

AFFINE = np.array([[-0.8, 0, 0, 12], [0, 0.9, 0, -7], [0, 0, 5, 3], [0, 0, 0, 1.0]])


def random_maps(*shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(3).random(shape, dtype=np.float32)


@pytest.mark.parametrize("shape", [(1, 5), (4, 6, 7), (5, 2, 3, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_entropy_is_that_of_scipy(shape: tuple[int, ...], dtype: str) -> None:
    weights = random_maps(*shape).astype(dtype) ** 4
    probabilities = weights / weights.sum(axis=0)
    entropy = entropy_of(probabilities)
    assert entropy.dtype == np.float32
    np.testing.assert_allclose(entropy, stats.entropy(probabilities, base=2), atol=2e-6)


def test_entropy_outside_and_where_one_component_is_certain() -> None:
    probabilities = np.array([[0, 1, 0.25], [0, 0, 0.25], [0, 0, 0.5]], dtype=np.float32)
    np.testing.assert_array_equal(entropy_of(probabilities), [0, 0, 1.5])
    barely_more = np.array([[np.nextafter(np.float32(1), np.float32(2))]], dtype=np.float32)
    assert entropy_of(barely_more) == 0


@settings(max_examples=40, deadline=None)
@given(
    values=arrays.arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 4)),
    single=st.booleans(),
    flat=st.booleans(),
    large=st.booleans(),
)
def test_tiff_round_trip(
    values: npt.NDArray[np.float32], single: bool, flat: bool, large: bool
) -> None:
    """Whatever the shape, tifffile and read_image give back every value."""
    values = values[:, 0] if flat else values
    values = values[0] if single else values
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr(maps, "LARGEST_CLASSIC_TIFF", 0)
        path = write_maps(Path(folder) / "maps", values, single=single)
        stored = tifffile.imread(path)
        pixels = read_image(path, pages="stack" if single else "auto").pixels
    by_page = np.moveaxis(values, 0, 1) if values.ndim == 4 else values
    np.testing.assert_array_equal(stored, by_page.reshape(stored.shape))
    expected = values[..., np.newaxis] if single else np.moveaxis(values, 0, -1)
    np.testing.assert_array_equal(pixels, expected.reshape(pixels.shape))


@pytest.mark.parametrize(
    ("shape", "single", "axes"),
    [
        ((3, 40, 50), False, "CYX"),
        ((3, 2, 40, 50), False, "ZCYX"),
        ((40, 50), True, "YX"),
        ((2, 40, 50), True, "ZYX"),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_axes_and_names(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, ...],
    single: bool,
    axes: str,
    large: bool,
) -> None:
    if large:
        monkeypatch.setattr(maps, "LARGEST_CLASSIC_TIFF", 0)
    values = random_maps(*shape)
    names = ["entropy"] if single else ["scar", "edema", "blöd"]
    path = write_maps(tmp_path / "a.b", values, names=names, single=single)
    assert path.name == "a.b.tif"
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == axes
        stored = file.series[0].asarray()
        assert (file.is_imagej, file.is_ome, file.is_bigtiff) == (not large, large, large)
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        if large:
            assert all(f'Name="{name}"' in file.ome_metadata for name in names)
        else:
            labels = file.imagej_metadata["Labels"]
            pages = names * (len(file.pages) // len(names))
            assert (labels if isinstance(labels, list) else [labels]) == pages
    np.testing.assert_array_equal(stored, np.moveaxis(values, 0, 1) if values.ndim == 4 else values)


def test_names_by_default(tmp_path: Path) -> None:
    with tifffile.TiffFile(write_maps(tmp_path / "a", random_maps(2, 4, 5))) as file:
        assert file.imagej_metadata["Labels"] == ["component 0", "component 1"]


@pytest.mark.parametrize("stored", [(6, 7), (6, 7, 1), (6, 7, 4)])
@pytest.mark.parametrize("count", [1, 3])
def test_maps_of_a_nifti_lie_on_its_grid(
    tmp_path: Path, stored: tuple[int, ...], count: int
) -> None:
    nibabel.save(nibabel.Nifti1Image(np.ones(stored, np.int16), AFFINE), tmp_path / "image.nii")
    image = read_image(tmp_path / "image.nii")
    values = random_maps(count, *image.pixels.shape[:-1])
    path = write_maps(tmp_path / "probabilities", values, like=image)
    assert path.name == "probabilities.nii.gz"
    file = nibabel.load(path)
    volumes = np.asarray(file.dataobj)
    assert volumes.dtype == np.float32
    np.testing.assert_allclose(file.affine, AFFINE)
    assert file.shape == (*stored, *(1,) * (3 - len(stored)), count)
    for index, volume in enumerate(np.moveaxis(volumes, -1, 0)):
        for depth, part in enumerate(values[index].reshape(-1, 6, 7)):
            np.testing.assert_array_equal(volume[..., depth], part)
    again = read_image(path)
    np.testing.assert_array_equal(again.pixels, np.moveaxis(values, 0, -1))

    single = write_maps(tmp_path / "entropy", values[0], like=image, single=True)
    assert nibabel.load(single).shape == stored
    np.testing.assert_array_equal(read_image(single).pixels[..., 0], values[0])


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        (np.zeros((2, 3, 4)), {}, "maps are float64"),
        (np.zeros((3, 4), np.float32), {}, "accepted are float32 (K, H, W)"),
        (np.zeros((2, 2, 3, 4), np.float32), {"single": True}, "accepted are float32 (H, W)"),
        (np.zeros((2, 0, 4), np.float32), {}, "(2, 0, 4)"),
        (np.zeros((2, 3, 4), np.float32), {"names": ["a"]}, "1 names are given for 2 maps"),
        (
            np.zeros((2, 3, 4), np.float32),
            {"like": Image.from_array(np.zeros((4, 3)))},
            "maps have shape (3, 4) and the image (4, 3)",
        ),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, values: npt.NDArray[Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as error:
        write_maps(tmp_path / "maps", values, **options)
    assert said in str(error.value)
    assert not list(tmp_path.iterdir())


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "maps.tif").mkdir()
    with pytest.raises(OutputError, match=r"maps\.tif"):
        write_maps(tmp_path / "maps", random_maps(2, 4, 5))
    assert [path.name for path in tmp_path.iterdir()] == ["maps.tif"]
