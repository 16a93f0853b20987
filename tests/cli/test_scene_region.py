from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from segmint.images import read_labels


@pytest.fixture
def measured(here):
    """A TIFF of floats whose border is unknown, and the mask of what is known."""
    values = np.random.default_rng(0).normal(500, 20, (150, 210, 2)).astype(np.float32)
    values[:, :90] += 300
    inside = np.zeros((150, 210), np.uint8)
    inside[20:130, 10:200] = 1
    values[inside == 0] = np.nan
    tifffile.imwrite(
        here / "x.tif", values, tile=(64, 64), photometric="minisblack", planarconfig="contig"
    )
    tifffile.imwrite(here / "r.tif", inside)
    return inside


@pytest.mark.parametrize("method", ["em-gmm", "kmeans", "clustering", "hybrid", "deepsvg"])
def test_values_outside_the_region_may_be_no_numbers(here, succeeds, measured, method):
    further = {
        "clustering": ("--features", 8, "--iterations", 4),
        "deepsvg": ("--features", 4, "--levels", 2, "--epochs", 3),
    }
    words = ("segment", "x.tif", "--region", "r.tif", "--method", method, "--components", 2)
    words = (*words, *further.get(method, ()), "--quiet")
    succeeds(*words, "--out", "out", "--stream", "tiff")
    labels = read_labels(here / "out" / "x" / "labels.tif")
    np.testing.assert_array_equal(labels >= 0, measured > 0)
    record = json.loads((here / "out" / "x" / "result.json").read_text())
    assert record["streamed"]
    if method not in ("clustering", "deepsvg"):  # which learn on a sample
        succeeds(*words, "--out", "whole")
        np.testing.assert_array_equal(labels, read_labels(here / "whole" / "x" / "labels.png"))
        tables = [(here / out / "x" / "components.csv").read_text() for out in ("out", "whole")]
        assert tables[0].splitlines()[0] == tables[1].splitlines()[0]


def test_without_the_region_they_are_refused(refused, measured):
    words = ("segment", "x.tif", "--method", "em-gmm", "--stream", "tiff", "--quiet")
    assert "NaN or infinite" in refused(1, *words)
