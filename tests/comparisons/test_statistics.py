from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from segmint.comparisons.statistics import holm, paired_t_test, signed_rank_test
from segmint.errors import InputError

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@pytest.mark.parametrize("pairs", [2, 3, 5, 30])
def test_t_test_is_that_of_scipy(pairs: int) -> None:
    generator = np.random.default_rng(pairs)
    first, second = generator.random(pairs).tolist(), generator.random(pairs).tolist()
    expected = stats.ttest_rel(first, second).pvalue
    assert paired_t_test(first, second) == pytest.approx(expected, rel=1e-9)


def test_t_test_of_two_pairs_by_its_closed_form() -> None:
    # With one degree of freedom t is Cauchy: p = 1 - 2 arctan(t) / pi.
    first, second = [0.7, 0.9], [0.5, 0.6]
    t = 0.25 / (math.sqrt(0.005) / math.sqrt(2))
    expected = 1 - 2 * math.atan(t) / math.pi
    assert paired_t_test(first, second) == pytest.approx(expected)


def test_three_pairs_need_a_mean_of_two_and_a_half_deviations() -> None:
    # Quantile of t with 2 degrees of freedom at 0.975, over the root of 3.
    needed = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert needed == pytest.approx(2.484, abs=1e-3)
    p_value = paired_t_test([needed - 1, needed, needed + 1], [0, 0, 0])
    assert p_value == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], []),
        ([0.5], [0.4]),
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        # Equal but for rounding: 0.1 + 0.2 is not 0.3.
        ([0.1 + 0.2, 0.3, 0.3], [0.2, 0.2, 0.2]),
    ],
)
def test_t_test_without_pairs_or_spread_says_nothing(
    first: list[float], second: list[float]
) -> None:
    assert paired_t_test(first, second) is None


@pytest.mark.parametrize("pairs", [6, 20, 80])
def test_signed_rank_test_is_that_of_scipy(pairs: int) -> None:
    generator = np.random.default_rng(pairs)
    first, second = generator.random(pairs), generator.random(pairs) + 0.2
    expected = stats.wilcoxon(first, second).pvalue
    assert signed_rank_test(first.tolist(), second.tolist()) == pytest.approx(expected)


def test_signed_rank_test_of_all_signs_counted() -> None:
    """The share of the 2^n signs with a statistic at least as far out, by brute force."""
    differences = np.array([0.3, -0.1, 0.4, 0.2, 0.5, 0.6, -0.05])
    ranks = stats.rankdata(np.abs(differences))
    seen = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in itertools.product([False, True], repeat=len(ranks))
    ]
    expected = 2 * np.mean([total <= seen for total in sums])
    found = signed_rank_test(differences.tolist(), [0.0] * len(differences))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("pairs", "differing"), [(5, 5), (0, 0), (9, 0)])
def test_signed_rank_test_without_pairs_or_differences_says_nothing(
    pairs: int, differing: int
) -> None:
    first = [float(index < differing) for index in range(pairs)]
    assert signed_rank_test(first, [0.0] * pairs) is None


@pytest.mark.parametrize("test", [paired_t_test, signed_rank_test])
def test_scores_that_are_not_paired_are_refused(test: object) -> None:
    assert callable(test)
    with pytest.raises(InputError, match="3 and 2"):
        test([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="not finite"):
        test([1, math.nan], [1, 2])


@given(P_VALUES)
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """The largest Bonferroni p value of all sets of hypotheses that hold one (Marcus et al.)."""
    adjusted = holm(p_values)
    for index in range(len(p_values)):
        sets = (
            chosen
            for size in range(1, len(p_values) + 1)
            for chosen in itertools.combinations(range(len(p_values)), size)
            if index in chosen
        )
        expected = max(
            min(1.0, len(chosen) * min(p_values[each] for each in chosen)) for chosen in sets
        )
        assert adjusted[index] == pytest.approx(expected)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_holm_counts_only_tests_that_were_made(p_values: list[float | None]) -> None:
    known = [value for value in p_values if value is not None]
    adjusted = holm(p_values)
    assert [value is None for value in adjusted] == [value is None for value in p_values]
    assert [value for value in adjusted if value is not None] == holm(known)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_holm_does_not_look_at_the_order(p_values: list[float], random: object) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = holm([p_values[index] for index in order])
    straight = holm(p_values)
    assert shuffled == [straight[index] for index in order]
