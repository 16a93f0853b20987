from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import InputError
from segmint.methods.mixture_table import MixtureTable


def table(components: int = 2, channels: int = 3, **options: Any) -> MixtureTable:
    random = np.random.default_rng(5)
    return MixtureTable(
        weights=random.dirichlet(np.ones(components)),
        means=random.normal(size=(components, channels)) * 1e3,
        variances=random.random((components, channels)) * 1e-5,
        **options,
    )


@given(st.integers(1, 5), st.integers(1, 4), st.dictionaries(st.integers(0, 4), st.text()))
def test_csv_holds_every_number_to_six_digits(
    components: int, channels: int, names: dict[int, str]
) -> None:
    given_table = table(components, channels, names=names)
    rows = list(csv.DictReader(io.StringIO(given_table.csv(), newline="")))
    assert len(rows) == components
    for index, row in enumerate(rows):
        assert row["id"] == str(index)
        assert float(row["weight"]) == pytest.approx(given_table.weights[index], rel=5e-6)
        for channel in range(channels):
            for what, values in (("mean", given_table.means), ("variance", given_table.variances)):
                written = float(row[f"{what}_{channel}"])
                assert written == pytest.approx(values[index, channel], rel=5e-6)


def test_names_have_a_column_where_any_is_given() -> None:
    named = table(channels=2, names={1: 'a "scar", old'}).csv()
    assert named.splitlines()[0] == "id,name,weight,mean_0,variance_0,mean_1,variance_1"
    assert [row["name"] for row in csv.DictReader(io.StringIO(named))] == ["", 'a "scar", old']
    assert table(channels=1).csv().splitlines()[0] == "id,weight,mean_0,variance_0"


def test_rows_are_plain_data_with_units() -> None:
    two = MixtureTable(
        weights=np.array([0.25, 0.75], dtype=np.float32),
        means=np.array([[1, 2], [3, 4]], dtype=np.float32),
        variances=np.array([[5, 6], [7, 8]], dtype=np.float32),
        channels=("DE", "T2"),
        names={1: "scar"},
        units="z-scores inside the region",
    )
    first = {"mean_DE": 1.0, "variance_DE": 5.0, "mean_T2": 2.0, "variance_T2": 6.0}
    second = {"mean_DE": 3.0, "variance_DE": 7.0, "mean_T2": 4.0, "variance_T2": 8.0}
    units = {"units": "z-scores inside the region"}
    expected = [
        {"id": 0, "name": None, "weight": 0.25, **first, **units},
        {"id": 1, "name": "scar", "weight": 0.75, **second, **units},
    ]
    assert two.rows() == expected
    assert json.loads(json.dumps(two.rows())) == expected
    header, row, _ = two.csv().splitlines()
    assert header.endswith(",units")
    assert row.endswith(",z-scores inside the region")


@pytest.mark.parametrize(
    ("weights", "means", "variances"),
    [
        ((2,), (3, 1), (3, 1)),
        ((2,), (2, 3), (2, 1)),
        ((2,), (2,), (2,)),
        ((2, 1), (2, 1), (2, 1)),
        ((0,), (0, 1), (0, 1)),
        ((2,), (2, 0), (2, 0)),
    ],
)
def test_shapes_must_fit(
    weights: tuple[int, ...], means: tuple[int, ...], variances: tuple[int, ...]
) -> None:
    with pytest.raises(InputError, match=r"accepted are \(K,\), \(K, C\) and \(K, C\)"):
        MixtureTable(weights=np.ones(weights), means=np.ones(means), variances=np.ones(variances))


@pytest.mark.parametrize("channels", [("a",), ("a", "a"), ("a", "b", "c")])
def test_channels_must_fit(channels: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="2 different names"):
        MixtureTable(
            weights=np.ones(1), means=np.ones((1, 2)), variances=np.ones((1, 2)), channels=channels
        )
