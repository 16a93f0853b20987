"""Recipe ``clustering``: one network for a folder of images, the same components in all of them.

Kim, Kanezaki and Tanaka (2020), section IV-D: a network learned on reference images segments new
ones without learning again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from segmint.errors import InputError, UsageError
from segmint.methods.clustering import FolderClusteringOptions
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
    from numpy.typing import NDArray

    from segmint.images import Image
    from segmint.images.scene import Scene
    from segmint.inference.scene_answer import SceneOutcome
    from segmint.inference.tiling import Tiling
    from segmint.methods.method import Outcome
    from segmint.networks.clustering import ClusteringNetwork
    from segmint.objectives.batch import Batch
    from segmint.solvers.learned_clustering import LearnedClustering

NETWORK = "network.safetensors"
_ORDER = "as in the run"


def train(plan: Plan) -> dict[str, Any]:
    """Learn and write the network; what is returned goes into the record of the run."""
    from segmint.networks.storage import save_network
    from segmint.solvers.clustering import check_channels
    from segmint.solvers.clustering_folder import cluster_folder

    options = cast(FolderClusteringOptions, plan.settings["clustering"])
    channels = plan.images[0].channels  # the same in all, checked on reading
    check_channels(channels, options)
    plan.begin()
    found = cluster_folder(
        _batches(plan.images, options),
        options,
        cast(LoopOptions, plan.settings["training"]),
        folder=plan.folder,
        seed=plan.seed,
        device=plan.device,
        precision=plan.precision,
        resume=plan.resume,
        watch=plan.watch,
    )
    save_network(plan.folder / NETWORK, found.network)
    components = int(found.numbers.max()) + 1
    return {
        "summary": learned_components(components, len(plan.images)),
        "channels": channels,
        "numbers": found.numbers.tolist(),
        "components": components,
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
    from segmint.solvers.learned_clustering import LearnedClustering

    tiling.refuse_views("components")
    place = choose_device(device)
    dtype = choose_dtype(precision, place)
    network, options, numbers = _learned(folder, record)
    learned = LearnedClustering(
        network=network.to(place), numbers=numbers, options=options, dtype=dtype
    )
    return ClusteringPredictor(
        learned, channels=record["channels"], seed=record["seed"], tiling=tiling
    )


class ClusteringPredictor:
    """Components of images, with the numbers learned in training.

    Args:
        learned: the network.
        channels: of the images that it learned on.
        seed: of samples of images that do not fit into memory.
        tiling: how those are cut.
    """

    def __init__(
        self, learned: LearnedClustering, *, channels: int, seed: int, tiling: Tiling
    ) -> None:
        self._learned = learned
        self._channels, self._seed, self._tiling = channels, seed, tiling

    def __call__(self, image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        """The components of an image.

        Raises:
            InputError: for an image with other channels.
        """
        import numpy as np

        from segmint.methods.method import Outcome

        check_channels_of_run(image, self._channels)
        labels = [self._learned.labels(plane) for plane in _planes(image)]
        found = np.stack(labels) if image.is_stack else labels[0]
        if region is not None:
            found = np.where(region, found, np.int32(-1))
        return Outcome(labels=found, order=_ORDER)

    def of_scene(self, scene: Scene) -> SceneOutcome:
        """The components of a scene, window by window.

        Raises:
            InputError: for a scene with other channels.
        """
        from segmint.inference.scene_answer import SceneOutcome

        check_channels_of_run(scene, self._channels)
        answer = self._learned.of_scene(scene, self._tiling, seed=self._seed)
        return SceneOutcome(answer=answer, order=_ORDER, likeliest=False)


def _learned(
    folder: Path, record: dict[str, Any]
) -> tuple[ClusteringNetwork, FolderClusteringOptions, NDArray[np.int32]]:
    """Network, options and component numbers of a run, checked against each other."""
    import numpy as np

    from segmint.networks.clustering import ClusteringNetwork
    from segmint.networks.storage import load_network

    network = load_network(folder / NETWORK)
    try:
        if not isinstance(network, ClusteringNetwork):
            raise TypeError("another kind of network")
        options = FolderClusteringOptions.from_mapping(record["options"]["clustering"])
        numbers = np.asarray(record["numbers"], np.int32)
        size = network.configuration
        if numbers.shape != (size["classes"],) or record["channels"] != size["in_channels"]:
            raise ValueError("a network of another size")
        if not (numbers >= 0).any():
            raise ValueError("no component")
    except (UsageError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise InputError(
            f"{folder} holds a network and a record that do not fit each other: train again"
        ) from error
    return network, options, numbers


def _batches(images: Sequence[Image], options: FolderClusteringOptions) -> Iterator[Batch]:
    """One for each image and slice, when it is asked for."""
    import torch

    from segmint.objectives.batch import Batch
    from segmint.solvers.clustering import prepare
    from segmint.solvers.reduction import to_input

    for image in images:
        for plane in _planes(image):
            tensor = to_input(prepare(plane, options), torch.device("cpu"))
            yield Batch(image=tensor, names=(str(image.source),))


def _planes(image: Image) -> list[NDArray[np.float32]]:
    from segmint.images import to_unit_range

    pixels = to_unit_range(image.pixels)
    return list(pixels) if image.is_stack else [pixels]


RECIPE = Recipe(
    sections={"clustering": FolderClusteringOptions, "training": LoopOptions},
    train=train,
    load=load,
)
