from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import InputError
from segmint.inference.export_record import ExportRecord
from segmint.networks.reach import Reach

NUMBERS = st.floats(1e-3, 1e3)


@st.composite
def records(draw: Any) -> ExportRecord:
    step = draw(st.integers(1, 64))
    classes, channels = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    color = st.tuples(*[st.integers(0, 255)] * 3)
    several = st.lists(NUMBERS, min_size=channels, max_size=channels).map(tuple)
    return ExportRecord(
        recipe=draw(st.text(max_size=5)),
        peer=draw(st.none() | st.text(max_size=5)),
        seed=draw(st.integers(0, 2**32 - 1)),
        classes=tuple(draw(st.text(max_size=5)) for _ in range(classes)),
        palette=tuple(draw(color) for _ in range(classes)),
        channels=channels,
        preprocessing=Preprocessing(
            resize=draw(st.integers(0, 500)), mean=draw(several), deviation=draw(several)
        ),
        full_value=draw(NUMBERS),
        activation=draw(st.sampled_from(["softmax", "sigmoid"])),
        precision=draw(st.sampled_from(["float32", "int8"])),
        outputs=("labels", "probabilities"),
        reach=Reach(
            step=step,
            least=draw(st.integers(0, 64)),
            halo=draw(st.none() | st.integers(0, 99).map(lambda cells: cells * step)),
            most=draw(st.none() | st.integers(64, 999)),
        ),
        bytes_per_pixel=draw(NUMBERS),
        checks=({"name": "a.png", "equal": 1.0},),
        notes=("a note",),
    )


@given(records())
def test_what_is_written_is_read(record: ExportRecord) -> None:
    assert ExportRecord.from_json(record.as_json()) == record


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
NAMES = (
    *("version", "recipe", "seed", "classes", "palette", "channels", "channel_names", "reach"),
    *("preprocessing", "full_value", "activation", "precision", "outputs", "bytes_per_pixel"),
    *("checks", "notes"),
)


@given(records(), st.sampled_from(NAMES), values)
def test_whatever_stands_there_is_read_or_refused(
    record: ExportRecord, name: str, value: Any
) -> None:
    told = {**json.loads(record.as_json()), name: value}
    try:
        ExportRecord.from_json(json.dumps(told))
    except InputError as error:
        assert "\n" not in str(error)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        ExportRecord.from_json(text)
    except InputError:
        return
    raise AssertionError("no text of chance is a description")
