"""Recipes ``deepg`` and ``deepsvg``: one network for many images, the same components in all.

Schwab, Mayr and Haltmeier, "Deep Gaussian mixture model for unsupervised image segmentation",
arXiv:2404.12252 (2024), section on multiple images.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from segmint.errors import InputError, UsageError
from segmint.methods.deepg import ManyImagesOptions
from segmint.options import Options
from segmint.recipes.recipe import Plan, Predictor, Recipe, learned_components
from segmint.solvers.training_options import LoopOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segmint.images import Image
    from segmint.inference.tiling import Tiling
    from segmint.methods.method import Outcome

NETWORK = "network.safetensors"


def train(plan: Plan, *, varying: bool) -> dict[str, Any]:
    """Learn and write the network; what is returned goes into the record of the run."""
    from segmint.networks.storage import save_network
    from segmint.solvers.deep_mixture import NETWORK_NAME
    from segmint.solvers.deep_mixture_folder import ManyImages
    from segmint.solvers.mixture_training import train_mixture_network

    options = cast(ManyImagesOptions, plan.settings["mixture"])
    images = ManyImages.of(plan.images, options, varying=varying)
    plan.begin()
    found = train_mixture_network(
        images.batches(),
        images.settings,
        cast(LoopOptions, plan.settings["training"]),
        folder=plan.folder,
        seed=plan.seed,
        device=plan.device,
        precision=plan.precision,
        resume=plan.resume,
        watch=plan.watch,
    )
    learned = images.learned(found.network, device=plan.device, precision=plan.precision)
    save_network(plan.folder / NETWORK, learned.network, name=NETWORK_NAME)
    return {
        "summary": learned_components(len(learned.order), len(plan.images)),
        "channels": plan.images[0].channels,
        "channel_names": list(plan.images[0].channel_names),
        "components": len(learned.order),
        "component_channels": [int(channel) for channel in learned.order],
        "names": list(learned.names),
        "order": learned.described,
        "steps": found.fitted.steps,
        "seconds": round(found.fitted.seconds, 3),
        "stopped": found.fitted.stopped,
        "history": [dict(row) for row in found.fitted.history],
    }


def load(
    folder: Path, record: dict[str, Any], *, device: str, precision: str, tiling: Tiling
) -> Predictor:
    """A function from an image to its components, with the numbers learned in training."""
    import numpy as np

    from segmint.devices import choose_device, choose_dtype
    from segmint.images.channels import check_channel_order
    from segmint.networks.storage import load_network
    from segmint.networks.unet_deepg import DeepGUNet as UNet
    from segmint.solvers.deep_mixture_folder import Learned, predicted

    tiling.refuse_views("components")
    place = choose_device(device)
    dtype = choose_dtype(precision, place)
    network = load_network(folder / NETWORK)
    try:
        if not isinstance(network, UNet):
            raise TypeError("another kind of network")
        options = ManyImagesOptions.from_mapping(record["options"]["mixture"])
        learned = Learned(
            network=network.to(place),
            order=np.asarray(record["component_channels"], np.int64),
            described=str(record["order"]),
            names=tuple(map(str, record["names"])),
        )
        channel_names = tuple(map(str, record["channel_names"]))
        size = network.configuration
        if sorted(learned.order) != list(range(size["classes"])):
            raise ValueError("a network of another size")
        if record["channels"] != size["in_channels"]:
            raise ValueError("a network of other channels")
        if len(learned.names) not in (0, size["classes"]):
            raise ValueError("other names")
    except (UsageError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(
            f"{folder} holds a network and a record that do not fit each other: train again"
        ) from error

    def predict(image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        if image.channels != record["channels"]:
            raise InputError(
                f"image has {image.channels} channels, the run learned on {record['channels']}: "
                "give images like those it learned on"
            )
        check_channel_order(image.channel_names, channel_names, "the run")
        return predicted(
            learned,
            image,
            region,
            options,
            varying=record["recipe"] == "deepsvg",
            dtype=dtype,
        )

    return predict


SECTIONS: Mapping[str, type[Options]] = {"mixture": ManyImagesOptions, "training": LoopOptions}

DEEPG = Recipe(sections=SECTIONS, train=partial(train, varying=False), load=load)
DEEPSVG = Recipe(sections=SECTIONS, train=partial(train, varying=True), load=load)
