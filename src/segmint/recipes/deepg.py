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
from segmint.recipes.recipe import (
    Plan,
    Predictor,
    Recipe,
    check_channels_of_run,
    learned_components,
)
from segmint.solvers.training_options import LoopOptions

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.inference.tiling import Tiling
    from segmint.methods.method import Outcome
    from segmint.solvers.deep_mixture_folder import Learned

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
    """What answers images by components, with the numbers learned in training."""
    from segmint.devices import choose_device, choose_dtype

    tiling.refuse_views("components")
    place = choose_device(device)
    dtype = choose_dtype(precision, place)
    learned, options = _learned(folder, record)
    learned.network.to(place)
    return MixturePredictor(learned, options, record, dtype=dtype, tiling=tiling)


class MixturePredictor:
    """Components of images, with the numbers learned in training.

    Args:
        learned: the network.
        options: of its training.
        record: of the run.
        dtype: arithmetic of the network.
        tiling: how images are cut that do not fit into memory.
    """

    def __init__(
        self,
        learned: Learned,
        options: ManyImagesOptions,
        record: Mapping[str, Any],
        *,
        dtype: torch.dtype,
        tiling: Tiling,
    ) -> None:
        self._learned, self._options, self._record = learned, options, record
        self._dtype, self._tiling = dtype, tiling

    def __call__(self, image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        """The components of an image.

        Raises:
            InputError: for an image with other channels.
        """
        from segmint.solvers.deep_mixture_folder import predicted

        self._check(image)
        return predicted(
            self._learned,
            image,
            region,
            self._options,
            varying=self._record["recipe"] == "deepsvg",
            dtype=self._dtype,
        )

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """The components of a scene, window by window.

        Raises:
            InputError: for a scene with other channels.
        """
        from segmint.solvers.learned_mixture import components_of_scene

        self._check(scene)
        return components_of_scene(
            self._learned,
            scene,
            self._options,
            self._tiling,
            seed=self._record["seed"],
            dtype=self._dtype,
        )

    def _check(self, image: Image | Scene) -> None:
        from segmint.images.channels import check_channel_order

        check_channels_of_run(image, self._record["channels"])
        names = tuple(self._record["channel_names"])
        check_channel_order(image.channel_names, names, "the run")


def _learned(folder: Path, record: dict[str, Any]) -> tuple[Learned, ManyImagesOptions]:
    """Network and options of a run, checked against each other."""
    import numpy as np

    from segmint.networks.storage import load_network
    from segmint.networks.unet_deepg import DeepGUNet as UNet
    from segmint.solvers.deep_mixture_folder import Learned

    network = load_network(folder / NETWORK)
    try:
        if not isinstance(network, UNet):
            raise TypeError("another kind of network")
        options = ManyImagesOptions.from_mapping(record["options"]["mixture"])
        learned = Learned(
            network=network,
            order=np.asarray(record["component_channels"], np.int64),
            described=str(record["order"]),
            names=tuple(map(str, record["names"])),
        )
        if not all(isinstance(name, str) for name in record["channel_names"]):
            raise TypeError("names that are none")
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
    return learned, options


SECTIONS: Mapping[str, type[Options]] = {"mixture": ManyImagesOptions, "training": LoopOptions}

DEEPG = Recipe(sections=SECTIONS, train=partial(train, varying=False), load=load)
DEEPSVG = Recipe(sections=SECTIONS, train=partial(train, varying=True), load=load)
