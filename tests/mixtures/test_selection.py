from __future__ import annotations

import numpy as np
import pytest

from segmint.mixtures import GaussianMixture, select_components


@pytest.mark.parametrize("components", [1, 2, 4])
def test_finds_well_separated_blobs(components: int) -> None:
    generator = np.random.default_rng(0)
    which = generator.integers(0, components, 800)
    samples = generator.normal(size=(800, 2)) + 15.0 * which[:, None]
    mixture, table = select_components(samples, low=1, high=6, n_init=3)
    assert mixture.n_components == components
    assert [count for count, _ in table] == [1, 2, 3, 4, 5, 6]
    assert min(table, key=lambda row: row[1])[0] == components
    assert mixture.bic(samples) == dict(table)[components]


def test_weights_count() -> None:
    samples = np.random.default_rng(0).normal(size=(50, 1))
    _, table = select_components(samples, sample_weight=np.full(50, 3), low=2, high=2)
    expected = GaussianMixture(2).fit(samples).bic(np.repeat(samples, 3, axis=0))
    assert table[0][1] == pytest.approx(expected)
