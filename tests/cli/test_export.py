from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest

from segmint.cli import run as run_command

sys.path.insert(0, str(Path(__file__).parent))
from scenes import write_scenes

SMALL = (
    *("--features", "4", "--levels", "2", "--crop", "32", "--resize", "0"),
    *("--augmentation", "flip", "--batch-size", "2", "--epochs", "1"),
    *("--steps-per-epoch", "2", "--val-fraction", "0.25", "--quiet"),
)
COLUMNS = ["checked on", "size", "difference", "equal labels", "ms", "ms torch"]

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes, and a run that learned on them."""
    folder = tmp_path_factory.mktemp("made")
    write_scenes(folder / "scenes", "night\ndisk\nbar\n")
    (folder / "more").mkdir()
    train = ["train", "unet", str(folder / "scenes"), "--out", str(folder / "run"), *SMALL]
    assert run_command(train) == 0
    return folder


def test_it_says_what_was_checked(run: Path, capfd: pytest.CaptureFixture[str], here: Path) -> None:
    """And nothing else, on either stream: exporters and runtimes like to talk."""
    assert run_command(["export", "run"]) == 0
    output, errors = capfd.readouterr()
    head, rule, *rows, last = output.splitlines()
    assert [word.strip() for word in head.split("  ") if word] == COLUMNS
    assert set(rule) == {"-", " "}
    assert [row.split()[0] for row in rows[:3]] == ["random"] * 3
    # The pictures are those that chose the run.
    assert all(row.split()[0].removesuffix(".png").isdigit() for row in rows[3:])
    assert len(rows) == 5
    assert last.startswith("onnx in float32, 0.")
    assert last.endswith(" MiB: run.onnx")
    assert errors == ""
    assert onnxruntime.InferenceSession(here / "run.onnx").get_inputs()[0].name == "image"


def test_the_same_as_json(run: Path, succeeds: Callable[..., tuple[str, str]], here: Path) -> None:
    call = ("export", "run", "--format", "torchscript", "--out", "a.pt", "--full-value", "1")
    told = json.loads(succeeds(*call, "--json", "--images", "good.png")[0])
    assert (told["file"], told["format"], told["precision"]) == ("a.pt", "torchscript", "float32")
    assert told["bytes"] == (here / "a.pt").stat().st_size
    assert told["outputs"] == ["labels", "probabilities"]
    assert [each["name"] for each in told["checks"]] == ["random"] * 3 + ["good.png"]
    assert all(each["equal"] > 0.99 and each["difference"] < 1e-4 for each in told["checks"])


def test_refusals(run: Path, refused: Callable[..., str], here: Path) -> None:
    (here / "run.onnx").write_text("mine")
    assert "run.onnx is there already: pass --overwrite" in refused(2, "export", "run")
    assert "--peer is 'a'" in refused(2, "export", "run", "--peer", "a", "--out", "b.onnx")
    assert "not a finished run" in refused(1, "export", "scenes")
    assert "--precision is bfloat16" in refused(2, "export", "run", "--precision", "bfloat16")
    assert "--full-value is 0" in refused(2, "export", "run", "--full-value", "0")
    missing = refused(1, "export", "run", "--out", "b.onnx", "--images", "none.png")
    assert "none.png" in missing
    assert not (here / "b.onnx").exists()
    assert (here / "run.onnx").read_text() == "mine"


def test_a_run_without_classes_has_no_file(
    here: Path, succeeds: Callable[..., tuple[str, str]], refused: Callable[..., str]
) -> None:
    how = ("--features", "8", "--max-components", "6", "--epochs", "1", "--image-size", "16")
    succeeds("train", "clustering", "good.png", "--out", "run", "--quiet", *how)
    sentence = refused(2, "export", "run")
    assert "run is a run of clustering, whose answer follows from the whole image" in sentence
