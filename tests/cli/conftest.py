from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from segmint.cli import run as run_command

HEIGHT, WIDTH = 24, 32


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)


@pytest.fixture
def photo():
    """uint8 (24, 32, 3): four areas of one color each, a little noisy."""
    pixels = np.full((HEIGHT, WIDTH, 3), (200, 40, 40), np.int64)
    pixels[:, WIDTH // 2 :] = (30, 200, 60)
    pixels[12:, :] = (30, 60, 220)
    pixels[12:, 20:] = (240, 240, 100)
    noise = np.random.default_rng(0).integers(-3, 4, pixels.shape)
    return (pixels + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def here(tmp_path, monkeypatch, photo):
    """The working folder, with ``good.png`` in it."""
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "good.png", photo)
    return tmp_path


@pytest.fixture
def succeeds(capsys):
    """Run a command that succeeds: what it wrote to standard output and standard error."""

    def call(*arguments):
        code = run_command([str(argument) for argument in arguments])
        output, errors = capsys.readouterr()
        assert code == 0, errors
        return output, errors

    return call


@pytest.fixture
def refused(capsys):
    """Run a command that fails with that code: its one sentence on standard error."""

    def call(code, *arguments):
        assert run_command([str(argument) for argument in arguments]) == code
        output, errors = capsys.readouterr()
        assert output == ""
        assert errors.startswith("segmint: "), errors
        assert errors.count("\n") == 1, errors
        assert errors.endswith("\n")
        return errors

    return call


@pytest.fixture
def partly(capsys):
    """Run a command that does some of the work: its output, progress lines and complaints."""

    def call(*arguments):
        assert run_command([str(argument) for argument in arguments]) == 1
        output, errors = capsys.readouterr()
        lines = errors.splitlines()
        complaints = [line for line in lines if line.startswith("segmint: ")]
        return output, [line for line in lines if line not in complaints], complaints

    return call


@pytest.fixture
def scenes(made: Path, here: Path) -> Path:
    """The scenes that a module made, and pictures ``more`` without masks, in the current folder."""
    shutil.copytree(made / "scenes", here / "scenes")
    shutil.copytree(made / "more", here / "more")
    return here / "scenes"


@pytest.fixture
def run(made: Path, scenes: Path, here: Path) -> Path:
    """The run that a module made, in the current folder."""
    shutil.copytree(made / "run", here / "run")
    return here / "run"
