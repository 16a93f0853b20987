"""Learn from images and their masks: what the recipes ``unet``, ``unet-rmi``, ... share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from segmint.datasets.transform_options import TransformOptions
from segmint.errors import InputError, UsageError
from segmint.options import Options
from segmint.recipes.recipe import Plan, Predictor, Recipe, Values, counted_images
from segmint.recipes.supervised_options import DataOptions, LossOptions, NetworkOptions
from segmint.solvers.optimizer_options import OptimizerOptions
from segmint.solvers.training_options import TrainingOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from segmint.datasets.dataset import Dataset
    from segmint.images import Image
    from segmint.methods.method import Outcome
    from segmint.objectives.objective import Objective

Section = TypeVar("Section", bound=Options)

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
    from segmint.datasets.cache import cache_sentence
    from segmint.datasets.preprocessing import Preprocessing
    from segmint.datasets.training_batches import TrainingBatches
    from segmint.datasets.validation_images import ValidationImages
    from segmint.networks.storage import save_network
    from segmint.objectives.objective import Objective
    from segmint.recipes.splits import open_splits
    from segmint.solvers.supervised_task import SupervisedTask
    from segmint.solvers.training import fit

    transform = section(plan, TransformOptions)
    training = section(plan, TrainingOptions)
    splits = open_splits(plan.paths[0], section(plan, DataOptions), seed=plan.seed)
    objective = Objective(section(plan, LossOptions).objective)
    _check_labels(splits.train, objective)
    preprocessing = Preprocessing.measured(splits.train, transform)
    network_options = section(plan, NetworkOptions)
    network = _network(network_options, splits.train, seed=plan.seed)
    if training.cache:
        plan.say(f"note: the cache will hold {cache_sentence(splits.train, transform)}")
    batches = TrainingBatches(
        splits.train,
        transform,
        preprocessing,
        batch_size=training.batch_size,
        seed=plan.seed,
        workers=training.workers,
        cache=training.cache,
        steps_per_epoch=training.steps_per_epoch or None,
    )
    task = SupervisedTask(
        network,
        objective,
        classes=len(splits.train.classes),
        ignore_index=splits.train.ignore_index,
    )
    for note in splits.notes:
        plan.say(f"note: {note}")
    if training.batch_size % training.devices:
        raise UsageError(
            f"--batch-size is {training.batch_size}, but {training.devices} processes share each "
            f"batch: pass a multiple of {training.devices}"
        )
    plan.begin()
    fitted = fit(
        task,
        batches,
        validation=None if splits.val is None else ValidationImages(splits.val, preprocessing),
        optimizer=section(plan, OptimizerOptions),
        training=training,
        folder=plan.folder,
        seed=plan.seed,
        device=plan.device,
        precision=plan.precision,
        resume=plan.resume,
        watch=plan.watch,
    )
    save_network(plan.folder / NETWORK, network, name=network_options.network)
    return {
        "summary": _summary(fitted, splits.train, splits.val),
        "dataset": dict(splits.described),
        "classes": list(splits.train.classes),
        "palette": splits.train.palette.tolist(),
        "ignore_index": splits.train.ignore_index,
        "channels": splits.train.channels,
        "channel_names": list(splits.train.channel_names),
        "preprocessing": preprocessing.as_dict(),
        "activation": _activation(objective),
        "notes": [*splits.notes],
        "steps": fitted.steps,
        "seconds": round(fitted.seconds, 3),
        "stopped": fitted.stopped,
        "best": {"epoch": fitted.best_epoch, "score": fitted.best_score},
        "history": [dict(row) for row in fitted.history],
    }


def load(folder: Path, record: dict[str, Any], *, device: str, precision: str) -> Predictor:
    """A function from an image to the classes of its pixels."""
    import numpy as np

    from segmint.datasets.preprocessing import Preprocessing
    from segmint.devices import choose_device, choose_dtype
    from segmint.images.channels import check_channel_order
    from segmint.methods.method import OF_THE_DATA_SET, Outcome
    from segmint.networks.storage import load_network

    place = choose_device(device)
    dtype = choose_dtype(precision, place)
    network = load_network(folder / NETWORK)
    try:
        preprocessing = Preprocessing.from_mapping(record["preprocessing"])
        classes = tuple(map(str, record["classes"]))
        colors = np.asarray(record["palette"], np.uint8).reshape(len(classes), 3)
        channels, channel_names = int(record["channels"]), tuple(record["channel_names"])
        activation = {"softmax": _softmax, "sigmoid": _sigmoid}[record["activation"]]
        size = cast("dict[str, Any]", network.configuration)
        if size["classes"] != len(classes) or size["in_channels"] != channels:
            raise ValueError("a network of another size")
    except (UsageError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(
            f"{folder} holds a network and a record that do not fit each other: train again"
        ) from error
    network.to(place).eval()

    def probabilities_of(image: Image) -> NDArray[np.float32]:
        planes = list(image.pixels) if image.is_stack else [image.pixels]
        found = [
            activation(respond(network, preprocessing.tensor(plane), plane.shape[:2], dtype))
            for plane in planes
        ]
        stacked: NDArray[np.float32] = np.stack(found, axis=1)
        return stacked if image.is_stack else stacked[:, 0]

    def predict(image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        if image.channels != channels:
            raise InputError(
                f"image has {image.channels} channels, the run learned on {channels}: "
                "give images like those it learned on"
            )
        check_channel_order(image.channel_names, channel_names, "the run")
        found = probabilities_of(image)
        if not np.isfinite(found).all():
            raise InputError(
                f"{folder / NETWORK} answers with values that are no numbers: the file is damaged, "
                "or the image far brighter than those it learned on; train again, or check the "
                "image"
            )
        labels = found.argmax(axis=0).astype(np.int32)
        return Outcome(
            labels=labels if region is None else np.where(region, labels, np.int32(-1)),
            probabilities=lambda: found,
            order=OF_THE_DATA_SET,
            names=dict(enumerate(classes)),
            colors=colors,
        )

    return predict


def respond(network: nn.Module, image: Tensor, size: tuple[int, int], dtype: Any) -> Tensor:
    """Logits (K, H, W) float32 of a preprocessed image (1, C, h, w), at a size (H, W)."""
    import torch

    from segmint.solvers.descent import arithmetic
    from segmint.solvers.logits import sized

    device = next(network.parameters()).device
    image = image.to(device).contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), arithmetic(dtype, device):
        logits = network(image)
    return sized(logits.float(), size)[0].cpu()


def section(plan: Plan, kind: type[Section]) -> Section:
    """The options of a kind, whatever their section is called."""
    return next(options for options in plan.settings.values() if isinstance(options, kind))


def _network(options: NetworkOptions, train: Dataset, *, seed: int) -> nn.Module:
    from segmint.networks import build
    from segmint.networks.weights import load_weights, read_weights
    from segmint.networks.zoo_names import PREFIX

    own = options.given
    file = None if options.network.startswith(PREFIX) else own.pop("weights", None)
    network = build(
        options.network,
        in_channels=train.channels,
        classes=len(train.classes),
        seed=seed,
        **own,
    )
    if file is not None:
        load_weights(network, read_weights(Path(file)), Path(file))
    return network


def _softmax(logits: Tensor) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", logits.softmax(dim=0).numpy())


def _sigmoid(logits: Tensor) -> NDArray[np.float32]:
    """Independent probabilities, brought to a sum of 1."""
    import torch

    # In logarithms, because all of them may be far below the smallest float.
    return _softmax(torch.nn.functional.logsigmoid(logits))


def _activation(objective: Objective) -> str:
    """What makes probabilities of the logits that an objective taught."""
    return "sigmoid" if set(objective.names) <= {"bce", "rmi"} else "softmax"


def _check_labels(train: Dataset, objective: Objective) -> None:
    """Refuse masks that teach nothing; the first one with a label is enough."""
    if not all(getattr(term, "supervised", False) for term in objective.terms):
        return
    if not any(bool((sample.mask != train.ignore_index).any()) for sample in train):
        raise InputError(
            f"no mask of split {train.split!r} of {train.name} in {train.root} holds a label: all "
            f"pixels are {train.ignore_index}, which does not count; check the folder with "
            "'segmint data check', or learn by a label-free term like continuity"
        )


def _summary(fitted: Any, train: Dataset, val: Dataset | None) -> str:
    why = "" if fitted.stopped == "epochs" else f" until {fitted.stopped}"
    learned = f"learned {len(train.classes)} classes from {counted_images(len(train))}{why}"
    if fitted.best_score is None or val is None:
        return learned
    score = f"{fitted.best_score:.3f} on {counted_images(len(val))}"
    return f"{learned}, validation mean IoU {score}"
