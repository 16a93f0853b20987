from __future__ import annotations

import copy
import json
import math
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, jaccard_score
from torch import Tensor, nn
from torch.nn import functional

from segmint.errors import InputError, UsageError
from segmint.objectives import Batch, Objective
from segmint.objectives.mutual_steps import Gate, Mode
from segmint.solvers.mutual_options import GATES, MODES, MutualOptions
from segmint.solvers.mutual_task import MutualTask, ramp_up
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.peer import Peer
from segmint.solvers.supervised_task import SupervisedTask
from segmint.solvers.training import fit
from segmint.solvers.training_options import TrainingOptions
from segmint.solvers.validation import validate

sys.path.insert(0, str(Path(__file__).parent))
from training_example import ExampleSource, ExampleValidation

CLASSES = 4
CPU = torch.device("cpu")


def network(seed: int, *, stride: int = 1, dropout: float = 0.0, channels: int = 3) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, 5, 3, stride=stride, padding=1),
            nn.Tanh(),
            nn.Dropout(dropout),
            nn.Conv2d(5, CLASSES if channels == 3 else 2, 1),
        )


def peer(seed: int, teachers: tuple[str, ...] = (), **given: object) -> Peer:
    names = ("stride", "dropout", "channels")
    built = {name: given.pop(name) for name in names if name in given}
    objective = Objective(given.pop("objective", "cross_entropy"))
    return Peer(network=network(seed, **built), objective=objective, teachers=teachers, **given)


def pair(**given: object) -> dict[str, Peer]:
    return {"a": peer(1, ("b",), **given), "b": peer(2, ("a",), **given)}


def task(peers: dict[str, Peer], classes: int = CLASSES, **options: object) -> MutualTask:
    return MutualTask(peers, MutualOptions(**options), classes=classes)


def batch(seed: int = 0, images: int = 2, native: tuple[int, int] | None = None) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.randint(0, CLASSES, (images, *(native or (12, 10))), generator=generator)
    mask[:, :2] = 255
    image = torch.randn(images, 3, 12, 10, generator=generator)
    return Batch(image=image, mask=mask, names=tuple(f"{seed}-{n}" for n in range(images)))


def gradients(learned: MutualTask, given: Batch) -> dict[str, Tensor]:
    """The gradient of each peer, as one vector."""
    learned.zero_grad()
    learned.loss(given)[0].backward()
    return {
        name: torch.cat([weight.grad.flatten() for weight in each.parameters()])
        for name, each in learned.networks().items()
        if all(weight.grad is not None for weight in each.parameters())
    }


def alone(of: Peer, given: Batch) -> Tensor:
    """The gradient of a peer's own objective."""
    weights = list(of.network.parameters())
    total = functional.cross_entropy(of.network(given.image), given.mask, ignore_index=255)
    return torch.cat([each.flatten() for each in torch.autograd.grad(total, weights)])


def divergence(target: Tensor, logits: Tensor, known: Tensor, heat: float = 1.0) -> Tensor:
    """KL of a target to a peer, by the definition."""
    q, log_p = (target / heat).softmax(dim=1), (logits / heat).log_softmax(dim=1)
    each = (q * (q.log() - log_p)).sum(dim=1)
    return heat**2 * each[known].mean()


@dataclass
class Images:
    """A validation of given batches."""

    given: list[Batch]

    def batches(self, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        yield from self.given[rank::world]


@pytest.mark.parametrize(("weight", "heat"), [(1.0, 1.0), (0.3, 4.0)])
def test_loss_is_the_sum_of_what_each_peer_minimizes(weight: float, heat: float) -> None:
    learned, given = task(pair(), mutual_weight=weight, temperature=heat), batch()
    total, parts = learned.loss(given)
    a, b = (each(given.image).detach() for each in learned.networks().values())
    known = given.mask != 255
    expected = {
        "a/cross_entropy": functional.cross_entropy(a, given.mask, ignore_index=255),
        "b/cross_entropy": functional.cross_entropy(b, given.mask, ignore_index=255),
        "a/mutual": weight * divergence(b, a, known, heat),
        "b/mutual": weight * divergence(a, b, known, heat),
    }
    assert {name: float(parts[name]) for name in expected} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-5
    )
    assert float(total.detach()) == pytest.approx(float(sum(expected.values())), rel=1e-6)
    assert not any(part.requires_grad for part in parts.values())
    apart = divergence(b / heat, a / heat, known)
    assert float(parts["b>a/divergence"]) == pytest.approx(float(apart), rel=1e-5)
    same = (a.argmax(dim=1) == b.argmax(dim=1))[known].float().mean()
    assert float(parts["agreement"]) == pytest.approx(float(same))


def test_a_peer_follows_its_own_loss_alone() -> None:
    learned, given = task(pair()), batch()
    found = gradients(learned, given)
    for name, other in (("a", "b"), ("b", "a")):
        own = learned.peers[name].network
        target = learned.peers[other].network(given.image).detach()
        logits = own(given.image)
        total = functional.cross_entropy(logits, given.mask, ignore_index=255)
        total = total + divergence(target, logits, given.mask != 255)
        expected = torch.autograd.grad(total, list(own.parameters()))
        torch.testing.assert_close(found[name], torch.cat([each.flatten() for each in expected]))


def test_each_peer_is_computed_once() -> None:
    learned = task({"a": peer(1, ("b", "c")), "b": peer(2, ("a", "c")), "c": peer(3, ("a", "b"))})
    calls: list[str] = []
    for name, each in learned.networks().items():
        each.register_forward_hook(lambda *_, name=name: calls.append(name))
        each[0].weight.register_hook(lambda _, name=name: calls.append(name))
    gradients(learned, batch())
    assert sorted(calls) == ["a", "a", "b", "b", "c", "c"]


def test_twins_that_teach_each_other_stay_alike() -> None:
    one = peer(1, ("b",))
    twin = replace(copy.deepcopy(one), teachers=("a",))
    learned, given = task({"a": one, "b": twin}), batch()
    _, parts = learned.loss(given)
    assert float(parts["a/mutual"]) == pytest.approx(0, abs=1e-7)
    assert float(parts["agreement"]) == 1
    found = gradients(learned, given)
    assert torch.equal(found["a"], found["b"])
    torch.testing.assert_close(found["a"], alone(one, given), atol=1e-7, rtol=1e-5)


def test_order_of_peers_changes_nothing() -> None:
    names = ("a", "b", "c")

    def made(order: tuple[str, ...]) -> MutualTask:
        return task(
            {
                name: peer(
                    names.index(name),
                    tuple(each for each in order if each != name),
                    dropout=0.3,
                )
                for name in order
            }
        )

    torch.manual_seed(5)
    first = gradients(made(names), batch())
    torch.manual_seed(5)
    second = gradients(made(("c", "a", "b")), batch())
    for name in names:
        torch.testing.assert_close(first[name], second[name], atol=1e-8, rtol=1e-6)


def test_a_teacher_learns_alone_and_others_from_it() -> None:
    learned, given = task({"a": peer(1), "b": peer(2, ("a",)), "c": peer(3, ("a",))}), batch()
    found, (_, parts) = gradients(learned, given), learned.loss(given)
    torch.testing.assert_close(found["a"], alone(learned.peers["a"], given))
    assert "a/mutual" not in parts
    a, b = (learned.peers[name].network(given.image).detach() for name in "ab")
    expected = divergence(a, b, given.mask != 255)
    assert float(parts["b/mutual"]) == pytest.approx(float(expected), rel=1e-5)


def test_a_frozen_teacher_does_not_change() -> None:
    still = nn.Sequential(nn.BatchNorm2d(3), network(1))
    peers = {
        "a": Peer(network=still, objective=Objective("cross_entropy"), frozen=True),
        "b": peer(2, ("a",)),
    }
    learned = task(peers).train()
    before = copy.deepcopy(still.state_dict())
    found = gradients(learned, batch())
    assert set(found) == {"b"}
    assert all(torch.equal(value, before[name]) for name, value in still.state_dict().items())
    assert not any(weight.requires_grad for weight in still.parameters())
    assert "a/cross_entropy" not in learned.loss(batch())[1]
    assert len(learned.parameter_groups()) == 1
    assert set(learned.monitors) == {"b"}


def test_weight_rises_at_the_start() -> None:
    learned, given = task(pair(), ramp_up_steps=10), batch()
    full = float(task(pair()).loss(given)[1]["a/mutual"])
    for step in (0, 4, 10, 99):
        learned.begin_step(step)
        expected = full * math.exp(-5 * (1 - min(step / 10, 1)) ** 2)
        assert float(learned.loss(given)[1]["a/mutual"]) == pytest.approx(expected, rel=1e-5)
    assert ramp_up(0, 0) == 1


def test_images_without_masks_feed_the_divergence_alone() -> None:
    given = batch()
    more = joined(given, batch(7, images=1))
    learned = task(pair())
    _, parts = learned.loss(more)
    alone_parts = learned.loss(given)[1]
    assert float(parts["a/cross_entropy"]) == pytest.approx(float(alone_parts["a/cross_entropy"]))
    a, b = (each(more.image).detach() for each in learned.networks().values())
    known = more.mask != 255
    known[-1] = True
    assert float(parts["a/mutual"]) == pytest.approx(float(divergence(b, a, known)), rel=1e-5)
    region = torch.ones_like(known)
    region[:, :, :4] = False
    _, parts = learned.loss(replace(more, region=region))
    expected = divergence(b, a, known & region)
    assert float(parts["a/mutual"]) == pytest.approx(float(expected), rel=1e-5)


def test_unlabelled_pixels_count_when_asked() -> None:
    given = batch()
    learned = task(pair(), mutual_pixels="all")
    _, parts = learned.loss(given)
    a, b = (each(given.image).detach() for each in learned.networks().values())
    everywhere = torch.ones_like(given.mask, dtype=torch.bool)
    expected = divergence(b, a, everywhere)
    assert float(parts["a/mutual"]) == pytest.approx(float(expected), rel=1e-5)


def test_peers_of_unlike_size_meet_at_the_masks() -> None:
    learned = task({"a": peer(1, ("b",), stride=2), "b": peer(2, ("a",))})
    _, parts = learned.loss(batch())
    a, b = (each(batch().image).detach() for each in learned.networks().values())
    larger = functional.interpolate(a, (12, 10), mode="bilinear", align_corners=False)
    expected = divergence(b, larger, batch().mask != 255)
    assert float(parts["a/mutual"]) == pytest.approx(float(expected), rel=1e-5)


def test_a_solo_twin_meets_the_same_chance() -> None:
    peers = pair(dropout=0.5)
    for name in ("a", "b"):
        twin = copy.deepcopy(peers[name])
        peers[f"{name}-solo"] = replace(twin, teachers=(), ensemble="ensemble-solo")
    found = gradients(task(peers, mutual_weight=0).train(), batch())
    assert torch.equal(found["a"], found["a-solo"])
    assert torch.equal(found["b"], found["b-solo"])
    found = gradients(task(peers).train(), batch())
    assert not torch.allclose(found["a"], found["a-solo"])


def test_a_solo_twin_learns_as_if_it_were_alone(tmp_path: Path) -> None:
    """Bit for bit, with clipping, for the gradient of each network is clipped by itself."""

    def run(learned: object, folder: str) -> None:
        fit(
            learned,
            ExampleSource(steps_per_epoch=3),
            validation=ExampleValidation(),
            optimizer=OptimizerOptions(gradient_clip=0.05),
            training=TrainingOptions(epochs=2, batch_size=4),
            folder=tmp_path / folder,
            seed=3,
            device="cpu",
            precision="float32",
        )

    peers = {"a": peer(1, ("b",), channels=1), "b": peer(2, ("a",), channels=1)}
    solo = replace(copy.deepcopy(peers["a"]), teachers=())
    other = SupervisedTask(copy.deepcopy(solo.network), Objective("cross_entropy"), classes=2)
    run(task({**peers, "a-solo": replace(solo, ensemble="ensemble-solo")}, classes=2), "together")
    run(other, "alone")
    # The last weights: those of the best epoch may be of another one.
    from segmint.solvers.checkpoints import LAST, read_checkpoint

    together = read_checkpoint(tmp_path / "together" / LAST).task
    expected = read_checkpoint(tmp_path / "alone" / LAST).task
    for name, value in expected.items():
        twin = name.replace("network.", "_networks.peer-a-solo.")
        assert torch.equal(together[twin], value), name


@pytest.mark.parametrize("native", [(12, 10), (31, 23)])
def test_scores_are_of_each_peer_and_of_their_mean(native: tuple[int, int]) -> None:
    learned = task({"a": peer(1, ("b",), stride=2), "b": peer(2, ("a",))})
    given = [batch(seed, images=1, native=native) for seed in range(3)]
    found = validate(learned, Images(given), device=CPU)
    truth: list[np.ndarray] = []
    said: dict[str, list[np.ndarray]] = {"a": [], "b": [], "ensemble": []}
    for each in given:
        known = each.mask != 255
        truth.append(each.mask[known].numpy())
        large = {
            name: functional.interpolate(
                learned.peers[name].network(each.image), native, mode="bilinear"
            )
            for name in "ab"
        }
        for name in "ab":
            said[name].append(large[name].argmax(dim=1)[known].numpy())
        mean = (large["a"].softmax(dim=1) + large["b"].softmax(dim=1)) / 2
        said["ensemble"].append(mean.argmax(dim=1)[known].numpy())
    y = np.concatenate(truth)
    for name, labels in said.items():
        p = np.concatenate(labels)
        iou = jaccard_score(y, p, labels=np.union1d(y, p), average="macro")
        assert found[f"{name}/mean_iou"] == pytest.approx(iou)
        assert found[f"{name}/accuracy"] == pytest.approx(accuracy_score(y, p))
    same = np.concatenate(said["a"]) == np.concatenate(said["b"])
    assert found["agreement"] == pytest.approx(same.mean())
    gap = abs(found["a/mean_iou"] - found["b/mean_iou"])
    assert found["gap"] == pytest.approx(gap)
    assert learned.monitor in found
    assert set(learned.monitors.values()) <= set(found)


def test_broken_peer_is_named() -> None:
    peers = pair()
    learned, given = task(peers), batch()
    with torch.no_grad():
        peers["b"].network[0].weight[0, 0, 0, 0] = torch.nan
    assert not torch.isfinite(learned.loss(given)[0])
    with pytest.raises(InputError, match="peer 'b': the objective is not finite"):
        learned.explain(given)


def joined(given: Batch, more: Batch) -> Batch:
    return replace(
        given,
        image=torch.cat([given.image, more.image]),
        mask=torch.cat([given.mask, torch.full_like(more.mask, 255)]),
        names=(*given.names, *more.names),
        without_mask=len(more.image),
    )


@pytest.mark.parametrize("spread", [False, True])
def test_a_broken_image_without_mask_is_named(spread: bool) -> None:
    """Also where statistics of the batch spoil the logits of all images."""
    peers = pair()
    if spread:
        peers["a"].network.insert(1, nn.BatchNorm2d(5))
    learned, given = task(peers).train(), joined(batch(), batch(7, images=2))
    given.image[-1, 0, 3, 4] = torch.nan
    said = r"^peer 'a': .* the pixels of 7-1 are not all finite: check that file$"
    with pytest.raises(InputError, match=said):
        learned.explain(given)


def test_labelled_images_are_named_where_logits_are_whole() -> None:
    learned, given = task(pair()), joined(batch(), batch(7, images=1))
    learned.peers["a"].objective.register_forward_hook(lambda *_: torch.tensor(torch.nan))
    with pytest.raises(InputError, match=r"^peer 'a': .* for 0-0, 0-1, though image and logits"):
        learned.explain(given)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"order": ("b", "a")}, "peers"),
        ({"a": {"teachers": ()}}, "teachers of a"),
        ({"a": {"objective": Objective("dice")}}, "objective of a"),
        ({"b": {"learning_rate": 0.5}}, "learning_rate of b"),
        ({"b": {"frozen": True}}, "frozen of b"),
        ({"c": {"ensemble": "other"}}, "ensembles"),
        ({"temperature": 2.0}, "temperature"),
        ({"mutual_weight": 0.5}, "mutual_weight"),
        ({"gate": "surer"}, "gate"),
        ({"mutual": "pairwise"}, "mutual"),
    ],
)
def test_what_a_training_may_not_change(changes: dict, name: str) -> None:
    def made(order: tuple[str, ...] = ("a", "b"), **given: object) -> dict[str, object]:
        peers = {**pair(), "c": peer(3), "d": peer(4)}
        own = {each: given.pop(each, {}) for each in peers}
        chosen = {each: replace(peers[each], **own[each]) for each in (*order, "c", "d")}
        return json.loads(json.dumps(task(chosen, **given).fixed()))

    before, after = made(), made(**changes)
    assert next(key for key in before if before[key] != after[key]) == name
    assert before == made()


def test_other_processes_can_have_it() -> None:
    learned = task(pair())
    again = pickle.loads(pickle.dumps(learned))  # noqa: S301
    assert again.networks()["a"] is again.peers["a"].network
    torch.testing.assert_close(again.loss(batch())[0], learned.loss(batch())[0])


def test_own_learning_rates() -> None:
    peers = {"a": peer(1, ("b",), learning_rate=0.5), "b": peer(2, ("a",))}
    groups = task(peers).parameter_groups()
    assert [group.get("lr") for group in groups] == [0.5, None]


@pytest.mark.parametrize(
    ("peers", "words"),
    [
        ({"a": peer(1)}, "1 of the peers learn from each other"),
        ({"a": peer(1, ("c",)), "b": peer(2)}, "'a' names the teacher 'c'"),
        ({"a": peer(1, ("a",)), "b": peer(2)}, "'a' names the teacher 'a'"),
        ({"a": peer(1, ("b", "b")), "b": peer(2)}, "'a' names the teacher 'b'.*, each once"),
        ({"a": peer(1, frozen=True), "b": peer(2, frozen=True)}, r"all peers are frozen \(a, b\)"),
        ({"a.b": peer(1), "b": peer(2)}, "is named 'a.b', accepted are letters"),
        ({"": peer(1), "b": peer(2)}, "is named '', accepted are letters"),
        ({"a/b": peer(1), "b": peer(2)}, "is named 'a/b', accepted are letters"),
        ({"ensemble": peer(1), "b": peer(2)}, r"'ensemble', .* no name of an ensemble \(ensemble"),
        ({"a": peer(1), "b": peer(2), "c": peer(3, ensemble="a")}, "is named 'a'"),
        ({"a": peer(1), "b": peer(2), "c": peer(3, ensemble="../c")}, "is named '../c'"),
    ],
)
def test_refusals(peers: dict[str, Peer], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        task(peers)


@pytest.mark.parametrize("what", ["network", "objective"])
def test_peers_share_nothing(what: str) -> None:
    peers = pair()
    peers["b"] = replace(peers["b"], **{what: getattr(peers["a"], what)})
    with pytest.raises(UsageError, match=f"'a' and 'b' have the same {what}"):
        task(peers)


def test_peers_must_have_the_same_classes() -> None:
    with pytest.raises(UsageError, match="'a' answers with 4 classes, accepted are the 3"):
        task(pair(), classes=3).loss(batch())


def test_options_name_what_the_objective_knows() -> None:
    assert get_args(Mode) == MODES
    assert get_args(Gate) == GATES
