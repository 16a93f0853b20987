"""What visitors may choose: never a path."""

from __future__ import annotations

import typing

import pytest

from segmint.app.visitor_options import offered_fields, visitor_options
from segmint.errors import UsageError
from segmint.methods import methods

PATHS = {"mu_data", "warm_start"}


@pytest.mark.parametrize("name", list(methods))
def test_no_offered_option_takes_any_text(name: str) -> None:
    options = methods.load(name).options
    offered = {field.name for field in offered_fields(options)}
    assert offered == set(typing.get_type_hints(options)) - PATHS
    for field in offered_fields(options):
        kind = typing.get_type_hints(options)[field.name]
        if str in (kind, *typing.get_args(kind)):
            assert field.metadata["choices"] or field.metadata["words"]


@pytest.mark.parametrize("name", ["mu_data", "warm_start", "nonsense", "save_model", "x" * 4000])
def test_other_options_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be set here") as refused:
        visitor_options("deepg", {name: "/etc/passwd"})
    assert "/etc/passwd" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_aliases_and_words_are_taken() -> None:
    assert visitor_options("em-gmm", {"n_components": "auto"}) == {"components": "auto"}
    with pytest.raises(UsageError, match="auto"):
        methods.load("em-gmm").resolve(None, visitor_options("em-gmm", {"components": "/etc"}))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UsageError, match="hybrid"):
        visitor_options("hybird", {})
