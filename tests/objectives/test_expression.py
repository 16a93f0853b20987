from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import UsageError
from segmint.objectives.expression import WeightedTerm, parse, written

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: name not in ("weight", "nan", "inf", "infinity")
)
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
WORDS = NAMES.filter(lambda word: word not in ("true", "false", "none"))
SINGLE = NUMBERS | WORDS | st.booleans()
VALUES = SINGLE | st.lists(SINGLE, max_size=4).map(tuple)
TERMS = st.builds(
    WeightedTerm,
    name=NAMES,
    weight=st.floats(allow_nan=False, allow_infinity=False),
    options=st.dictionaries(NAMES, VALUES, max_size=3),
)


@given(st.lists(TERMS, min_size=1, max_size=3))
def test_written_text_is_read_as_the_same(terms: list[WeightedTerm]) -> None:
    assert list(parse(written(terms))) == terms


def test_values_of_every_kind() -> None:
    (term,) = parse(" 2 * a ( b = 1, c = -2.5e+1 , d = word-2, e = [1, 2, .5], f = true, g = [] )")
    assert term.weight == 2
    assert term.options == {
        "b": 1,
        "c": -25.0,
        "d": "word-2",
        "e": (1, 2, 0.5),
        "f": True,
        "g": (),
    }


def test_a_mapping_as_yaml_gives_it() -> None:
    given = yaml.safe_load(
        """
        bce: 0.5
        rmi: {weight: 1e-1, radius: 3, pooling: average, pool_size: 4}
        cross_entropy:
        tversky:
          weights: [1, 2.5]
          gamma: 1e-3
          log_loss: yes
          other: null
        """
    )
    assert written(parse(given)) == (
        "0.5*bce + 0.1*rmi(radius=3, pooling=average, pool_size=4) + cross_entropy + "
        "tversky(weights=[1, 2.5], gamma=0.001, log_loss=true, other=none)"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "has no term"),
        (3, "accepted is text like '0.5*bce + 0.5*rmi' or a mapping"),
        (None, "accepted is text like"),
        ({"bce": [1]}, "accepted is its weight, or a mapping"),
        ({"bce": True}, "accepted is its weight, or a mapping"),
        ({"bce": "half"}, "'half' in term 'bce' is not a number"),
        ({"bce": float("nan")}, "is not a finite number"),
        ({"bce": {"weight": None}}, "accepted is its weight, or a mapping"),
        ({"bce": {"a": {"b": 1}}}, "is not a number, a word or a list of them"),
        ({"bce": {"a": "two words"}}, "'two words' in term 'bce' is not a number, word or list"),
        ({"bce": {"a": float("inf")}}, "is not a finite number"),
        ({3: 1}, "names a term 3"),
    ],
)
def test_a_mapping_that_is_no_objective(given: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(given)
    assert message in str(caught.value)
