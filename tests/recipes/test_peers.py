from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmint.errors import UsageError
from segmint.recipes.peers import PeerPlan, default_name, plan_peers
from segmint.recipes.peers_options import PeersOptions
from segmint.recipes.peers_record import file_of, read_peers
from segmint.recipes.settings import assignments
from segmint.solvers.mutual_options import MutualOptions

PAIR = ("a=unet", "b=unet")


def planned(
    peers: tuple[str, ...] = PAIR,
    peer_options: Any = (),
    *,
    seed: int = 0,
    unlabelled: str | None = None,
    unlabelled_batch_size: int = 0,
    **mutual: Any,
) -> dict[str, PeerPlan]:
    options = PeersOptions(
        peers=peers,
        peer_options=peer_options,
        unlabelled=unlabelled,
        unlabelled_batch_size=unlabelled_batch_size,
    )
    plans = plan_peers(options, MutualOptions(**mutual), "cross_entropy", seed=seed)
    return {plan.name: plan for plan in plans}


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("unet", "unet"),
        ("unet-original", "unet-original"),
        ("smp:deeplabv3/resnet50", "deeplabv3-resnet50"),
        ("smp:fpn/tu-convnext_tiny.fb_in1k", "fpn-tu-convnext_tiny-fb_in1k"),
    ],
)
def test_a_peer_is_called_like_its_network(network: str, name: str) -> None:
    assert default_name(network) == name
    assert [*planned((network, "b=unet"))] == [name, "b"]


def test_the_published_pair_is_the_default() -> None:
    plans = plan_peers(PeersOptions(), MutualOptions(), "cross_entropy", seed=0)
    assert [plan.network for plan in plans] == ["smp:deeplabv3/resnet50", "unet"]
    assert [plan.teachers for plan in plans] == [("unet",), ("deeplabv3-resnet50",)]
    assert not any(plan.twin or plan.frozen or plan.weights for plan in plans)


def test_everyone_teaches_everyone_else() -> None:
    found = planned((*PAIR, "c=unet"))
    assert {name: plan.teachers for name, plan in found.items()} == {
        "a": ("b", "c"),
        "b": ("a", "c"),
        "c": ("a", "b"),
    }


def test_one_teacher_learns_from_none() -> None:
    found = planned((*PAIR, "c=unet"), teacher="b")
    assert [found[name].teachers for name in "abc"] == [("b",), (), ("b",)]


def test_frozen_peers_teach_and_have_no_twin() -> None:
    found = planned(peer_options=("a.frozen=true", "a.weights=a.safetensors"), solo=True)
    assert (found["a"].frozen, found["a"].teachers, found["a"].twin) == (True, (), False)
    assert (found["b"].frozen, found["b"].teachers, found["b"].twin) == (False, ("a",), True)


def test_a_teacher_that_learns_alone_is_its_own_twin() -> None:
    found = planned((*PAIR, "c=unet"), teacher="b", solo=True)
    assert [found[name].twin for name in "abc"] == [True, False, True]


def test_options_of_single_peers() -> None:
    texts = ("a.lr=1e-4", "a.objective=0.5*bce + 0.5*rmi", "b.features=16", "b.weights=w.pt")
    found = planned(peer_options=texts)
    assert (found["a"].learning_rate, found["a"].objective) == (1e-4, "0.5*bce + 0.5*rmi")
    assert (found["b"].learning_rate, found["b"].objective) == (None, "cross_entropy")
    assert (found["a"].options, found["b"].options) == ({}, {"features": 16})
    assert (found["a"].weights, found["b"].weights) == (None, "w.pt")
    assert planned(peer_options=("a.feature_normalization=none",))["a"].options == {
        "normalization": "none"
    }


def test_seeds_depend_on_the_seed_and_the_name_alone() -> None:
    found = planned((*PAIR, "c=unet"))
    assert len({plan.seed for plan in found.values()}) == 3
    swapped = planned(("c=unet", "b=unet-original", "a=unet"))
    assert {name: plan.seed for name, plan in swapped.items()} == {
        name: plan.seed for name, plan in found.items()
    }
    assert planned(seed=1)["a"].seed != found["a"].seed


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"peers": ("unet",)}, "--peers names 1 network (unet), accepted are 2 or more"),
        ({"peers": ()}, "--peers names 0 networks, accepted are 2 or more"),
        ({"peers": ("unet", "unet")}, "two peers 'unet', accepted are names that differ"),
        ({"peers": ("unet", "UNet=unet")}, "two peers 'UNet' and 'unet'"),
        ({"peers": ("unet", "unet")}, "write NAME=NETWORK, like unet-2=unet"),
        ({"peers": ("unet", "ensemble=unet")}, "'ensemble' is kept for the mean of all"),
        ({"peers": ("unet", "val_a=unet")}, "'val_a' is kept for scores of the validation"),
        ({"peers": ("unet", "a-solo=unet")}, "'a-solo' is kept for twins"),
        ({"peers": ("unet", "a b=unet")}, "whose name 'a b' cannot be one"),
        ({"peers": ("unet", "../a=unet")}, "whose name '../a' cannot be one"),
        ({"peers": ("unet", "=unet")}, "whose name '' cannot be one"),
        ({"peers": ("unet", "a" * 65 + "=unet")}, "accepted are up to 64 letters"),
        ({"peers": ("unet", "a=")}, "names no network"),
        ({"peers": ("unet", "unett")}, "unknown network 'unett': did you mean 'unet'?"),
        ({"peers": ("unet", "smp:deeplabv4/resnet50")}, "did you mean 'deeplabv3'?"),
        ({"peers": ("unet", "smp:unet/resnet5")}, "unknown encoder 'resnet5': did you mean"),
        ({"peers": ("unet", "smp:unet")}, "names no encoder"),
        ({"peer_options": ("a.features",)}, "accepted is NAME.OPTION=VALUE, like unet.features"),
        ({"peer_options": (".features=3",)}, "'.features' without a peer"),
        ({"peer_options": ("x" * 3000 + ".features=3",)}, "unknown peer 'xxx"),
        ({"peers": ("unet", "x" * 3000 + "=unet")}, "xxx...' cannot be one"),
        ({"peers": ("unet", "a=" + "x" * 3000)}, "unknown network 'xxx"),
        ({"peers": ("unet", "a=smp:" + "x" * 3000 + "/resnet18")}, "network 'smp:xxx"),
        *[
            ({"peer_options": (f"a.{option}=",)}, f"a.{option} is empty: give a value or leave")
            for option in ("learning_rate", "lr", "weights", "frozen", "objective")
        ],
        ({"peer_options": {"a": {"weights": None}}}, "a.weights is empty"),
        ({"peer_options": ("features=3",)}, "'features' without a peer"),
        ({"peer_options": ("a.=3",)}, "without an option"),
        ({"peer_options": ("aa.features=3",)}, "unknown peer 'aa': did you mean 'a'?"),
        ({"peer_options": ("a.classes=3",)}, "all peers answer with the classes of one data set"),
        ({"peer_options": ("a.in_channels=3",)}, "leave it out"),
        ({"peer_options": ("a.seed=3",)}, "leave it out"),
        ({"peer_options": ("a.lr=1", "a.learning_rate=2")}, "gives a.learning_rate twice"),
        ({"peer_options": ("a.lr=1", "a.lr=2")}, "gives a.lr twice"),
        ({"peer_options": ("a.lr=fast",)}, "a.learning_rate is 'fast', accepted is a number"),
        ({"peer_options": ("a.lr=-1",)}, "a.learning_rate is -1, accepted is a number from 0 to"),
        ({"peer_options": ("a.lr=.inf",)}, "accepted is a number"),
        ({"peer_options": ("a.lr=.nan",)}, "accepted is a number"),
        ({"peer_options": ("a.lr=" + "9" * 400,)}, "accepted is a number"),
        (
            {"peer_options": {"a": {"frozen": True, "weights": "w", "lr": 1}}},
            "a.frozen and a.learning_rate go apart",
        ),
        ({"peer_options": ("a.lr=true",)}, "accepted is a number"),
        ({"peer_options": ("a.frozen=3",)}, "a.frozen is 3, accepted is true or false"),
        ({"peer_options": ("a.weights=3",)}, "a.weights is 3, accepted is a file"),
        (
            {"peer_options": ("a.objective=3",)},
            "is 3, accepted is an objective, like 'cross_entropy'",
        ),
        ({"peer_options": ("a.frozen=true",)}, "pass a.weights=FILE"),
        ({"peer_options": ("a.frozen=true", "a.weights=download")}, "pass a.weights=FILE"),
        ({"peer_options": {"a": 3}}, "peer_options of a are 3, accepted is a mapping"),
        ({"peer_options": {"a": {"features": object()}}}, "accepted are numbers, words"),
        (
            {"peer_options": {name: {"frozen": True, "weights": "w"} for name in "ab"}},
            "freezes all peers (a, b), so that none learns",
        ),
        (
            {"peer_options": {"a": {"frozen": True, "weights": "w"}}, "teacher": "b"},
            "freezes a, but --teacher is b",
        ),
        ({"teacher": "aa"}, "--teacher is 'aa', which is no peer: did you mean 'a'?"),
        ({"unlabelled_batch_size": 3}, "--unlabelled-batch-size is 3 without --unlabelled"),
        ({"unlabelled": "more", "gate": "right"}, "take --gate surer"),
        ({"teacher": "a", "mutual_weight": 0}, "so that --teacher would teach nothing"),
        ({"unlabelled": "more", "mutual_weight": 0}, "so that --unlabelled would teach nothing"),
        ({"gate": "surer", "mutual_weight": 0}, "so that --gate would teach nothing"),
        ({"ramp_up_steps": 9, "mutual_weight": 0}, "so that --ramp-up-steps would teach nothing"),
        (
            {"peer_options": {"a": {"frozen": True, "weights": "w"}}, "mutual_weight": 0},
            "so that --peer-options a.frozen would teach nothing",
        ),
        ({"teacher": "a", "mutual": "pairwise"}, "--teacher a is the only one, so that it says"),
    ],
)
def test_refusals(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        planned(**given)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 400


def is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


VALUES = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(min_size=1, max_size=20).filter(lambda word: not is_number(word)),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["bce", "rmi"]), st.floats(0, 1), min_size=1),
)


@given(value=VALUES)
def test_what_python_gives_comes_back_from_its_text(value: object) -> None:
    (text,) = PeersOptions(peer_options={"unet": {"option": value}}).peer_options
    assert assignments([text], flag="--peer-options") == {"unet.option": value}


def test_words_are_written_plainly() -> None:
    mapping = {"unet": {"objective": "0.5*bce + 0.5*rmi", "weights": Path("a.pt"), "lr": "true"}}
    assert PeersOptions(peer_options=mapping).peer_options == (
        "unet.objective=0.5*bce + 0.5*rmi",
        "unet.weights=a.pt",
        "unet.lr='true'",
    )


def asked(*texts: str) -> dict[str, Any]:
    """The options of a run of two peers with twins, as a record has them."""
    own = {"peers": list(PAIR), "peer_options": list(texts)}
    return {"peers": own, "mutual": {"solo": True}, "loss": {"objective": "cross_entropy"}}


def record(**changed: Any) -> dict[str, Any]:
    """What a run of two peers, of which b was frozen and has no twin, says of them."""
    options = asked("b.frozen=true", "b.weights=w")
    peers = [
        {
            "name": name,
            "network": "unet",
            "file": file_of(name),
            "solo": name.endswith("-solo"),
            "best": {"epoch": 2, "score": 0.5},
        }
        for name in ("a", "b", "a-solo")
    ]
    members = {"a": file_of("a"), "b": file_of("b", ensemble="ensemble")}
    ensembles = {"ensemble": {"members": members, "best": {"epoch": 1, "score": None}}}
    told = {"peers": peers, "ensembles": ensembles, "chosen": "b"}
    return {"seed": 0, "options": options, **told, **changed}


def test_a_record_tells_who_can_be_asked() -> None:
    found = read_peers(record())
    assert found.names == ("b", "a", "ensemble", "a-solo")
    assert found.files["a-solo"] == "networks/a-solo.safetensors"
    assert found.ensembles["ensemble"]["b"] == "networks/ensemble/b.safetensors"


def peers_with(**changed: Any) -> list[dict[str, Any]]:
    """All peers, the first of them changed."""
    first, *others = record()["peers"]
    return [{**first, **changed}, *others]


def together(**changed: Any) -> dict[str, Any]:
    return {"ensemble": {**record()["ensembles"]["ensemble"], **changed}}


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("peers", None),
        ("peers", []),
        ("peers", {}),
        ("peers", ["a"]),
        ("peers", record()["peers"][:2]),
        ("peers", [*record()["peers"], record()["peers"][0]]),
        ("peers", peers_with(name=3)),
        ("peers", peers_with(name="ensemble")),
        ("peers", peers_with(solo="no")),
        ("peers", peers_with(best=None)),
        ("peers", peers_with(best={"epoch": "2", "score": 1})),
        ("peers", peers_with(best={"epoch": 2, "score": "high"})),
        ("peers", peers_with(best={"epoch": 2, "score": 10**400})),
        ("peers", peers_with(file="../other/networks/a.safetensors")),
        ("peers", peers_with(file="networks/../../a.safetensors")),
        ("peers", peers_with(file="/networks/a.safetensors")),
        ("peers", peers_with(file="networks\\a.safetensors")),
        ("peers", peers_with(file="networks/a.pt")),
        ("peers", peers_with(file="networks/b.safetensors")),
        ("peers", peers_with(file="networks/ensemble/a.safetensors")),
        ("peers", peers_with(solo=True)),
        ("peers", peers_with(name="c", file="networks/c.safetensors")),
        ("ensembles", None),
        ("ensembles", {}),
        ("ensembles", {"ensemble": []}),
        ("ensembles", {**together(), "other": together()["ensemble"]}),
        ("ensembles", together(members={})),
        ("ensembles", together(members=["a"])),
        ("ensembles", together(members={"c": "networks/c.safetensors"})),
        ("ensembles", together(members={"a": "../a.safetensors"})),
        ("ensembles", together(members={"a": 3})),
        ("ensembles", together(best=3)),
        ("ensembles", together(members={"a": file_of("a")})),
        ("ensembles", together(members={"a": file_of("a"), "b": file_of("a")})),
        ("ensembles", together(members={"a": file_of("a"), "a-solo": file_of("a-solo")})),
        ("ensembles", together(members={name: file_of(name) for name in ("a", "b", "a-solo")})),
        ("ensembles", {**together(), "ensemble-solo": {"members": {"a-solo": file_of("a-solo")}}}),
        ("chosen", None),
        ("chosen", "c"),
        ("chosen", ["a"]),
        ("options.peers", asked("c.features=3")),
    ],
)
def test_what_is_damaged_in_a_record_is_named(entry: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{entry}$"):
        read_peers(record(**{entry.partition(".")[0]: value}))
