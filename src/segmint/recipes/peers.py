"""Which peers a training has, as its options say: names, networks, teachers, twins."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from segmint.errors import UsageError, nearest, shortened
from segmint.networks import networks
from segmint.networks.zoo_names import DOWNLOAD, PREFIX
from segmint.networks.zoo_names import parse as parse_zoo_name
from segmint.recipes.peers_options import PeersOptions
from segmint.recipes.settings import assignments
from segmint.solvers.epoch_line import VALIDATION
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.peer_names import ENSEMBLE, NAME, SOLO

LONGEST_NAME = 64
FLAG = "--peer-options"

_OWN = ("objective", "learning_rate", "weights", "frozen")
_SAME_FOR_ALL = ("classes", "in_channels", "seed")
_GREATEST_RATE = 1e38
_OBJECTIVE = "an objective, like 'cross_entropy'"
_OTHER_NAMES = {"lr": "learning_rate", "feature_normalization": "normalization"}


@dataclass(frozen=True, kw_only=True)
class PeerPlan:
    """What is asked of one peer."""

    name: str
    network: str
    """That :func:`segmint.networks.build` knows it by."""
    objective: str | Mapping[str, Any]
    seed: int
    """Of its initial weights."""
    learning_rate: float | None = None
    """Its greatest one; None is that of the run."""
    weights: str | None = None
    """To start from: a file, or ``download`` for the published ones of an encoder."""
    frozen: bool = False
    """It teaches and does not learn."""
    teachers: tuple[str, ...] = ()
    twin: bool = False
    """Whether a copy of it learns alone beside it; one without teachers does so itself."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of its network."""


def plan_peers(
    options: PeersOptions, mutual: MutualOptions, objective: str, *, seed: int
) -> tuple[PeerPlan, ...]:
    """The peers of a training, in the order in which they were named.

    Args:
        options: which networks, and how they differ.
        mutual: who teaches whom, and whether twins learn alone.
        objective: of peers without one of their own.
        seed: of the training; each peer starts from a seed of its own, which depends on its name.

    Raises:
        UsageError: for fewer than two peers, a name that is taken or cannot be one, an unknown
            network, peer or teacher, or options that contradict each other.

    Example:
        >>> told = PeersOptions(peers=("small=unet", "unet"), peer_options=("small.features=8",))
        >>> small, large = plan_peers(told, MutualOptions(), "cross_entropy", seed=0)
        >>> small.name, small.options, small.teachers
        ('small', {'features': 8}, ('unet',))
    """
    named = _named(options.peers)
    given = _given(options.peer_options, named)
    frozen = [name for name in named if given[name].get("frozen") is True]
    _check_together(options, mutual, frozen)
    _check_teachers(named, mutual, frozen)
    return tuple(
        _planned(
            name,
            network,
            given[name],
            objective=objective,
            seed=_seed_of(name, seed),
            teachers=() if name in frozen else _teachers_of(name, named, mutual.teacher),
            solo=mutual.solo,
        )
        for name, network in named.items()
    )


def default_name(network: str) -> str:
    """What a peer is called where only its network was named.

    Example:
        >>> default_name("smp:deeplabv3/resnet50"), default_name("unet")
        ('deeplabv3-resnet50', 'unet')
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", network.removeprefix(PREFIX)).strip("-_")


def _named(texts: Sequence[str]) -> dict[str, str]:
    """Network of each peer by its name."""
    if len(texts) < 2:
        shown = f" ({texts[0]})" if texts else ""
        raise UsageError(
            f"--peers names {len(texts)} network{'' if len(texts) == 1 else 's'}{shown}, accepted "
            "are 2 or more: name another, like --peers unet smp:deeplabv3/resnet50"
        )
    found: dict[str, str] = {}
    for text in texts:
        name, equals, network = text.rpartition("=")
        network = network.strip()
        name = name.strip() if equals else default_name(network)
        _check_name(name, text)
        _check_network(network, text)
        taken = next((each for each in found if each.lower() == name.lower()), None)
        if taken is not None:
            raise UsageError(
                f"--peers names two peers {name!r}{'' if taken == name else f' and {taken!r}'}, "
                "accepted are names that differ in more than case: write NAME=NETWORK, like "
                f"{name}-2={network}"
            )
        found[name] = network
    return found


def _check_name(name: str, text: str) -> None:
    kept_for = {
        "the mean of all": name.lower() == ENSEMBLE,
        "twins": name.lower().endswith(SOLO),
        "scores of the validation": name.startswith(VALIDATION),
    }
    reserved = [what for what, is_it in kept_for.items() if is_it]
    if reserved or len(name) > LONGEST_NAME or not re.fullmatch(NAME, name):
        why = f"is kept for {''.join(reserved[:1])}"
        raise UsageError(
            f"--peers is {shortened(text)!r}, whose name {shortened(name)!r} "
            f"{why if reserved else 'cannot be one'}, accepted are up to {LONGEST_NAME} letters, "
            "digits, - and _: write NAME=NETWORK"
        )


def _check_network(network: str, text: str) -> None:
    """Refuse what no network is called, before data are read."""
    if not network:
        raise UsageError(f"--peers is {text!r}, which names no network: write NAME=NETWORK")
    if network.startswith(PREFIX):
        parse_zoo_name(shortened(network))
    else:
        networks.entry(shortened(network))


def _given(texts: Sequence[str], named: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Values of the options of each peer by their full names."""
    found: dict[str, dict[str, Any]] = {name: {} for name in named}
    for text, value in assignments(texts, flag=FLAG).items():
        peer, dot, short = text.partition(".")
        option = _OTHER_NAMES.get(short, short)
        if not dot or not peer or not option:
            lacks = "an option" if dot and peer else "a peer"
            raise UsageError(
                f"{FLAG} is {shortened(text)!r} without {lacks}, accepted is NAME.OPTION=VALUE, "
                "like unet.features=16"
            )
        if peer not in found:
            known = nearest(shortened(peer), found)
            raise UsageError(f"{FLAG} speaks of the unknown peer {shortened(peer)!r}: {known}")
        if option in _SAME_FOR_ALL:
            raise UsageError(
                f"{FLAG} gives {text}, but all peers answer with the classes of one data set, "
                "see its channels and follow the seed of the run: leave it out"
            )
        if option in _OWN and value is None:
            raise UsageError(f"{FLAG} {text} is empty: give a value or leave it out")
        if option in found[peer]:
            raise UsageError(f"{FLAG} gives {peer}.{option} twice: give it once")
        found[peer][option] = value
    return found


def _planned(
    name: str,
    network: str,
    given: Mapping[str, Any],
    *,
    objective: str,
    seed: int,
    teachers: tuple[str, ...],
    solo: bool,
) -> PeerPlan:
    """A peer, with the values of its options checked."""
    rate, weights, frozen = (given.get(option) for option in ("learning_rate", "weights", "frozen"))
    asked = given.get("objective", objective)
    _check_kind(name, "objective", asked, isinstance(asked, str | Mapping), _OBJECTIVE)
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    fits = rate is None or (number and 0 <= rate <= _GREATEST_RATE)
    _check_kind(name, "learning_rate", rate, fits, f"a number from 0 to {_GREATEST_RATE:g}")
    _check_kind(name, "frozen", frozen, isinstance(frozen, bool | None), "true or false")
    _check_kind(name, "weights", weights, isinstance(weights, str | None), "a file")
    if frozen and weights in (None, DOWNLOAD):
        raise UsageError(
            f"{FLAG} {name}.frozen lets {name} teach what it does not learn here, which its "
            f"weights must bring: pass {name}.weights=FILE, a network of another run"
        )
    if frozen and rate is not None:
        raise UsageError(f"{FLAG} {name}.frozen and {name}.learning_rate go apart: leave one out")
    return PeerPlan(
        name=name,
        network=network,
        objective=asked,
        seed=seed,
        learning_rate=None if rate is None else float(rate),
        weights=weights,
        frozen=bool(frozen),
        teachers=teachers,
        twin=solo and bool(teachers),
        options={option: value for option, value in given.items() if option not in _OWN},
    )


def _check_kind(name: str, option: str, value: Any, fits: bool, accepted: str) -> None:
    if not fits:
        shown = shortened(repr(value))
        raise UsageError(f"{FLAG} {name}.{option} is {shown}, accepted is {accepted}")


def _teachers_of(name: str, named: Iterable[str], teacher: str | None) -> tuple[str, ...]:
    if teacher is not None:
        return () if name == teacher else (teacher,)
    return tuple(other for other in named if other != name)


def _check_teachers(named: Mapping[str, str], mutual: MutualOptions, frozen: Sequence[str]) -> None:
    teacher = mutual.teacher
    if teacher is not None and teacher not in named:
        raise UsageError(f"--teacher is {teacher!r}, which is no peer: {nearest(teacher, named)}")
    if len(frozen) == len(named):
        raise UsageError(
            f"{FLAG} freezes all peers ({', '.join(frozen)}), so that none learns: let one learn"
        )
    idle = [name for name in frozen if teacher not in (None, name)]
    if idle:
        raise UsageError(
            f"{FLAG} freezes {idle[0]}, but --teacher is {teacher}, so that it would neither teach "
            "nor learn: leave it out"
        )


def _check_together(options: PeersOptions, mutual: MutualOptions, frozen: Sequence[str]) -> None:
    """Refuse options that say nothing together."""
    if options.unlabelled is None and options.unlabelled_batch_size:
        raise UsageError(
            f"--unlabelled-batch-size is {options.unlabelled_batch_size} without --unlabelled: "
            "name the folder of images without masks, or leave it out"
        )
    if options.unlabelled is not None and mutual.gate == "right":
        raise UsageError(
            "--gate right asks the masks, which the images of --unlabelled do not have: take "
            "--gate surer"
        )
    if mutual.teacher is not None and mutual.mutual == "pairwise":
        raise UsageError(
            f"--mutual pairwise compares with each teacher in turn, but --teacher {mutual.teacher} "
            "is the only one, so that it says nothing: leave --mutual out"
        )
    idle = _without_weight(options, mutual, frozen)
    if mutual.mutual_weight == 0 and idle:
        raise UsageError(
            f"--mutual-weight is 0, so that {idle[0]} would teach nothing: give a weight above 0, "
            "or leave it out"
        )


def _without_weight(
    options: PeersOptions, mutual: MutualOptions, frozen: Sequence[str]
) -> list[str]:
    """What was asked for and says nothing where the divergence has no weight."""
    asked = {
        "--teacher": mutual.teacher is not None,
        "--unlabelled": options.unlabelled is not None,
        "--gate": mutual.gate != "none",
        "--ramp-up-steps": mutual.ramp_up_steps > 0,
        **{f"{FLAG} {name}.frozen": True for name in frozen},
    }
    return [what for what, is_asked in asked.items() if is_asked]


def _seed_of(name: str, seed: int) -> int:
    """Another for each name, so that peers with the same network start apart."""
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0])
