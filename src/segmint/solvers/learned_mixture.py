"""A network of deepG or deepSVG that was learned on many images, applied to a scene."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch

from segmint.images.image import Image
from segmint.images.scene import Scene
from segmint.images.scene_pixels import ScenePixels, examined
from segmint.inference.scene_answer import SceneAnswer, SceneOutcome
from segmint.inference.tiling import Tiling
from segmint.methods.deepg import ManyImagesOptions
from segmint.methods.method import Task
from segmint.solvers.deep_mixture_folder import Learned
from segmint.solvers.deep_mixture_scene import answer_of, prepare_of
from segmint.solvers.frozen_statistics import freeze_statistics
from segmint.solvers.mixture_data import mixture_data
from segmint.solvers.reduction import to_input
from segmint.solvers.scene_sample import SceneSample, sampled_values
from segmint.solvers.slice_answers import SliceAnswers

_VALUES = 2_000_000
"""Pixels that their normalization is measured on at most."""


def components_of_scene(
    learned: Learned,
    scene: Scene,
    options: ManyImagesOptions,
    tiling: Tiling,
    *,
    seed: int,
    dtype: torch.dtype,
) -> SceneOutcome:
    """How a learned network answers a scene; what is measured on an image is measured on a sample.

    Args:
        learned: the network, on the device where it shall compute.
        scene: with the channels it learned on.
        options: of the recipe that it was learned by; only the normalization counts.
        tiling: how the scene is cut.
        seed: of the samples.
        dtype: arithmetic of the network.
    """
    pixels = ScenePixels(scene=scene)
    if scene.dtype.kind == "f":
        examined(pixels)
    values = sampled_values(pixels, _VALUES, seed)
    image = Image(pixels=values.pixels, channel_names=scene.channel_names)
    data = mixture_data(values.pixels, replace(options, mu_data=None), Task(image=image))
    prepare = prepare_of(data)
    components = np.argsort(learned.order)

    def answered(sample: SceneSample) -> SceneAnswer:
        network = copy.deepcopy(learned.network)
        device = next(network.parameters()).device
        freeze_statistics(network, to_input(prepare(sample.pixels, sample.counts), device))
        return answer_of(
            network,
            components,
            prepare,
            region=None,
            dtype=dtype,
            limit=tiling.resolved_limit(),
            tile=tiling.tile,
        )

    return SceneOutcome(
        answer=SliceAnswers(scene, answered, seed=seed),
        order=learned.described,
        names=dict(enumerate(learned.names)),
    )
