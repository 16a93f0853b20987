from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmint.errors import InputError, OutputError
from segmint.regions.component_tree import component_tree
from segmint.regions.hierarchy import RegionHierarchy
from segmint.regions.storage import load_hierarchy, save_hierarchy


def made() -> RegionHierarchy:
    generator = np.random.default_rng(0)
    leaves = generator.integers(-1, 6, (12, 9)).astype(np.int32)
    return RegionHierarchy(
        leaves=leaves,
        tree=component_tree(leaves, generator.normal(size=(6, 3))),
        assignment=np.arange(6, dtype=np.int32),
    ).with_components(3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_hierarchy(tmp_path / "hierarchy.npz", made())
    return tmp_path / "hierarchy.npz"


def members(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def test_round_trip(path: Path) -> None:
    found, expected = load_hierarchy(path), made()
    np.testing.assert_array_equal(found.leaves, expected.leaves)
    np.testing.assert_array_equal(found.assignment, expected.assignment)
    np.testing.assert_array_equal(found.tree.merges, expected.tree.merges)
    np.testing.assert_array_equal(found.tree.heights, expected.tree.heights)
    np.testing.assert_array_equal(found.with_components(5).labels, made().with_components(5).labels)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.npz is not a hierarchy"):
        load_hierarchy(tmp_path / "none.npz")


@pytest.mark.parametrize("kept", [0, 10, 200, -1])
def test_file_cut_short(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError):
        load_hierarchy(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_damaged_byte(path: Path, place: float, change: int) -> None:
    content = bytearray(path.read_bytes())
    position = int(place * len(content))
    content[position] ^= change
    damaged = path.with_name("damaged.npz")
    damaged.write_bytes(bytes(content))
    try:
        found = load_hierarchy(damaged)
    except InputError as error:
        assert str(damaged) in str(error)
    else:
        np.testing.assert_array_equal(found.labels, made().labels)


def test_pickle_is_refused_and_not_run(path: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "made",)

    kept = members(path)
    np.savez(path, **{**kept, "assignment": np.array([Bomb()], dtype=object)})
    with pytest.raises(InputError, match="allow_pickle"):
        load_hierarchy(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["leaves", "merges", "heights", "assignment"])
def test_missing_member(path: Path, name: str) -> None:
    kept = members(path)
    del kept[name]
    np.savez(path, **kept)
    with pytest.raises(InputError, match=name):
        load_hierarchy(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("assignment", np.arange(2)),
        ("leaves", np.full((12, 9), 77)),
        ("leaves", np.zeros((12, 9), np.float32)),
        ("merges", np.array([[0, 1]])),
        ("merges", np.full((5, 2), 99)),
        ("merges", np.zeros(5, np.int32)),
        ("heights", np.zeros(2)),
    ],
)
def test_members_that_do_not_fit(path: Path, name: str, value: np.ndarray) -> None:
    np.savez(path, **{**members(path), name: value})
    with pytest.raises(InputError, match="is not a hierarchy"):
        load_hierarchy(path)


def test_plain_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError):
        load_hierarchy(path)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        save_hierarchy(tmp_path / "file" / "hierarchy.npz", made())
