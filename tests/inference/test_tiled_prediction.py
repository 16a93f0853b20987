from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segmint.datasets.preprocessing import Preprocessing
from segmint.datasets.resizing import resized_image
from segmint.errors import InputError
from segmint.images.array_scene import ArrayScene
from segmint.images.window import Window, blocks
from segmint.inference.member import Activation, Member
from segmint.inference.tiled_prediction import TiledPrediction
from segmint.inference.views import View, Views
from segmint.networks import build
from segmint.networks.reach import Reach

CPU = torch.device("cpu")
EXACT: dict[str, dict[str, Any]] = {
    "unet": {"features": 4, "levels": 2},
    "unet-original": {"features": 4, "levels": 2, "in_channels": 3},
    "smp:unet/resnet18": {"encoder_depth": 3, "decoder_channels": [8, 8, 8]},
}
PLAIN = Preprocessing(mean=(0.5, 0.4, 0.3), deviation=(0.2, 0.25, 0.3))


def network_of(name: str, *, seed: int = 0) -> nn.Module:
    """A network whose normalization has seen an image, as training leaves it."""
    network = build(name, **{"in_channels": 3, "classes": 3, "seed": seed, **EXACT.get(name, {})})
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        network.train()(torch.randn(2, 3, 64, 64, generator=generator))
    return network.eval()


def member(network: nn.Module, **changes: Any) -> Member:
    arguments: dict[str, Any] = {"preprocessing": PLAIN, "activation": "softmax", **changes}
    return Member.of(network, device=CPU, dtype=torch.float32, name="a.safetensors", **arguments)


MEMBERS = {name: member(network_of(name)) for name in ("unet", "unet-original")}


def picture(height: int, width: int, kind: type = np.uint8, *, seed: int = 0) -> NDArray[Any]:
    values = np.random.default_rng(seed).random((height, width, 3))
    return (values * (255 if kind == np.uint8 else 1)).astype(kind)


def plain(
    network: nn.Module,
    pixels: NDArray[Any],
    preprocessing: Preprocessing = PLAIN,
    activation: Activation = "softmax",
) -> NDArray[np.float32]:
    """Probabilities of a whole image, as a few calls of torch have them."""
    with torch.no_grad():
        logits = network(preprocessing.tensor(pixels))
    size = pixels.shape[:2]
    if logits.shape[-2:] != size:
        logits = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
    if activation == "sigmoid":
        logits = logits.sigmoid().log()
    return logits.softmax(dim=1)[0].numpy()  # type: ignore[no-any-return]


def in_blocks(
    prediction: TiledPrediction, scene: ArrayScene, block: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Probabilities and labels, window by window."""
    found = np.empty((prediction.classes, *scene.size), np.float32)
    labels = np.empty(scene.size, np.int32)
    for window in blocks(*scene.size, block):
        found[:, *window.slices] = prediction.probabilities(scene, window)
        labels[window.slices] = prediction.labels(scene, window)
    return found, labels


def check(
    prediction: TiledPrediction,
    pixels: NDArray[Any],
    expected: NDArray[np.float32],
    block: tuple[int, int] = (70, 50),
) -> None:
    """Refuse windows that differ from the whole, but for rounding and ties."""
    found, labels = in_blocks(prediction, ArrayScene.of_array(pixels), block)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    first, second = np.sort(expected, axis=0)[[-1, -2]]
    clear = first - second > 1e-4
    assert clear.mean() > 0.9
    assert np.array_equal(labels[clear], expected.argmax(axis=0)[clear])


@pytest.mark.parametrize(
    ("resize", "normalization"), [(0, "dataset"), (0, "image"), (61, "image"), (190, "dataset")]
)
@pytest.mark.parametrize("name", EXACT)
def test_tiles_are_exact(name: str, resize: int, normalization: str) -> None:
    preprocessing = Preprocessing(
        resize=resize, normalization=normalization, mean=PLAIN.mean, deviation=PLAIN.deviation
    )
    network = network_of(name)
    one = member(network, preprocessing=preprocessing)
    for height, width in ((150, 131), (67, 203)):
        pixels = picture(height, width)
        expected = plain(network, pixels, preprocessing)
        whole = TiledPrediction([one]).probabilities(
            ArrayScene.of_array(pixels), Window.whole(height, width)
        )
        np.testing.assert_allclose(whole, expected, atol=1e-4)
        check(TiledPrediction([one], tile=64), pixels, expected)


@settings(max_examples=40)
@given(
    name=st.sampled_from(list(MEMBERS)),
    height=st.integers(1, 140),
    width=st.integers(1, 140),
    data=st.data(),
)
def test_a_pixel_has_one_answer_in_every_window(
    name: str, height: int, width: int, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom = data.draw(st.integers(top + 1, height))
    right = data.draw(st.integers(left + 1, width))
    window = Window(top=top, bottom=bottom, left=left, right=right)
    scene = ArrayScene.of_array(picture(height, width))
    prediction = TiledPrediction([MEMBERS[name]])
    whole = prediction.probabilities(scene, Window.whole(height, width))
    found = prediction.probabilities(scene, window)
    np.testing.assert_allclose(found, whole[:, *window.slices], atol=1e-4)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64])
def test_all_kinds_of_pixels(kind: type) -> None:
    network = network_of("unet")
    preprocessing = Preprocessing(
        resize=50, normalization="image", mean=PLAIN.mean, deviation=PLAIN.deviation
    )
    pixels = picture(90, 75, kind)
    if kind == np.uint16:
        pixels = (picture(90, 75, np.float64) * 60_000).astype(kind)
    expected = plain(network, pixels, preprocessing)
    check(TiledPrediction([member(network, preprocessing=preprocessing)]), pixels, expected)


def test_slices_of_a_stack() -> None:
    network = network_of("unet")
    stack = np.stack([picture(40, 50, seed=seed) for seed in range(2)])
    scene = ArrayScene.of_array(stack, stack=True)
    preprocessing = Preprocessing(normalization="image", mean=PLAIN.mean, deviation=PLAIN.deviation)
    prediction = TiledPrediction([member(network, preprocessing=preprocessing)])
    for plane in range(2):
        found = prediction.probabilities(scene, Window.whole(40, 50), plane)
        expected = plain(network, stack[plane], preprocessing)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def seen(network: nn.Module, pixels: NDArray[Any], view: View) -> NDArray[np.float32]:
    """Probabilities in a view, of the whole image."""
    size = pixels.shape[:2]
    height, width = (round(side * view.scale) for side in size)
    turned = view.turned(resized_image(pixels, (height, width)))
    with torch.no_grad():
        logits = network(PLAIN.tensor(turned))[0].numpy()
    upright = torch.from_numpy(view.turned_back(logits).copy())[None]
    native = functional.interpolate(upright, size, mode="bilinear", align_corners=False)
    return native.softmax(dim=1)[0].numpy()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "views",
    [
        Views(flips=True),
        Views(rotations=True),
        Views(flips=True, rotations=True),
        Views(scales=(0.5, 1.5)),
        Views(rotations=True, scales=(2.0,)),
    ],
)
def test_views_are_averaged(views: Views) -> None:
    network = network_of("unet")
    pixels = picture(120, 90)
    expected = np.mean([seen(network, pixels, view) for view in views], axis=0)
    one = MEMBERS["unet"]
    check(TiledPrediction([one], views=views), pixels, expected, (120, 90))
    check(TiledPrediction([one], views=views, tile=64), pixels, expected)


def test_members_are_averaged() -> None:
    networks = [network_of("unet"), network_of("unet-original"), network_of("unet", seed=5)]
    activations: Sequence[Activation] = ("softmax", "sigmoid", "softmax")
    members = [
        member(network, activation=each)
        for network, each in zip(networks, activations, strict=True)
    ]
    pixels = picture(80, 100)
    parts = [
        plain(network, pixels, activation=each)
        for network, each in zip(networks, activations, strict=True)
    ]
    prediction = TiledPrediction(members, tile=64)
    check(prediction, pixels, np.mean(parts, axis=0))
    scene = ArrayScene.of_array(pixels)
    for found, expected in zip(prediction.each(scene, Window.whole(80, 100)), parts, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


GLOBAL = "smp:deeplabv3plus/resnet18"


def test_networks_that_look_everywhere_see_all_where_they_can() -> None:
    network = network_of(GLOBAL)
    pixels = picture(100, 150)
    check(TiledPrediction([member(network)]), pixels, plain(network, pixels))
    check(TiledPrediction([member(network)], tile=160), pixels, plain(network, pixels))


@pytest.mark.parametrize("kept", [0, 2**28])
def test_networks_that_look_everywhere_have_blended_tiles(kept: int) -> None:
    one = member(network_of(GLOBAL))
    prediction = TiledPrediction([one], tile=64)
    for runner in prediction._runners:
        runner._kept = kept
    scene = ArrayScene.of_array(picture(100, 150))
    whole = prediction.probabilities(scene, Window.whole(100, 150))
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-5)
    found, _ = in_blocks(prediction, scene, (33, 47))
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_blended_tiles_of_an_even_answer_are_even() -> None:
    one = replace(MEMBERS["unet"], reach=Reach(step=4, least=0, halo=None))
    even = replace(one, respond=even_answer)
    scene = ArrayScene.of_array(picture(130, 90))
    found = TiledPrediction([even], tile=64).probabilities(scene, Window.whole(130, 90))
    expected = torch.arange(3.0).softmax(dim=0).numpy()[:, None, None]
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-6)


def even_answer(image: Tensor) -> Tensor:
    """The same three logits for every pixel."""
    return torch.arange(3.0)[None, :, None, None].expand(len(image), 3, *image.shape[-2:])


def test_a_network_of_one_size_answers_for_any_image() -> None:
    one = replace(MEMBERS["unet"], respond=of_one_size, classes=3)
    one = replace(one, reach=Reach(step=64, least=0, halo=None, most=64))
    for height, width in ((30, 64), (64, 64), (70, 200)):
        scene = ArrayScene.of_array(picture(height, width))
        found = TiledPrediction([one]).probabilities(scene, Window.whole(height, width))
        expected = PLAIN.tensor(scene.image.pixels).softmax(dim=1)[0]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def of_one_size(image: Tensor) -> Tensor:
    """A network that gives back what it sees, 64 pixels a side."""
    assert image.shape[-2:] == (64, 64)
    return image


def test_answers_that_are_no_numbers() -> None:
    network = network_of("unet")
    with torch.no_grad():
        next(network.parameters())[0] = 1e38
    scene = ArrayScene.of_array(picture(30, 30))
    with pytest.raises(InputError, match=r"a\.safetensors answers with values that are no numbers"):
        TiledPrediction([member(network)]).labels(scene, Window.whole(30, 30))


def test_other_channels() -> None:
    scene = ArrayScene.of_array(np.zeros((30, 30, 2), np.uint8))
    with pytest.raises(InputError, match=r"accepted is \(H, W, 3\)"):
        TiledPrediction([MEMBERS["unet"]]).labels(scene, Window.whole(30, 30))
