from __future__ import annotations

from pathlib import Path

import pytest

from segmint.errors import InputError, UsageError
from segmint.recipes.file_options import FileOptions
from segmint.recipes.run_folder import (
    CONFIG,
    LAST,
    RUN,
    Config,
    check_free,
    check_resumable,
    earlier_run_kept,
    is_finished,
    is_unfinished,
    read_config,
    settle,
    write_config,
)

CONFIGURATION = Config(
    recipe="unet",
    data=("/data/CamVid",),
    settings={"optimizer": {"learning_rate": 0.001}, "loss": {"objective": "0.5*bce + 0.5*rmi"}},
    preset="study",
    seed=7,
    precision="float32",
    files=FileOptions(recursive=True, pages="stack"),
)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def finished_run(folder: Path) -> None:
    folder.mkdir()
    write_config(folder, CONFIGURATION)
    (folder / "checkpoints").mkdir()
    (folder / LAST).write_text("earlier")
    (folder / "notes.txt").write_text("the user's own")
    (folder / RUN).write_text("{}")


def test_a_configuration_comes_back(tmp_path: Path) -> None:
    write_config(tmp_path, CONFIGURATION)
    assert read_config(tmp_path / CONFIG) == CONFIGURATION
    assert (tmp_path / CONFIG).read_text().startswith("# segmint train --config")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no recipe and no paths"),
        ("format: segmint run 1\nrecipe: unet\n", "no paths"),
        ("format: other\nrecipe: unet\npaths: [a]\n", "format 'other'"),
        ("a: [", "cannot be read as YAML"),
        ("!!python/object/apply:os.system [ls]", "cannot be read as YAML"),
        ("format: segmint run 1\nrecipe: deepg\npaths: []\n", "were given as arrays"),
        ("- 1\n- 2\n", "is not the configuration of a run"),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_config(tmp_path / "config.yaml")


def test_the_states_of_a_run(tmp_path: Path) -> None:
    assert not is_finished(tmp_path)
    assert not is_unfinished(tmp_path)
    with pytest.raises(UsageError, match="holds no run"):
        check_resumable(tmp_path)
    write_config(tmp_path, CONFIGURATION)
    assert is_unfinished(tmp_path)
    check_resumable(tmp_path)
    (tmp_path / RUN).write_text("{}")
    assert is_finished(tmp_path)
    assert not is_unfinished(tmp_path)
    with pytest.raises(UsageError, match="holds a finished run, so there is nothing to go on"):
        check_resumable(tmp_path)


def test_an_earlier_run_gives_way_to_a_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished_run(folder)
    with earlier_run_kept(folder):
        assert not is_finished(folder)
        write_config(folder, CONFIGURATION)
        (folder / RUN).write_text("new")
    assert sorted(files(folder)) == [CONFIG, "notes.txt", RUN]
    assert (folder / RUN).read_text() == "new"


def test_an_earlier_run_stands_when_the_new_one_fails_early(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished_run(folder)
    before = files(folder)
    with pytest.raises(KeyboardInterrupt), earlier_run_kept(folder):
        write_config(folder, CONFIGURATION)
        (folder / "log.csv").write_text("")
        raise KeyboardInterrupt
    assert files(folder) == before


def test_a_new_run_with_a_checkpoint_stands_when_it_fails(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished_run(folder)
    with pytest.raises(ValueError, match="no numbers"), earlier_run_kept(folder):
        write_config(folder, CONFIGURATION)
        (folder / "checkpoints").mkdir()
        (folder / LAST).write_text("new")
        raise ValueError("no numbers")
    assert is_unfinished(folder)
    assert (folder / LAST).read_text() == "new"
    assert (folder / "notes.txt").exists()


def test_a_failure_leaves_no_folder_behind(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="early"), earlier_run_kept(folder):
        folder.mkdir()
        write_config(folder, CONFIGURATION)
        raise ValueError("early")
    assert not folder.exists()


@pytest.mark.parametrize("there", ["", "deep", "deep/er/run"])
def test_a_failure_removes_the_folders_that_it_made(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="early"), earlier_run_kept(tmp_path / "deep/er/run"):
        write_config(tmp_path / "deep/er/run", CONFIGURATION)
        raise ValueError("early")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_removes_no_folder_with_files_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "run"
    with pytest.raises(ValueError, match="early"), earlier_run_kept(folder):
        write_config(folder, CONFIGURATION)
        (tmp_path / "deep" / "notes.txt").write_text("the user's own")
        raise ValueError("early")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "deep", tmp_path / "deep" / "notes.txt"]


def test_what_a_killed_process_had_put_aside_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished_run(folder)
    before = files(folder)
    left = earlier_run_kept(folder)
    left.__enter__()
    write_config(folder, CONFIGURATION)  # and then the process is killed
    assert is_unfinished(folder)
    with pytest.raises(ValueError, match="early"), earlier_run_kept(folder):
        raise ValueError("early")
    assert files(folder) == before


def test_a_run_that_went_on_needs_no_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    finished_run(folder)
    left = earlier_run_kept(folder)
    left.__enter__()
    write_config(folder, CONFIGURATION)
    (folder / RUN).write_text("new")
    settle(folder)
    assert sorted(files(folder)) == [CONFIG, "notes.txt", RUN]


def test_a_configuration_of_others_is_no_run(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("model: mine\n")
    (tmp_path / "log.csv").write_text("mine")
    before = files(tmp_path)
    assert not is_unfinished(tmp_path)
    with pytest.raises(UsageError, match="holds no run"):
        check_resumable(tmp_path)
    with pytest.raises(ValueError, match="early"), earlier_run_kept(tmp_path):
        raise ValueError("early")
    assert files(tmp_path) == before


def test_files_of_others_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("the user's own")
    (tmp_path / "network.safetensors").write_text("the user's own")
    before = files(tmp_path)
    with pytest.raises(ValueError, match="early"), earlier_run_kept(tmp_path):
        raise ValueError("early")
    assert files(tmp_path) == before


def test_a_folder_with_files_of_others_is_refused(tmp_path: Path) -> None:
    check_free(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(UsageError, match="checkpoints is of no run of segmint"):
        check_free(tmp_path)
    write_config(tmp_path, CONFIGURATION)
    check_free(tmp_path)
