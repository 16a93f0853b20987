from __future__ import annotations

import runpy
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cyclopts import App
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

import segmint
from segmint.app.changes import Changes
from segmint.app.page.lines import Deed, ImageDeed, MethodDeed, RunDeed, command_lines, python_lines
from segmint.cli import commands
from segmint.cli import run as run_command
from segmint.methods import methods

SMALL = {
    "features": 4,
    "max_components": 6,
    "iterations": 3,
    "working_pixels": 0,
    "superpixel_scale": 0.0,
}
"""Options of clustering that take no time."""

PHOTO = ImageDeed(name="photo.png")


def one_line_each(text: str) -> list[str]:
    """Commands without breaks and comments."""
    lines = text.replace(" \\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if not line.startswith("#")]


def parsed(line: str) -> dict[str, Any]:
    """The options of a line, as the program reads them."""
    words = shlex.split(line)[1:]
    app = App(name="segmint", help_format="plaintext")
    app.command(commands.entry(words[0]).load()(words[1:]), name=words[0])
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    return dict(bound.arguments)


def labels_in(folder: Path) -> np.ndarray[Any, Any]:
    (file,) = folder.glob("labels.*")
    return segmint.read_labels(file)


def save_photo(path: Path, seed: int = 0) -> None:
    pixels = np.full((24, 32, 3), (200, 40, 40), np.int64)
    pixels[:, 16:] = (30, 200, 60)
    pixels[12:] = (30, 60, 220)
    pixels[12:, 20:] = (240, 240, 100)
    pixels += np.random.default_rng(seed).integers(-20, 21, pixels.shape)
    Pillow.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


def save_scribbles(path: Path) -> None:
    """As the page writes them: 8-bit palette, 255 where nothing was painted."""
    ids = np.full((24, 32), 255, np.uint8)
    ids[2:4, 3:12], ids[18:20, 3:12], ids[18, 24:30] = 0, 2, 5
    picture = Pillow.fromarray(ids)
    picture.putpalette([value for value in range(256) for _ in range(3)])
    picture.save(path)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that learned the same classes, for a step."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(2):
        for what in ("images", "masks"):
            (folder / "data" / "train" / what).mkdir(parents=True, exist_ok=True)
        save_photo(folder / "data" / "train" / "images" / f"{number}.png", number)
        mask = (np.indices((24, 32)).sum(0) > 26 + number).astype(np.uint8)
        Pillow.fromarray(mask).save(folder / "data" / "train" / "masks" / f"{number}.png")
    small = {"features": 4, "levels": 1, "steps": 2, "batch_size": 1, "crop": 16, "resize": 0}
    for seed, name in enumerate(("run", "other run")):
        segmint.train(
            "unet", folder / "data", out=folder / name, val_fraction=0, seed=seed, **small
        )
    return folder


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Path) -> Callable[..., None]:
    """Run the commands and the program of what was asked, each in a folder with the files."""

    def run(deed: Deed) -> None:
        for name in ("shell", "python"):
            folder = tmp_path / name
            folder.mkdir()
            for run in ("run", "other run"):
                (folder / run).symlink_to(runs / run)
            for number, image in enumerate(deed.images):
                save_photo(folder / image.name, number)
                if image.scribbles is not None:
                    save_scribbles(folder / image.scribbles)
        monkeypatch.chdir(tmp_path / "shell")
        for line in one_line_each(command_lines(deed)):
            assert run_command(shlex.split(line)[1:]) == 0, line
        monkeypatch.chdir(tmp_path / "python")
        Path("program.py").write_text(python_lines(deed), encoding="utf-8")
        runpy.run_path("program.py")

    return run


@pytest.fixture
def same(tmp_path: Path, both: Callable[..., None]) -> Callable[..., np.ndarray[Any, Any]]:
    """The labels of the one image, which both have alike."""

    def labels(deed: Deed, *, shell: str = "photo", python: str = "photo") -> Any:
        both(deed)
        first = labels_in(tmp_path / "shell" / "segmint-out" / shell)
        second = labels_in(tmp_path / "python" / "segmint-out" / python)
        assert np.array_equal(first, second)
        return first

    return labels


@pytest.mark.parametrize(
    ("method", "preset", "options"),
    [
        ("hybrid", None, {}),
        ("hybrid", None, {"components": 3}),
        ("kmeans", None, {"components": 3, "normalization": "z-score"}),
        ("clustering", None, SMALL),
        ("clustering", "seed004", {"features": 4, "max_components": 6, "iterations": 2}),
        ("em-gmm", None, {"components": "auto", "max_components": 3}),
    ],
)
def test_methods(method: str, preset: str | None, options: Any, same: Callable[..., Any]) -> None:
    deed = MethodDeed(images=(PHOTO,), method=method, preset=preset, given=options, seed=3)
    labels = same(deed)
    direct = segmint.segment(
        segmint.read_image("photo.png"), method, preset=preset, seed=3, **options
    )
    assert np.array_equal(labels, direct.labels)


@pytest.mark.parametrize(("method", "options"), [("hybrid", {}), ("clustering", SMALL)])
def test_scribbles(method: str, options: Any, same: Callable[..., Any]) -> None:
    image = ImageDeed(name="photo.png", scribbles="scribbles.png")
    labels = same(MethodDeed(images=(image,), method=method, given=options))
    assert set(np.unique(labels)) == {0, 2, 5}
    assert labels[2, 3] == 0
    assert labels[18, 3] == 2


@pytest.mark.parametrize(
    ("changes", "folder", "ids"),
    [
        (Changes(components=4), "photo-4", {0, 1, 2, 3}),
        (Changes(components=5, merged=((0, 3), (1, 2)), names={0: "cup"}), "photo-5", {0, 1, 4}),
        (Changes(names={1: "a cup's rim", 0: "-"}), "photo-changed", None),
    ],
)
def test_changes(changes: Changes, folder: str, ids: Any, same: Callable[..., Any]) -> None:
    image = ImageDeed(name="photo.png", changes=changes)
    labels = same(MethodDeed(images=(image,), given={"components": 3}), shell=folder)
    assert ids is None or set(np.unique(labels)) == ids
    for result in (Path("../shell/segmint-out", folder), Path("segmint-out/photo")):
        from segmint.methods.storage import load_segmentation

        found, _ = load_segmentation(result)
        assert found.names == changes.names


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"precision": "float32", "tta": ("flips", "scales"), "tta_scales": (0.5, 1.5)},
        {"places": ("run", "other run"), "uncertainty": True, "tta": ("rotations",)},
    ],
)
def test_runs(how: Any, same: Callable[..., Any]) -> None:
    same(RunDeed(**{"images": (PHOTO,), "places": ("run",), **how}))
    for out in ("../shell/segmint-out", "segmint-out"):
        assert Path(out, "photo", "uncertainty.png").exists() == how.get("uncertainty", False)


def test_large_images_go_window_by_window(same: Callable[..., Any]) -> None:
    image = ImageDeed(name="photo.png", is_large=True, changes=Changes(merged=((0, 1),)))
    deed = MethodDeed(images=(image,), method="kmeans", given={"components": 3})
    labels = same(deed, shell="photo-changed", python="photo-changed")
    assert set(np.unique(labels)) == {0, 2}
    assert '"streamed"' in Path("segmint-out/photo/result.json").read_text()


def test_large_images_by_a_run(same: Callable[..., Any]) -> None:
    image = ImageDeed(name="photo.png", is_large=True)
    same(RunDeed(images=(image,), places=("run",), precision="float32"))


def test_several_images(both: Callable[..., None], tmp_path: Path) -> None:
    """Alike ones share a command; those of one stem and other commands do not meet."""
    images = (
        ImageDeed(name="a.png"),
        ImageDeed(name="b c.png"),
        ImageDeed(name="a.bmp", scribbles="scribbles.png"),
        ImageDeed(name="d.png", changes=Changes(merged=((0, 1),))),
    )
    deed = MethodDeed(images=images, given={"fineness": 0.7})
    both(deed)
    pairs = {
        "segmint-out/a": "a.png",
        "segmint-out/b c": "b c",
        "segmint-out-2/a": "a.bmp",
        "segmint-out/d-changed": "d",
    }
    for shell, python in pairs.items():
        first = labels_in(tmp_path / "shell" / shell)
        assert np.array_equal(first, labels_in(tmp_path / "python" / "segmint-out" / python))
    assert len(one_line_each(command_lines(deed))) == 3


def variants() -> Iterator[MethodDeed]:
    for name in methods:
        for preset in (None, *methods.load(name).presets):
            yield MethodDeed(images=(PHOTO,), method=name, preset=preset, seed=7)
    every = {"full_frame": False, "axis": "rows", "learning_rate": 1e-05, "components": "auto"}
    yield MethodDeed(images=(PHOTO,), method="deepg", preset="schwab2024", given=every)


@pytest.mark.parametrize("deed", [*variants()], ids=lambda deed: f"{deed.method}-{deed.preset}")
def test_the_parser_reads_what_was_asked(deed: MethodDeed) -> None:
    found = parsed(*one_line_each(command_lines(deed)))
    assert found.pop("images") == ("photo.png",)
    assert found.pop("method", "hybrid") == deed.method
    assert found.pop("preset", None) == deed.preset
    assert found.pop("seed", 0) == deed.seed
    assert found == dict(deed.given)


def test_the_parser_reads_what_a_run_was_asked() -> None:
    deed = RunDeed(
        images=(PHOTO, ImageDeed(name="two.png")),
        places=("a.onnx", "-b"),
        peer="ensemble",
        tta=("flips", "scales"),
        tta_scales=(0.5,),
        uncertainty=True,
        precision="bfloat16",
    )
    found = parsed(*one_line_each(command_lines(deed)))
    assert found == {
        "run": "a.onnx",
        "images": ("photo.png", "two.png"),
        "also": ("./-b",),
        "peer": "ensemble",
        "tta": ("flips", "scales"),
        "tta_scales": (0.5,),
        "uncertainty": True,
        "precision": "bfloat16",
    }
    program = python_lines(deed)
    compile(program, "program.py", "exec")
    assert 'segmint.ExportedModel("a.onnx", peer="ensemble", tiling=' in program
    assert 'segmint.Run("-b", precision="bfloat16", tiling=' in program


@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30
    ).filter(lambda name: name.strip() and set(name) != {"."}),
    label=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
@settings(max_examples=60)
def test_names_stay_as_they_are(name: str, label: str) -> None:
    image = ImageDeed(name=name, changes=Changes(names={0: label}), stopped=3)
    deed = MethodDeed(images=(image,))
    words = shlex.split(command_lines(deed).replace(" \\\n", " "), comments=True)
    shown = f"./{name}" if name.startswith("-") else name
    assert words[:3] == ["segmint", "segment", shown]
    assert words[-1] == f"0={label}"
    calls: list[Any] = []
    program = python_lines(deed).replace("import segmint", "")

    class Recorded:
        def __getattr__(self, attribute: str) -> Any:
            return lambda *values: calls.append((attribute, values)) or self

    namespace = {"segmint": Recorded()}
    exec(compile(program, "program.py", "exec"), namespace)
    assert calls[0] == ("read_image", (name,))
    assert calls[2] == ("with_names", ({0: label},))


def test_a_shell_reads_the_same_words() -> None:
    names = ["it's.png", "$(ls) `ls`.png", "two\nlines.png", "-x.png", "ä b*.png", '"q".png']
    names += [f"long-name-number-{number}.png" for number in range(9)]
    deed = MethodDeed(
        images=tuple(ImageDeed(name=name, stopped=2) for name in names), given={"fineness": 0.25}
    )
    text = command_lines(deed)
    assert " \\\n    " in text
    script = f'segmint() {{ printf "%s\\0" "$@"; }}\n{text}\n'
    found = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
    names[3] = "./-x.png"
    assert found.decode().split("\0")[:-1] == ["segment", *names, "--fineness", "0.25"]


def test_lines_are_not_long() -> None:
    deed = MethodDeed(
        images=tuple(ImageDeed(name=f"picture number {number}.png") for number in range(30)),
        method="clustering",
        preset="kim2020",
        given={
            **SMALL,
            "learning_rate": 0.05,
            "continuity_weight": 2.5,
            "normalization": "z-score",
        },
        seed=11,
    )
    for text in (command_lines(deed), python_lines(deed)):
        assert max(map(len, text.splitlines())) <= 90


def test_being_stopped_is_said() -> None:
    deed = MethodDeed(images=(ImageDeed(name="photo.png", stopped=7),), method="clustering")
    for text in (command_lines(deed), python_lines(deed)):
        assert '# "photo.png" was stopped by hand after iteration 7\n' in text
