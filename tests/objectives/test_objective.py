from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segmint.errors import UsageError
from segmint.objectives import Batch, Objective
from segmint.objectives.continuity import Continuity


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(1, 4, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def batch() -> Batch:
    return Batch(image=torch.zeros(1, 3, 5, 6))


@pytest.mark.parametrize(
    ("text", "names", "weights"),
    [
        ("similarity", ("similarity",), (1.0,)),
        ("2*similarity", ("similarity",), (2.0,)),
        ("similarity+5*continuity", ("similarity", "continuity"), (1.0, 5.0)),
        (" 0.5 * similarity  +  max_area ", ("similarity", "max_area"), (0.5, 1.0)),
        ("1e-3*similarity + 1e+2*min_area", ("similarity", "min_area"), (1e-3, 100.0)),
        ("similarity\n + .5*scribble", ("similarity", "scribble"), (1.0, 0.5)),
        ("-1*similarity", ("similarity",), (-1.0,)),
        ("0*similarity + continuity", ("similarity", "continuity"), (0.0, 1.0)),
        ("continuity()", ("continuity",), (1.0,)),
    ],
)
def test_parses(text: str, names: tuple[str, ...], weights: tuple[float, ...]) -> None:
    objective = Objective(text)
    assert objective.names == names
    assert objective.weights == weights


def test_options_of_a_term() -> None:
    (term,) = Objective("2*continuity(x=0.5, y=1e+1, edge_sharpness=3)").terms
    assert isinstance(term, Continuity)
    assert (term.x, term.y, term.edge_sharpness) == (0.5, 10.0, 3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("similarty", "unknown term 'similarty': did you mean 'similarity'?"),
        ("similarity + 5*continuty", "unknown term 'continuty': did you mean 'continuity'?"),
        ("", "objective '' has an empty term"),
        ("similarity +", "objective 'similarity +' has an empty term"),
        ("similarity + + continuity", "has an empty term"),
        ("two*similarity", "'two' in term 'two*similarity' is not a number"),
        ("2*3*similarity", "is not 'name', 'weight*name'"),
        ("2 similarity", "is not 'name', 'weight*name'"),
        ("2*", "is not 'name', 'weight*name'"),
        ("continuity(x=1", "is not 'name', 'weight*name'"),
        ("simi larity", "is not 'name', 'weight*name'"),
        ("continuity(x=one)", "term 'continuity' has x=one, accepted is a number"),
        ("continuity(x)", "'' in term 'continuity(x)' is not a number, word or list"),
        ("continuity(x=1e)", "'1e' in term 'continuity(x=1e)' is not a number, word or list"),
        ("continuity(x=[1)", "'[1' in term 'continuity(x=[1)' is not a number, word or list"),
        ("continuity(x=(1))", "is not 'name', 'weight*name'"),
        ("continuity(x=-1)", "term 'continuity': x is -1.0, accepted is 0 or more"),
        ("rmi(radius=3.5) + bce", "term 'rmi' has radius=3.5, accepted is a whole number"),
        ("rmi(radius=11) + bce", "term 'rmi': radius is 11, accepted is 1 to 10"),
        ("rmi(pooling=4) + bce", "term 'rmi' has pooling=4, accepted is a word"),
        ("rmi(pooling=avarage) + bce", "did you mean 'average'?"),
        ("rmi(raduis=3) + bce", "term 'rmi' does not take raduis: did you mean 'radius'?"),
        ("continuity(z=1)", "term 'continuity' does not take z"),
        ("similarity(x=1)", "term 'similarity' does not take x"),
        ("__import__('os').getcwd()", "is not 'name', 'weight*name'"),
        ("nan*similarity", "is not a finite number"),
        ("inf*similarity", "is not a finite number"),
        ("continuity(x=nan)", "is not a finite number"),
        ("continuity(x=1, x=2)", "gives x twice"),
    ],
)
def test_text_that_is_no_objective(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Objective(text)
    assert message in str(caught.value)


def test_unknown_option_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'edge_sharpness'"):
        Objective("continuity(edge_sharpnes=1)")


def test_parts_are_the_weighted_terms(logits: Tensor, batch: Batch) -> None:
    objective = Objective("2*similarity + 3*continuity")
    total = objective(logits, batch)
    assert objective.parts == pytest.approx(
        {
            "similarity": float(Objective("2*similarity")(logits, batch)),
            "continuity": float(Objective("3*continuity")(logits, batch)),
        }
    )
    assert sum(objective.parts.values()) == pytest.approx(float(total))


@pytest.mark.parametrize(
    "text",
    ["continuity", "similarity + scribble", "similarity + max_area", "continuity + min_area"],
)
def test_parts_are_named_like_the_terms(logits: Tensor, batch: Batch, text: str) -> None:
    objective = Objective(text)
    objective(logits, batch)
    assert set(objective.parts) == set(objective.names)


def test_a_term_may_come_twice(logits: Tensor, batch: Batch) -> None:
    twice = Objective("continuity(x=2, y=0) + continuity(x=0, y=3)")
    torch.testing.assert_close(
        twice(logits, batch), Objective("continuity(x=2, y=3)")(logits, batch)
    )
    assert twice.parts.keys() == {"continuity"}


@pytest.mark.parametrize("text", ["0*similarity", "continuity(x=0, y=0)", "0*max_area"])
def test_weight_of_zero_is_nothing(logits: Tensor, batch: Batch, text: str) -> None:
    logits.requires_grad_()
    total = Objective(text)(logits, batch)
    total.backward()
    assert float(total.detach()) == 0
    assert not logits.grad.any()


@pytest.mark.parametrize(
    "text",
    [
        "similarity",
        "0.5*bce + 0.5*rmi(pooling=average, pool_size=4)",
        "cross_entropy(weights=[1, 2, 0.5], label_smoothing=0.1) + 1e-05*continuity",
        "rmi(forced=true)",
        "-1*similarity + focal(alpha=none)",
    ],
)
def test_text_is_that_of_the_same_objective(text: str) -> None:
    assert str(Objective(text)) == text
    assert Objective(text).expression == text


def test_a_mapping() -> None:
    objective = Objective(
        {"bce": 0.5, "rmi": {"weight": 0.5, "radius": 3, "pooling": "average", "pool_size": 4}}
    )
    assert objective.names == ("bce", "rmi")
    assert objective.weights == (0.5, 0.5)
    assert str(objective) == "0.5*bce + 0.5*rmi(radius=3, pooling=average, pool_size=4)"


@pytest.mark.parametrize(
    "text",
    ["rmi", "0.5*rmi", "rmi + 0*bce", "rmi + continuity", "rmi(radius=5) + rmi", "rmi + -1*bce"],
)
def test_a_term_that_needs_an_anchor(text: str) -> None:
    with pytest.raises(UsageError, match=r"needs an anchor: add bce or .*rmi\(forced=true\)"):
        Objective(text)


@pytest.mark.parametrize("text", ["rmi(forced=true)", "rmi + dice", "0*rmi + continuity"])
def test_an_anchor_or_none_needed(text: str) -> None:
    Objective(text)


def test_values_wait_for_no_one(logits: Tensor, batch: Batch) -> None:
    objective = Objective("similarity + mixture")
    objective(logits.requires_grad_(), batch)
    assert set(objective.values) == {"similarity", "mixture"}
    for value in objective.values.values():
        assert value.shape == ()
        assert not value.requires_grad


@pytest.mark.parametrize("text", ["similarity", "mixture", "similarity + mixture"])
def test_labels_are_the_largest_logits(logits: Tensor, batch: Batch, text: str) -> None:
    objective = Objective(text)
    assert objective.labels.shape == (0,)
    objective(logits, batch)
    assert objective.labels.dtype == torch.int16
    assert objective.labels.tolist() == logits.argmax(dim=1).tolist()
    objective(-logits, batch)
    assert objective.labels.tolist() == logits.argmin(dim=1).tolist()
