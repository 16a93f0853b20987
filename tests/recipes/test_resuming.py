from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from segmint.errors import UsageError
from segmint.recipes.run_folder import Config, write_config
from segmint.recipes.training import resume

CONFIG = Config(
    recipe="unet",
    data=("scenes",),
    settings={},
    preset=None,
    seed=0,
    device="cpu",
    precision="auto",
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": -1}, "seed is -1, accepted is a whole number"),
        ({"seed": "x"}, "seed is 'x', accepted is a whole number"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"precision": "float8"}, "unknown precision 'float8'"),
    ],
)
def test_what_the_machine_cannot_do_is_refused_first(
    changes: dict, said: str, tmp_path: Path
) -> None:
    write_config(tmp_path, replace(CONFIG, **changes))
    with pytest.raises(UsageError, match=said):
        resume(tmp_path)
