"""What a test runs in a process of its own, as a launcher would have started it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from segmint.cli import run as run_command


def clean() -> dict[str, str]:
    """The environment without what a launcher would have said."""
    others = ("SLURM_", "MASTER_", "GLOO_", "TORCHELASTIC_")
    return {key: value for key, value in os.environ.items() if not key.startswith(others)}


def train_in(argv: list[str], here: Path, files: list[Path], environment: dict[str, str]) -> None:
    """Run a command as a process that a launcher has started."""
    kept = clean()
    os.environ.clear()
    os.environ.update(kept, **environment)
    os.chdir(here)
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = run_command(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
