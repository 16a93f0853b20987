from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from segmint.errors import InputError, UsageError
from segmint.images import Image
from segmint.inference.tiling import Tiling
from segmint.inference.views import Views
from segmint.methods.method import Outcome
from segmint.methods.segmentation import Segmentation
from segmint.recipes.answering import Answering
from segmint.recipes.ensemble import Ensemble
from segmint.recipes.run import Run

sys.path.insert(0, str(Path(__file__).parent))
from export_example import picture, write_peers, write_run

Shapes = list[tuple[int, ...]]

PICTURES = [picture(seed) for seed in range(6)]
PRECISIONS = ("float32", "bfloat16")
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "unet": ("unet", {}),
    "unet with batch normalization": ("unet", {"normalization": "batch"}),
    "unet of smp": ("smp:unet/resnet18", {}),
    "deeplabv3": ("smp:deeplabv3/resnet18", {}),
    "segformer": ("smp:segformer/mit_b0", {}),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", params=PRECISIONS)
def precision(request: pytest.FixtureRequest) -> str:
    """Of the arithmetic."""
    return str(request.param)


@pytest.fixture(scope="module", params=NETWORKS)
def run(request: pytest.FixtureRequest, runs: Path, precision: str) -> Run:
    """A run of each of the common networks."""
    name, options = NETWORKS[request.param]
    folder = runs / request.param
    if not folder.exists():
        write_run(folder, name=name, options=options)
    return Run(folder, precision=precision)


@cache
def small_run(folder: Path, **tiling: Any) -> Run:
    if not folder.exists():
        write_run(folder)
    return Run(folder, precision="float32", tiling=Tiling(**tiling))


def watched(run: Run, respond: Callable[[Tensor], Tensor] | None = None, **further: Any) -> Shapes:
    """Shapes of all that its network will be given; it may answer in another way from now on."""
    shapes: Shapes = []
    predictor: Any = run._predictor
    (member,) = predictor.members
    answer = respond or member.respond

    def seen(images: Tensor) -> Tensor:
        shapes.append(tuple(images.shape))
        return answer(images)

    predictor.members = (replace(member, respond=seen, **further),)
    return shapes


def bits(found: Segmentation) -> tuple[bytes, bytes]:
    return found.labels.tobytes(), found.probabilities.tobytes()


def several(
    answering: Answering, pictures: Sequence[NDArray[Any]], **options: Any
) -> list[Segmentation]:
    return answering.segment_several([Image.from_array(each) for each in pictures], **options)


def test_neither_place_nor_companions_matter(run: Run) -> None:
    """The first picture, in every place of a batch and beside others, alone in it as well."""
    expected = bits(several(run, PICTURES[:1], together=4)[0])
    for place in range(4):
        others = [PICTURES[1 + (place + number) % 5] for number in range(4)]
        others[place] = PICTURES[0]
        assert bits(several(run, others, together=4)[place]) == expected
        assert bits(several(run, others[: place + 1], together=4)[place]) == expected


def test_probabilities_are_those_of_the_image_alone_but_for_rounding(
    run: Run, precision: str
) -> None:
    found = several(run, PICTURES, together=4)
    for segmentation, image in zip(found, PICTURES, strict=True):
        alone = run.segment(image).probabilities
        if precision == "bfloat16":
            np.testing.assert_array_equal(segmentation.probabilities, alone)
        np.testing.assert_allclose(segmentation.probabilities, alone, rtol=0, atol=2e-5)


@settings(max_examples=15)
@given(st.permutations(range(6)), st.integers(1, 6), st.sampled_from([2, 3, 4, 8]), st.booleans())
def test_any_groups_end_in_the_same_bits(
    runs: Path, order: Sequence[int], count: int, together: int, flips: bool
) -> None:
    run = small_run(runs / "any", views=Views(flips=flips))
    expected = [bits(several(run, [image], together=together)[0]) for image in PICTURES]
    found = several(run, [PICTURES[number] for number in order[:count]], together=together)
    assert [bits(each) for each in found] == [expected[number] for number in order[:count]]


@pytest.mark.parametrize("views", [Views(), Views(flips=True, rotations=True, scales=(0.7, 1.3))])
def test_each_view_is_one_batch(runs: Path, views: Views) -> None:
    run = Run(small_run(runs / "any").folder, precision="float32", tiling=Tiling(views=views))
    several(run, PICTURES[:1], together=4)  # tries batches of this shape
    shapes = watched(run)
    several(run, PICTURES, together=4)
    several(run, PICTURES, together=4)
    assert {shape[0] for shape in shapes} == {4}
    tried = 2 * len(set(shapes))
    assert len(shapes) == tried + 4 * len(views)


@pytest.mark.parametrize("options", [{"resize": 30}, {"resize": 90, "normalization": "image"}])
def test_at_another_size_and_by_the_statistics_of_each_image(
    runs: Path, options: dict[str, Any]
) -> None:
    run = Run(write_run(runs / f"at {options['resize']}", **options), precision="float32")
    found = several(run, PICTURES[:3], together=4)
    for segmentation, image in zip(found, PICTURES[:3], strict=True):
        alone = run.segment(image).probabilities
        np.testing.assert_allclose(segmentation.probabilities, alone, rtol=0, atol=2e-5)


def uneven(images: Tensor) -> Tensor:
    """Answers that depend on the place."""
    return images + torch.arange(len(images))[:, None, None, None] * 1e-6


def sociable(images: Tensor) -> Tensor:
    """Answers that depend on the companions."""
    return images - images.mean()


@pytest.mark.parametrize("respond", [uneven, sociable])
def test_networks_to_which_others_matter_get_images_one_by_one(
    runs: Path, respond: Callable[[Tensor], Tensor]
) -> None:
    run = Run(small_run(runs / "any").folder, precision="float32")
    shapes = watched(run, respond)
    found = several(run, PICTURES[:3], together=4)
    assert [shape[0] for shape in shapes] == [4, 4, 1, 1, 1]
    assert [bits(each) for each in found] == [bits(run.segment(each)) for each in PICTURES[:3]]


def test_too_little_memory_for_a_batch(runs: Path) -> None:
    run = Run(small_run(runs / "any").folder, precision="float32")

    def respond(images: Tensor) -> Tensor:
        if len(images) > 1:
            raise RuntimeError("CUDA out of memory")
        return images

    watched(run, respond)
    found = several(run, PICTURES[:3], together=4)
    assert {each.notes for each in found} == {
        ("too little memory for 4 images together: answered one by one",),
    }
    assert [bits(each) for each in found] == [bits(run.segment(each)) for each in PICTURES[:3]]


def test_sizes_are_sorted_and_images_keep_their_order(runs: Path) -> None:
    run = Run(small_run(runs / "any").folder, precision="float32")
    shapes = watched(run, batch=4)  # as on a GPU
    images = [picture(seed, 45 + seed % 2 * 16, 38) for seed in range(5)]
    found = several(run, images)
    assert {shape[0] for shape in shapes} == {16}
    assert [each.labels.shape for each in found] == [each.shape[:2] for each in images]
    expected = [run.predict(each) for each in images]
    assert all(map(np.array_equal, (each.labels for each in found), expected))


def test_what_takes_several_tiles_and_stacks_are_answered_alone(runs: Path) -> None:
    folder = small_run(runs / "any").folder
    run = Run(folder, precision="float32", tiling=Tiling(tile=64))
    shapes = watched(run)
    large = [picture(seed, 70, 80) for seed in range(2)]
    found = several(run, large, together=2)
    assert {shape[0] for shape in shapes} == {1}
    assert "too little memory for 2 images together" in found[0].notes[0]
    assert [bits(each) for each in found] == [bits(run.segment(each)) for each in large]
    stack = Image.from_array(np.stack(PICTURES[:2]), stack=True)
    found = run.segment_several([stack, stack], together=2)
    assert bits(found[1]) == bits(run.segment(stack))
    assert run.at_once(stack) == 1


def test_regions_and_seconds(runs: Path) -> None:
    run = small_run(runs / "any")
    region = np.zeros((45, 38), bool)
    region[5:20, 7:30] = True
    own = replace(Image.from_array(PICTURES[2]), region=~region)
    images = [Image.from_array(PICTURES[0]), Image.from_array(PICTURES[1]), own]
    found = run.segment_several(images, regions=[None, region, None], together=4)
    for segmentation, where in zip(found, (region | True, region, ~region), strict=True):
        np.testing.assert_array_equal(segmentation.labels == -1, ~where)
    assert len({each.seconds for each in found}) == 1
    assert found[0].seconds > 0
    assert dict(found[1].options) == dict(run.segment(images[0]).options)
    assert run.segment_several([]) == []


def test_peers_and_ensembles(runs: Path) -> None:
    peers = write_peers(runs / "peers")
    of_peers = Run(peers, precision="float32")
    both = Ensemble([of_peers, small_run(runs / "any")])
    for answering in (of_peers, Run(peers, precision="float32", peer="b"), both):
        found = several(answering, PICTURES, together=4)
        assert bits(found[5]) == bits(several(answering, PICTURES[5:], together=4)[0])
        for segmentation, image in zip(found, PICTURES, strict=True):
            alone = answering.segment(image)
            np.testing.assert_allclose(
                segmentation.probabilities, alone.probabilities, rtol=0, atol=2e-5
            )
            np.testing.assert_array_equal(segmentation.uncertainty, alone.uncertainty)


@pytest.mark.parametrize("count", ["N", 1])
def test_graphs_of_onnx(runs: Path, count: str | int) -> None:
    """Real ones, of one convolution; the second takes one image at a time."""
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from segmint.inference.onnx_member import answering
    from segmint.inference.onnx_session import OnnxSession

    run = Run(small_run(runs / "any").folder, precision="float32")
    graph = one_convolution(count)
    shapes = watched(run, answering(OnnxSession(graph, name="a.onnx", threads=1), "probabilities"))
    found = several(run, PICTURES[:2], together=4)
    expected = [4, 4, 4] if count == "N" else [4, 1, 1]
    assert [shape[0] for shape in shapes] == expected
    assert found[0].notes == ()
    for segmentation, image in zip(found, PICTURES[:2], strict=True):
        alone = run.segment(image).probabilities
        np.testing.assert_allclose(segmentation.probabilities, alone, rtol=0, atol=2e-5)


def one_convolution(count: str | int) -> Any:
    """A graph from images to three classes, for so many images at a time."""
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(0).normal(size=(3, 3, 1, 1)).astype(np.float32)
    shape = [count, 3, "H", "W"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "weight"], ["probabilities"])],
        "graph",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("statistics", TensorProto.FLOAT, [2, 3]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weight, "weight")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_runs_that_learned_components(runs: Path) -> None:
    """What answers them takes one image and no more."""
    run = Run(small_run(runs / "any").folder, precision="float32")
    asked: list[Any] = []

    def predictor(image: Image, region: NDArray[np.bool_] | None) -> Outcome:
        asked.append(region)
        return Outcome(labels=np.asarray(image.pixels[..., 0] > 99, np.int32), order="as learned")

    run._predictor = predictor
    images = [Image.from_array(each) for each in PICTURES[:2]]
    found = run.segment_several(images, together=4)
    assert run.at_once(images[0]) == 1
    assert asked == [None, None]
    for segmentation, image in zip(found, PICTURES[:2], strict=True):
        np.testing.assert_array_equal(segmentation.labels, image[..., 0] > 99)


def test_one_at_a_time_on_a_processor(runs: Path) -> None:
    run = Run(small_run(runs / "any").folder, precision="float32")
    shapes = watched(run)
    found = several(run, PICTURES[:2])
    assert run.at_once(Image.from_array(PICTURES[0])) == 1
    assert {shape[0] for shape in shapes} == {1}
    assert [bits(each) for each in found] == [bits(run.segment(each)) for each in PICTURES[:2]]


@pytest.mark.parametrize("together", [0, -1, 65, 2.0, True, "4"])
def test_numbers_that_cannot_go_together(runs: Path, together: Any) -> None:
    with pytest.raises(UsageError, match="accepted is a whole number from 1 to 64, or None"):
        several(small_run(runs / "any"), PICTURES[:1], together=together)


def test_what_cannot_be_used(runs: Path) -> None:
    run = small_run(runs / "any")
    with pytest.raises(UsageError, match="1 regions for 2 images: give one for each, or None"):
        several(run, PICTURES[:2], regions=[None])
    with pytest.raises(InputError, match="image has 1 channels, the run learned on 3"):
        several(run, [*PICTURES[:2], PICTURES[0][..., :1]], together=2)
    broken = PICTURES[0].astype(np.float32)
    broken[3, 4] = np.nan
    with pytest.raises(InputError, match="clean them"):
        several(run, [broken, *PICTURES[:2]], together=2)
