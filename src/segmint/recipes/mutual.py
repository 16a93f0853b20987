"""Recipe ``mutual``: networks that teach each other (the mutual information study, Model 3).

Zhang, Xiang, Hospedales and Lu, "Deep Mutual Learning", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.datasets.transform_options import STUDY, TransformOptions
from segmint.options import Options
from segmint.recipes.peers_options import PeersOptions
from segmint.recipes.recipe import EveryPeer, Plan, Recipe
from segmint.recipes.study import FAIRNESS, OPTIMIZER, STUDY_OPTIMIZER, TRAINING, TRANSFORM
from segmint.recipes.supervised_options import DataOptions, LossOptions
from segmint.solvers.mutual_options import MutualOptions
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    from segmint.datasets.dataset import Dataset
    from segmint.inference.tiling import Tiling
    from segmint.recipes.labelled_data import LabelledData
    from segmint.solvers.learning_task import BatchSource

SECTIONS: Mapping[str, type[Options]] = {
    "data": DataOptions,
    "transform": TransformOptions,
    "peers": PeersOptions,
    "mutual": MutualOptions,
    "loss": LossOptions,
    "optimizer": OptimizerOptions,
    "training": TrainingOptions,
}

NOTE = (
    "As published: DeepLabV3 with ResNet-50 and U-Net with 32 first features, each drawn to the "
    "softmax of the other beside its own cross-entropy, shorter side 234, crops of 224, Adam, 200 "
    f"epochs. {FAIRNESS} The run answers with the peer, or the mean of all peers, that was best on "
    "the validation images; 'segmint predict RUN IMAGE... --peer NAME' asks another one."
)


def train(plan: Plan) -> dict[str, Any]:
    """Learn and write the networks; what is returned goes into the record of the run."""
    from segmint.recipes.labelled_data import open_labelled
    from segmint.recipes.peer_networks import build_peers, objectives_of
    from segmint.recipes.peer_storage import keep_networks, kept_after_failure, told_scores
    from segmint.recipes.peers import plan_peers
    from segmint.solvers.mutual_task import MutualTask

    options, peers = plan.section(MutualOptions), plan.section(PeersOptions)
    plans = plan_peers(peers, options, plan.section(LossOptions).objective, seed=plan.seed)
    data = open_labelled(plan, objectives_of(plans))
    unlabelled = _unlabelled(data)
    task = MutualTask(
        build_peers(plans, data.train),
        options,
        classes=len(data.train.classes),
        ignore_index=data.train.ignore_index,
    )
    batches = _batches(data, unlabelled)
    kinds = {each.name: each.network for each in plans}
    with kept_after_failure(plan.folder, task, kinds):
        fitted = data.fit(task, batches)
        kept = keep_networks(plan.folder, task, kinds, fitted)
    further = () if unlabelled is None else unlabelled.notes
    return {
        **data.record(fitted),
        **kept,
        "summary": data.learned(fitted, len(unlabelled or ())) + told_scores(kept),
        "teacher": options.teacher,
        "unlabelled_images": len(unlabelled or ()),
        "notes": [*data.splits.notes, *further],
    }


def load(
    folder: Path,
    record: dict[str, Any],
    *,
    device: str,
    precision: str,
    tiling: Tiling,
    peer: str,
) -> EveryPeer:
    """What says which classes the pixels of an image have, by a peer or an ensemble."""
    from segmint.recipes.peer_prediction import PeerPrediction

    return PeerPrediction(
        folder, record, device=device, precision=precision, tiling=tiling, peer=peer
    )


def names_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """All that a run can be asked for, what it answers with unasked first.

    Raises:
        ValueError: its text is the entry of the record that is damaged.
    """
    from segmint.recipes.peers_record import read_peers

    return read_peers(record).names


def _unlabelled(data: LabelledData) -> Dataset | None:
    """The images without masks, where some were given."""
    from segmint.datasets.unlabelled import open_unlabelled

    root = data.plan.section(PeersOptions).unlabelled
    if root is None:
        return None
    found = open_unlabelled(root, data.train, held_out=data.splits.val)
    for note in found.notes:
        data.plan.say(f"note: {note}")
    return found


def _batches(data: LabelledData, unlabelled: Dataset | None) -> BatchSource:
    if unlabelled is None:
        return data.batches()
    from segmint.datasets.joined_batches import JoinedBatches
    from segmint.datasets.unlabelled import unlabelled_batch_size

    training = data.plan.section(TrainingOptions)
    count = unlabelled_batch_size(
        unlabelled,
        asked=data.plan.section(PeersOptions).unlabelled_batch_size,
        labelled=training.batch_size,
        devices=training.world,
    )
    # A seed of its own, for an image with a mask and one without would be cut alike.
    return JoinedBatches(
        data.batches(), data.batches(unlabelled, batch_size=count, seed=data.plan.seed + 1)
    )


RECIPE = Recipe(
    sections=SECTIONS,
    train=train,
    load=load,
    defaults={
        "transform": TRANSFORM,
        "loss": {"objective": "cross_entropy"},
        "optimizer": OPTIMIZER,
        "training": TRAINING,
    },
    presets={
        "study": {
            "transform": STUDY,
            "optimizer": {**STUDY_OPTIMIZER, "learning_rate": 1e-4},
            "training": {"batch_size": 10},
        }
    },
    note=NOTE,
    peers=names_of,
    takes_dataset=True,
)
