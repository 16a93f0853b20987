"""Several networks that learn from labels and from each other."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Literal, Self, cast

import torch
from torch import Tensor, nn

from segmint.errors import InputError, UsageError
from segmint.objectives.batch import IGNORE_INDEX, Batch
from segmint.objectives.blame import not_finite
from segmint.objectives.mutual import MutualLosses, mutual_losses
from segmint.objectives.precision import widened
from segmint.solvers.chance import reseed
from segmint.solvers.class_scores import ClassScores, MeanOfImages
from segmint.solvers.learning_task import LearningTask
from segmint.solvers.logits import logits_size, sized
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.peer import Peer
from segmint.solvers.peer_checks import check_peers, members_of
from segmint.solvers.peer_names import ENSEMBLE, SOLO
from segmint.solvers.validation_masks import at_image_size, checked_mask

SCORES = ("mean_iou", "accuracy", "mean_dice")

_STEEPNESS = 5.0
"""Of the ramp-up: its first weight is exp(-5)."""


class MutualTask(LearningTask):
    """Peers that each learn an objective of their own, drawn to what the others predict.

    The loss of peer i is ``objective_i + weight * T^2 * KL(q || p_i)``, where q are the predictions
    of its teachers, which get no gradient from it: each peer is computed once forward and once
    backward in a step. Peers without teachers learn alone, such as the solo twins that tell what
    the others gain; chance inside a network, like dropout, follows its name, so that a twin meets
    the same.

    Scores are those of :class:`~segmint.solvers.class_scores.ClassScores` for each peer and for
    each ensemble, the mean of its members' probabilities, with ``NAME/`` before them; the mean IoU
    of ``ensemble`` chooses the weights of all, and each peer's own chooses its own.

    Args:
        peers: by name; two or more.
        options: of how they teach each other.
        classes: K of all of them.
        ignore_index: of the masks, not counted.

    Raises:
        UsageError: when peers answer with different numbers of classes, have names that no file
            can bear, name a teacher that is not among them, share a network or an objective, or
            all are frozen.

    Source: Zhang, Xiang, Hospedales, Lu, "Deep Mutual Learning", CVPR 2018, equations 3 to 8.
    """

    monitor = f"{ENSEMBLE}/mean_iou"

    def __init__(
        self,
        peers: Mapping[str, Peer],
        options: MutualOptions,
        *,
        classes: int,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__()
        check_peers(peers, classes)
        self.peers = dict(peers)
        self.options = options
        self.classes = classes
        self.ignore_index = ignore_index
        self._members = members_of(peers)
        self.ensembles = {
            name: tuple(members) for name, members in self._members.items() if len(members) > 1
        }
        """Names of the members of each ensemble; where there is one alone, there is none."""
        learning = [name for name, peer in peers.items() if not peer.frozen]
        chosen = [*learning, *(name for name in self.ensembles if name != ENSEMBLE)]
        self.monitors = {name: f"{name}/mean_iou" for name in chosen}
        self._networks = nn.ModuleDict({_key(name): peers[name].network for name in peers})
        for peer in peers.values():
            if peer.frozen:
                peer.network.requires_grad_(False)
        self._teaching = self._members[ENSEMBLE]
        self._counts = {
            name: ClassScores(classes=classes, ignore_index=ignore_index)
            for name in (*peers, *self.ensembles)
        }
        self._losses = {name: MeanOfImages() for name in peers}
        self._agreement = MeanOfImages()
        self._counters = nn.ModuleList([*self._counts.values(), *self._losses.values()])
        self._weight = options.mutual_weight

    def train(self, mode: bool = True) -> Self:
        """Let peers learn, but for those that only teach."""
        super().train(mode)
        for peer in self.peers.values():
            if peer.frozen:
                peer.network.eval()
        return self

    def begin_step(self, step: int) -> None:
        """Choose the weight of the divergence."""
        self._weight = self.options.mutual_weight * ramp_up(step, self.options.ramp_up_steps)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of all peers' losses, of which each changes its own peer alone."""
        logits = self._respond(batch)
        labelled = batch.masked_part()
        totals: list[Tensor] = []
        parts: dict[str, Tensor] = {}
        for name, peer in self.peers.items():
            if not peer.frozen:
                totals.append(peer.objective(logits[name][: len(labelled.image)], labelled))
                parts |= {f"{name}/{term}": value for term, value in peer.objective.values.items()}
        found = self._compare(logits, batch)
        for name, value in zip(self._teaching, found.losses, strict=True):
            if self.peers[name].teachers:
                totals.append(self._weight * value)
                parts[f"{name}/mutual"] = totals[-1].detach()
        return sum(totals[1:], start=totals[0]), {**parts, **self._figures(found)}

    def explain(self, batch: Batch) -> None:
        """Name the peer that broke first.

        Raises:
            InputError: when logits or the objective of a peer are not finite.
        """
        for name, logits in self._respond(batch).items():
            peer, labelled = self.peers[name], batch.masked_part()
            total = peer.objective(logits[: len(labelled.image)], labelled)
            whole = bool(logits.isfinite().all())
            if not (whole and bool(total.isfinite())):
                # Logits that are lost may be so by an image that the objective does not look at.
                looked_at = labelled if whole else batch
                found = logits.detach()[: len(looked_at.image)]
                error = not_finite(peer.objective.values, (found,), looked_at)
                raise InputError(f"peer {name!r}: {error}")

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The weights of each peer that learns, with its own learning rate where it has one."""
        return [
            {"params": list(peer.network.parameters())}
            | ({} if peer.learning_rate is None else {"lr": peer.learning_rate})
            for peer in self.peers.values()
            if not peer.frozen
        ]

    def networks(self) -> Mapping[str, nn.Module]:
        """The network of every peer."""
        return {name: peer.network for name, peer in self.peers.items()}

    def groups(self) -> Mapping[str, nn.Module]:
        """The members of the ensembles beside ``ensemble``, whose own score chooses them."""
        return {
            ensemble: nn.ModuleDict({_key(name): self.peers[name].network for name in members})
            for ensemble, members in self.ensembles.items()
            if ensemble != ENSEMBLE
        }

    def fixed(self) -> Mapping[str, Any]:
        """Peers in their order, what each learns by, from whom and how."""
        found: dict[str, Any] = {
            "peers": list(self.peers),
            "ensembles": self.ensembles,
            **self.options.resolved(),
        }
        for name, peer in self.peers.items():
            found |= {
                f"objective of {name}": peer.objective.expression,
                f"teachers of {name}": peer.teachers,
                f"learning_rate of {name}": peer.learning_rate,
                f"frozen of {name}": peer.frozen,
                f"network of {name}": getattr(peer.network, "configuration", None),
            }
        return found

    def start_validation(self) -> None:
        """Forget the scores of the last validation."""
        device = next(self.parameters()).device
        for counts in self._counts.values():
            counts.start(device)
        for mean in (*self._losses.values(), self._agreement):
            mean.start()

    def validate(self, batch: Batch) -> None:
        """Count what each peer and each ensemble says of a batch, whose mask is of native size.

        Raises:
            InputError: when there is no mask, or it holds a class beyond the last.
        """
        mask = checked_mask(batch, classes=self.classes, ignore_index=self.ignore_index)
        small, size = at_image_size(batch), mask.shape[-2:]
        labels: dict[str, Tensor] = {}
        for ensemble, members in self._members.items():
            probabilities = torch.zeros((), device=mask.device)
            for name in members:
                logits = widened(self._answer(name, batch))
                total = self.peers[name].objective(sized(logits, small.image.shape[-2:]), small)
                self._losses[name].add(total, weight=len(batch.image))
                large = sized(logits, size)
                labels[name] = large.argmax(dim=1)
                probabilities = probabilities + large.softmax(dim=1)
            if ensemble in self.ensembles:
                labels[ensemble] = probabilities.argmax(dim=1)
        for name, found in labels.items():
            self._counts[name].count(found, mask)
        self._count_agreement([labels[name] for name in self._teaching], mask)

    def scores(self) -> dict[str, float]:
        """What the validation since its start was worth, over all processes.

        Raises:
            InputError: when no pixel had a label.
        """
        found: dict[str, float] = {}
        for name, counts in self._counts.items():
            if name in self.peers:
                found[f"{name}/loss"] = self._losses[name].value()
            scores = counts.scores()
            found |= {f"{name}/{score}": scores[score] for score in SCORES}
        found["agreement"] = self._agreement.value()
        each = [found[f"{name}/mean_iou"] for name in self._teaching]
        found["gap"] = max(each) - min(each)
        return found

    def _respond(self, batch: Batch) -> dict[str, Tensor]:
        """Logits of every peer at the size of the masks, in the precision of the run."""
        size, base = logits_size(batch), torch.initial_seed()
        found = {}
        for name in self.peers:
            if self.training:
                reseed(batch.image.device, base, zlib.crc32(name.removesuffix(SOLO).encode()))
            found[name] = sized(self._answer(name, batch), size)
        return found

    def _answer(self, name: str, batch: Batch) -> Tensor:
        peer = self.peers[name]
        with torch.no_grad() if peer.frozen else nullcontext():
            logits = cast(Tensor, peer.network(batch.image))
        if logits.shape[1] != self.classes:
            raise UsageError(
                f"peer {name!r} answers with {logits.shape[1]} classes, accepted are the "
                f"{self.classes} that all peers have: build it with classes={self.classes}"
            )
        return logits

    def _compare(self, logits: Mapping[str, Tensor], batch: Batch) -> MutualLosses:
        teaching, options = self._teaching, self.options
        return mutual_losses(
            [logits[name] for name in teaching],
            [[teaching.index(each) for each in self.peers[name].teachers] for name in teaching],
            where=_compared(batch, labelled=options.mutual_pixels == "labelled"),
            mask=batch.mask,
            temperature=options.temperature,
            mode=cast(Literal["ensemble", "pairwise"], options.mutual),
            gate=cast(Literal["none", "surer", "right"], options.gate),
            ignore_index=batch.ignore_index,
        )

    def _figures(self, found: MutualLosses) -> dict[str, Tensor]:
        """How far the peers are from each other, to look at."""
        figures = {
            f"{one}>{other}/divergence": found.divergences[i, j]
            for i, one in enumerate(self._teaching)
            for j, other in enumerate(self._teaching)
            if i != j
        }
        return {**figures, "agreement": found.agreement}

    def _count_agreement(self, labels: list[Tensor], mask: Tensor) -> None:
        known = mask != self.ignore_index
        alike = torch.stack([each == labels[0] for each in labels]).all(dim=0) & known
        count = known.sum()
        self._agreement.add(alike.sum() / count.clamp(min=1), weight=count)


def ramp_up(step: int, steps: int) -> float:
    """Share of a weight that rises over the first steps, ``exp(-5 (1 - step / steps)^2)``.

    Source: Laine and Aila, "Temporal Ensembling for Semi-Supervised Learning", ICLR 2017.

    Example:
        >>> [round(ramp_up(step, 4), 3) for step in range(6)]
        [0.007, 0.06, 0.287, 0.732, 1.0, 1.0]
    """
    if step >= steps:
        return 1.0
    return math.exp(-_STEEPNESS * (1 - step / steps) ** 2)


def _compared(batch: Batch, *, labelled: bool) -> Tensor | None:
    """Which pixels (N, H, W) the peers compare; None is all."""
    where = batch.labelled() if labelled else batch.region
    if where is None or not batch.without_mask:
        return where
    where = where.clone()
    where[-batch.without_mask :] = (
        True if batch.region is None else batch.region[-batch.without_mask :]
    )
    return where


def _key(name: str) -> str:
    """A name for a submodule; with a hyphen it is that of no attribute."""
    return f"peer-{name}"
