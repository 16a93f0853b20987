from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps

from segmint.images.palettes import OUTSIDE_COLOR
from segmint.metrics.calibration import calibration
from segmint.reports.run_examples import Example
from segmint.reports.run_uncertainty import uncertainty_section
from segmint.reports.uncertainty_picture import scale_top, uncertainty_picture, uncertainty_scale


def test_a_map_has_the_colors_of_its_scale() -> None:
    values = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    drawn = uncertainty_picture(values, top=1.0, size=(4, 4))
    viridis = (np.array(colormaps["viridis"]([0.0, 0.5, 1.0]))[:, :3] * 255).round()
    for place, expected in zip(((0, 0), (0, 2), (2, 0)), viridis, strict=True):
        assert np.abs(drawn[place].astype(int) - expected).max() <= 1
    assert drawn[2, 2].tolist() == list(OUTSIDE_COLOR)


def test_a_reduced_map_has_the_means_of_what_is_known() -> None:
    values = np.array([[0.2, 0.4], [np.nan, 0.6]], np.float32)
    whole = uncertainty_picture(np.full((1, 1), 0.4, np.float32), top=1.0, size=(1, 1))
    assert np.array_equal(uncertainty_picture(values, top=1.0, size=(1, 1)), whole)


def test_one_scale_serves_several_maps() -> None:
    maps = [np.full((5, 5), value, np.float32) for value in (0.2, 1.31)]
    assert scale_top(maps) >= 1.31
    assert scale_top([np.full((2, 2), np.nan, np.float32)]) == pytest.approx(0.1)
    scale = uncertainty_scale("Entropy", 1.5)
    assert (scale.low, scale.high) == ("0", "1.5 bits or more")
    assert len(scale.colors) >= 5


def test_the_reliability_is_that_of_a_plain_count() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (3, 40, 50))
    shares = (np.exp(logits) / np.exp(logits).sum(axis=0)).astype(np.float32)
    truth = generator.integers(0, 3, (40, 50)).astype(np.uint8)
    truth[:5] = 255
    example = Example(
        name="one",
        image=np.zeros((40, 50, 1), np.uint8),
        truth=truth,
        labels=shares.argmax(axis=0).astype(np.uint8),
        calibration=calibration(shares, truth),
    )
    section = uncertainty_section(None, [example])
    assert section is not None
    confidence, right = shares.max(axis=0)[truth != 255], (example.labels == truth)[truth != 255]
    bins = np.minimum(np.ceil(confidence * 15).astype(int), 15)
    filled = np.unique(bins)
    (chart,) = section.charts
    np.testing.assert_allclose(chart.x, [confidence[bins == each].mean() for each in filled], 1e-5)
    np.testing.assert_allclose(chart.y, [right[bins == each].mean() for each in filled])
    gaps = [
        (bins == each).mean() * abs(x - y)
        for each, x, y in zip(filled, chart.x, chart.y, strict=True)
    ]
    assert section.facts["expected calibration error"].startswith(f"{100 * sum(gaps):.1f} ")
    assert f"{confidence.size:,} labelled pixels of 1 example" in section.text[1]
    sure = "surer" if confidence.mean() > right.mean() else "less sure"
    assert sure in section.text[0]


def test_without_truth_nothing_is_said_of_how_sure_it_is() -> None:
    image = np.zeros((4, 4, 1), np.uint8)
    blind = Example(name="one", image=image, truth=None, labels=image[..., 0])
    assert uncertainty_section(None, [blind]) is None
    assert uncertainty_section(None, []) is None
