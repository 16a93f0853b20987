"""Descriptions of Zarr images that are damaged, or say less than they seem to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from segmint.errors import InputError
from segmint.images import open_scene


def image_at(path: Path, described: dict[str, Any], zarr_format: Any = 2) -> Path:
    """A folder with an array ``0`` of 4 x 5 pixels and a description."""
    attributes = {"multiscales": [described]}
    zarr.create_array(path / "0", data=np.ones((4, 5), np.uint8), zarr_format=zarr_format)
    if zarr_format == 2:
        (path / ".zgroup").write_text('{"zarr_format": 2}')
        (path / ".zattrs").write_text(json.dumps(attributes))
        return path
    group = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": attributes}}
    (path / "zarr.json").write_text(json.dumps(group))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": 5}, "has no list of axes"),
        ({"axes": {"y": 0, "x": 1}}, "has no list of axes"),
        ({"axes": [1, 2]}, "has the axes 1, 2, accepted are"),
        ({"axes": ["y\n\0", "x"]}, "has the axes y??, x, accepted are"),
        ({"axes": [{"name": ["y"]}, 5]}, "has the axes ['y'], 5, accepted are"),
        ({"coordinateTransformations": 5}, "has no list of coordinateTransformations"),
        ({"coordinateTransformations": "x"}, "has no list of coordinateTransformations"),
        ({"datasets": [{"path": "0", "coordinateTransformations": 5}]}, "has no list of coord"),
        ({"datasets": [{"path": "0\0"}]}, r"names '0\x00' as the place"),
        ({"datasets": [{"path": "\ud800"}]}, r"names '\ud800' as the place"),
        ({"datasets": [{"path": "0/../../b"}]}, "names '0/../../b' as the place"),
        ({"datasets": [{"path": "/0"}]}, "names '/0' as the place"),
    ],
    ids=str,
)
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_descriptions_that_are_damaged(
    tmp_path: Path, change: dict[str, Any], message: str, zarr_format: int
) -> None:
    described = {"axes": ["y", "x"], "datasets": [{"path": "0"}], **change}
    path = image_at(tmp_path / "a.zarr", described, zarr_format)
    with pytest.raises(InputError) as caught:
        open_scene(path)
    assert f"a.zarr {message}" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("scale", [[10**400, 1], [1, "x"], 5, [float("nan"), 1]], ids=str)
def test_scales_that_are_no_numbers_leave_the_spacing_open(tmp_path: Path, scale: Any) -> None:
    axes = [{"name": axis, "unit": "meter"} for axis in "yx"]
    transforms = [5, {"type": "scale", "scale": scale}]
    datasets = [{"path": "0", "coordinateTransformations": transforms}]
    path = image_at(tmp_path / "a.zarr", {"axes": axes, "datasets": datasets})
    with open_scene(path) as scene:
        assert scene.spacing is None


@pytest.mark.parametrize("number", [None, "x", 2, []])
def test_formats_that_are_not_known(tmp_path: Path, number: Any) -> None:
    path = image_at(tmp_path / "a.zarr", {}, 3) / "0"
    metadata = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps({**metadata, "zarr_format": number}))
    with pytest.raises(InputError, match="has no usable zarr_format"):
        open_scene(path)
