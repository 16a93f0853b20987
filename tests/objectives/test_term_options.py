from __future__ import annotations

from typing import Any

import pytest

from segmint.errors import UsageError
from segmint.objectives.term_options import checked_options


class Made:
    """A term with an option of every kind."""

    def __init__(
        self,
        *,
        number: float = 0.0,
        whole: int = 0,
        word: str = "",
        switch: bool = False,
        each: tuple[float, ...] = (),
        maybe: float | None = None,
    ) -> None:
        pass


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"number": 3}, {"number": 3.0}),
        ({"number": -0.5}, {"number": -0.5}),
        ({"whole": 3.0}, {"whole": 3}),
        ({"word": "none"}, {"word": "none"}),
        ({"switch": True}, {"switch": True}),
        ({"each": [1, 2.5]}, {"each": (1.0, 2.5)}),
        ({"each": ()}, {"each": ()}),
        ({"maybe": 2}, {"maybe": 2.0}),
        ({"maybe": "none"}, {"maybe": None}),
        ({"maybe": None}, {"maybe": None}),
    ],
)
def test_takes(given: dict[str, Any], taken: dict[str, Any]) -> None:
    found = checked_options("made", Made, given)
    assert found == taken
    assert [type(value) for value in found.values()] == [type(value) for value in taken.values()]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"number": "one"}, "number=one, accepted is a number"),
        ({"number": True}, "number=true, accepted is a number"),
        ({"number": (1.0,)}, "number=[1], accepted is a number"),
        ({"number": None}, "number=none, accepted is a number"),
        ({"whole": 2.5}, "whole=2.5, accepted is a whole number"),
        ({"word": 4}, "word=4, accepted is a word"),
        ({"switch": 1}, "switch=1, accepted is true or false"),
        ({"each": 1}, "each=1, accepted is a list in brackets, each a number"),
        ({"each": "word"}, "each=word, accepted is a list in brackets, each a number"),
        ({"each": (1, "two")}, "each=[1, two], accepted is a list in brackets, each a number"),
        ({"maybe": "word"}, "maybe=word, accepted is a number or none"),
        ({"nunber": 1}, "does not take nunber: did you mean 'number'? Known: each, maybe, number"),
    ],
)
def test_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_options("made", Made, given)
    assert message in str(caught.value)
