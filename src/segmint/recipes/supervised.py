"""Learn one network from images and masks: what ``unet``, ``unet-rmi``, ... share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmint.datasets.transform_options import TransformOptions
from segmint.errors import InputError
from segmint.options import Options
from segmint.recipes.recipe import Plan, Predictor, Recipe, Values, counted_images
from segmint.recipes.supervised_options import DataOptions, LossOptions, NetworkOptions
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    from segmint.inference.tiling import Tiling
    from segmint.objectives.objective import Objective
    from segmint.recipes.labelled_data import LabelledData
    from segmint.solvers.training import Fitted

NETWORK = "network.safetensors"

SECTIONS: Mapping[str, type[Options]] = {
    "data": DataOptions,
    "transform": TransformOptions,
    "network": NetworkOptions,
    "loss": LossOptions,
    "optimizer": OptimizerOptions,
    "training": TrainingOptions,
}


def supervised(
    *, defaults: Values, presets: Mapping[str, Values] | None = None, note: str = ""
) -> Recipe:
    """A recipe that learns one network from images and masks.

    Args:
        defaults: its options by section, where they differ from the sections' own.
        presets: named departures from that.
        note: where it differs from what was published, and why.
    """
    return Recipe(
        sections=SECTIONS,
        train=train,
        load=load,
        defaults=defaults,
        presets=presets or {},
        note=note,
        takes_dataset=True,
    )


def train(plan: Plan) -> dict[str, Any]:
    """Learn and write the network; what is returned goes into the record of the run."""
    from segmint.networks.storage import save_network
    from segmint.objectives.objective import Objective
    from segmint.recipes.labelled_data import open_labelled
    from segmint.recipes.starting_networks import starting_network
    from segmint.solvers.supervised_task import SupervisedTask

    objective = Objective(plan.section(LossOptions).objective)
    data = open_labelled(plan, [objective])
    chosen = plan.section(NetworkOptions)
    network = starting_network(
        chosen.network, data.train, seed=plan.seed, weights=chosen.weights, options=chosen.given
    )
    task = SupervisedTask(
        network,
        objective,
        classes=len(data.train.classes),
        ignore_index=data.train.ignore_index,
    )
    fitted = data.fit(task, data.batches())
    save_network(plan.folder / NETWORK, network, name=chosen.network)
    return {
        "summary": _summary(fitted, data),
        "activation": activation_of(objective),
        **data.record(fitted),
    }


def load(
    folder: Path, record: dict[str, Any], *, device: str, precision: str, tiling: Tiling
) -> Predictor:
    """What says the classes of the pixels of images and scenes."""
    from segmint.recipes.class_prediction import ClassPrediction, ClassPredictor

    prediction = ClassPrediction.of(
        folder, record, device=device, precision=precision, tiling=tiling
    )
    activation = record.get("activation")
    if activation not in ("softmax", "sigmoid"):
        raise InputError(
            f"{folder} holds a network and a record that do not fit each other: train again"
        )
    return ClassPredictor(prediction, prediction.member(NETWORK, activation))


def activation_of(objective: Objective) -> str:
    """What makes probabilities of the logits that an objective taught."""
    return "sigmoid" if set(objective.names) <= {"bce", "rmi"} else "softmax"


def _summary(fitted: Fitted, data: LabelledData) -> str:
    learned, val = data.learned(fitted), data.splits.val
    if fitted.best_score is None or val is None:
        return learned
    score = f"{fitted.best_score:.3f} on {counted_images(len(val))}"
    return f"{learned}, validation mean IoU {score}"
