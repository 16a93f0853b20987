from __future__ import annotations

import json
from pathlib import Path

import pytest

from segmint.datasets import prepare_myops, prepared_images
from segmint.datasets.prepared_folder import read_record
from segmint.errors import InputError, UsageError


@pytest.fixture(scope="module", params=["npz", "nifti"])
def prepared(
    request: pytest.FixtureRequest, all_hearts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare_myops(all_hearts, folder, format=request.param)
    return folder


def patients(paths: list[Path]) -> list[str]:
    return sorted({path.name.split("_")[1] for path in paths})


def test_images_of_each_split(prepared: Path) -> None:
    assert patients(prepared_images(prepared)) == ["101", "102", "109"]
    assert patients(prepared_images(prepared, "train")) == ["101", "102"]
    assert patients(prepared_images(str(prepared), "test")) == ["109"]
    assert len(prepared_images(prepared)) == len(set(prepared_images(prepared)))


def test_a_split_that_there_is_not(prepared: Path) -> None:
    with pytest.raises(UsageError, match=r"split is 'tset': did you mean 'test'\?"):
        prepared_images(prepared, "tset")


def test_a_split_without_images(all_hearts: Path, tmp_path: Path) -> None:
    prepare_myops(all_hearts, tmp_path / "out", test_patients="none")
    with pytest.raises(InputError, match="holds no image of test"):
        prepared_images(tmp_path / "out", "test")


def test_any_folder_of_images(prepared: Path, tmp_path: Path) -> None:
    for name in ("test/10.png", "test/9.png", "note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    expected = [tmp_path / "test" / name for name in ("9.png", "10.png")]
    assert prepared_images(tmp_path, "test") == prepared_images(tmp_path / "test") == expected
    with pytest.raises(InputError, match="holds no image"):
        prepared_images(tmp_path)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_are_no_paths(tmp_path: Path, name: str) -> None:
    assert read_record(tmp_path / name) is None


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"format": 3}', json.dumps({"format": "x", "format_of_files": "y", "options": 1})],
)
def test_a_record_of_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"dataset\.json is"):
        prepared_images(tmp_path)
