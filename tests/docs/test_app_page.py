"""What the page about the page says of limits is what holds."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from segmint.app.errand import errands
from segmint.app.options import LimitOptions

PAGE = Path(__file__).resolve().parents[2] / "docs/app.md"


def test_limits_are_those_of_the_options() -> None:
    rows = dict(re.findall(r"^\| `--([a-z-]+)` \| (.+?) \|", PAGE.read_text(), re.MULTILINE))
    told = {name.replace("-", "_"): value for name, value in rows.items()}
    defaults = {field.name: field.default for field in dataclasses.fields(LimitOptions)}
    assert list(told) == list(defaults)
    for name, default in defaults.items():
        shown = (
            "what is free"
            if default is None
            else f"{default:.15g}"
            if isinstance(default, float)
            else str(default)
        )
        assert told[name] == shown, name


def test_every_errand_but_drawing_is_told() -> None:
    rows = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \|", PAGE.read_text(), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"[a-z]+", row)}
    assert told >= set(errands) - {"draw"}
