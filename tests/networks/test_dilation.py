from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from segmint.networks import build, dilation
from segmint.networks.dilation import DilatedConv2d, spare_padding
from segmint.torchvision_operators import declare_operators

CHANNELS = 5


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """Shapes of the weights whose gradients were made of products."""
    shapes = []
    ordinary = dilation._weight_gradient

    def counted(image: Tensor, slope: Tensor, shape: torch.Size, *rest: tuple[int, int]) -> Tensor:
        shapes.append(shape)
        return ordinary(image, slope, shape, *rest)

    monkeypatch.setattr(dilation, "_weight_gradient", counted)
    return shapes


def pair(*arguments: int, seed: int = 0, **options: object) -> tuple[nn.Conv2d, nn.Conv2d]:
    """An ordinary convolution and one that leaves out, of the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ordinary = nn.Conv2d(*arguments, **options)  # type: ignore[arg-type]
    changed = copy.deepcopy(ordinary)
    spare_padding(changed)
    return ordinary, changed


def image_of(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def response_and_gradients(convolution: nn.Conv2d, image: Tensor) -> list[Tensor]:
    image = image.detach().requires_grad_()
    response = convolution(image)
    upstream = torch.randn(
        response.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    inputs = [image, *convolution.parameters()]
    gradients = torch.autograd.grad(response, inputs, upstream.to(response.dtype))
    return [response.detach(), *gradients]


@pytest.mark.parametrize("size", [(7, 7), (5, 9), (12, 4), (1, 1), (1, 8)])
@pytest.mark.parametrize("rate", [2, 4, 6, 12])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_value_and_gradients(
    size: tuple[int, int], rate: int, bias: bool, memory_format: torch.memory_format
) -> None:
    ordinary, sparing = pair(
        CHANNELS, 4, 3, padding=rate, dilation=rate, bias=bias, dtype=torch.float64
    )
    assert type(sparing) is DilatedConv2d
    image = image_of(3, CHANNELS, *size).contiguous(memory_format=memory_format)
    expected = response_and_gradients(ordinary, image)
    found = response_and_gradients(sparing, image)
    assert torch.equal(found[0], expected[0])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


sides = st.integers(1, 9)
kernels = st.integers(1, 5)


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(sides, sides),
    kernel=st.tuples(kernels, kernels),
    padding=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    rate=st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_weight_gradient_of_any_convolution(
    size: tuple[int, int], kernel: tuple[int, int], padding: tuple[int, int], rate: tuple[int, int]
) -> None:
    image = image_of(2, 3, *size)
    out = [
        side + 2 * wide - step * (taps - 1)
        for side, wide, step, taps in zip(size, padding, rate, kernel, strict=True)
    ]
    if min(out) < 1:
        return
    slope = image_of(2, 4, *out)
    weight = torch.zeros(4, 3, *kernel, dtype=torch.float64, requires_grad=True)
    response = nn.functional.conv2d(image, weight, padding=padding, dilation=rate)
    (expected,) = torch.autograd.grad(response, weight, slope)
    found = dilation._weight_gradient(image, slope, weight.shape, padding, rate)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_share_of_the_map_that_is_seen() -> None:
    def share(side: int, rate: int) -> float:
        convolution = nn.Conv2d(1, 1, 3, padding=rate, dilation=rate, device="meta")
        return dilation._share_inside(convolution, torch.empty(1, 1, side, side, device="meta"))

    # By hand: the middle tap sees all, each outer one the side less the rate, in both directions.
    assert share(28, 12) == pytest.approx((60 / 84) ** 2)
    assert share(28, 24) == pytest.approx((36 / 84) ** 2)
    assert share(28, 28) == share(28, 36) == pytest.approx(1 / 9)


def test_gradients_by_differences(taken: list[torch.Size]) -> None:
    _, sparing = pair(2, 3, 3, padding=3, dilation=3, dtype=torch.float64)
    image = image_of(2, 2, 4, 5).requires_grad_()
    parameters = dict(sparing.named_parameters())

    def respond(image: Tensor, *values: Tensor) -> Tensor:
        given_values = dict(zip(parameters, values, strict=True))
        response = torch.func.functional_call(sparing, given_values, image)
        assert isinstance(response, Tensor)
        return response

    assert torch.autograd.gradcheck(respond, (image, *parameters.values()))
    assert torch.autograd.gradgradcheck(respond, (image, *parameters.values()))
    assert taken


@pytest.mark.parametrize("frozen", ["weight", "image"])
def test_what_does_not_learn_costs_nothing(taken: list[torch.Size], frozen: str) -> None:
    ordinary, sparing = pair(CHANNELS, 4, 3, padding=6, dilation=6, bias=False)
    image = image_of(2, CHANNELS, 7, 7, dtype=torch.float32)
    if frozen == "image":
        for convolution in (ordinary, sparing):
            convolution(image).square().sum().backward()
        assert ordinary.weight.grad is not None
        assert sparing.weight.grad is not None
        torch.testing.assert_close(sparing.weight.grad, ordinary.weight.grad)
        assert len(taken) == 1
        return
    for convolution in (ordinary, sparing):
        convolution.requires_grad_(False)
    gradients = [
        torch.autograd.grad(each(moved).sum(), moved)[0]
        for each in (ordinary, sparing)
        for moved in [image.clone().requires_grad_()]
    ]
    assert torch.equal(*gradients)
    assert not taken


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("rate", [6, 12])
def test_in_every_type(taken: list[torch.Size], dtype: torch.dtype, rate: int) -> None:
    ordinary, sparing = pair(CHANNELS, 8, 3, padding=rate, dilation=rate, dtype=dtype)
    image = image_of(2, CHANNELS, 8, 8, dtype=dtype)
    found = response_and_gradients(sparing, image)
    assert len(taken) == 1
    assert torch.equal(found[0], ordinary(image))
    precise = response_and_gradients(ordinary.double(), image.double())
    for one, other in zip(found, precise, strict=True):
        assert one.dtype == dtype
        error = (one.double() - other).norm() / other.norm()
        assert error < 4 * torch.finfo(dtype).eps


def test_autocast_computes_as_it_does_with_the_ordinary_one(taken: list[torch.Size]) -> None:
    ordinary, sparing = pair(CHANNELS, 8, 3, padding=6, dilation=6)
    image = image_of(2, CHANNELS, 8, 8, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        expected = response_and_gradients(ordinary, image)
        found = response_and_gradients(sparing, image)
    assert len(taken) == 1
    assert found[0].dtype == torch.bfloat16
    assert torch.equal(found[0], expected[0])
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=2**-6, atol=2**-6)


def test_a_gradient_asked_for_inside_autocast_is_as_precise_as_the_response() -> None:
    ordinary, sparing = pair(CHANNELS, 8, 3, padding=6, dilation=6)
    image = image_of(2, CHANNELS, 8, 8, dtype=torch.float32)
    response = sparing(image)
    with torch.autocast("cpu", torch.bfloat16):
        response.square().sum().backward()
    ordinary(image).square().sum().backward()
    assert sparing.weight.grad is not None
    torch.testing.assert_close(sparing.weight.grad, ordinary.weight.grad)


def test_unlike_types_are_refused_as_by_the_ordinary_one() -> None:
    for convolution in pair(CHANNELS, 8, 3, padding=6, dilation=6):
        with pytest.raises(RuntimeError, match="type"):
            convolution(image_of(2, CHANNELS, 8, 8, dtype=torch.bfloat16))


def ways_to_predict(sparing: nn.Conv2d, image: Tensor) -> Iterator[Tensor]:
    with torch.no_grad():
        yield sparing(image)
    yield sparing.eval()(image)
    sparing.train().requires_grad_(False)
    yield sparing(image)


def test_prediction_is_the_ordinary_convolution(taken: list[torch.Size]) -> None:
    ordinary, sparing = pair(CHANNELS, 4, 3, padding=6, dilation=6)
    image = image_of(2, CHANNELS, 7, 7, dtype=torch.float32)
    expected = ordinary(image)
    for response in ways_to_predict(sparing, image):
        assert torch.equal(response, expected)
        assert "_Convolution" not in type(response.grad_fn).__name__
    assert not taken


@pytest.mark.parametrize(
    ("shape", "rate"),
    [((2, CHANNELS, 40, 40), 6), ((CHANNELS, 7, 7), 6), ((2, CHANNELS, 16, 16), 2)],
)
def test_what_would_not_pay_is_the_ordinary_convolution(shape: tuple[int, ...], rate: int) -> None:
    _, sparing = pair(CHANNELS, 4, 3, padding=rate, dilation=rate)
    response = sparing(image_of(*shape, dtype=torch.float32))
    assert "_Convolution" not in type(response.grad_fn).__name__


def test_other_devices_see_the_ordinary_convolution() -> None:
    _, sparing = pair(CHANNELS, 4, 3, padding=6, dilation=6)
    response = sparing.to("meta")(torch.empty(2, CHANNELS, 7, 7, device="meta"))
    assert "_Convolution" not in type(response.grad_fn).__name__


class OwnConvolution(nn.Conv2d):
    pass


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 1, dilation=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, stride=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding="same", dilation=2),
        OwnConvolution(4, 4, 3, padding=2, dilation=2),
        nn.Conv1d(4, 4, 3, padding=2, dilation=2),
    ],
)
def test_what_is_left_as_it_is(module: nn.Module) -> None:
    network = nn.Sequential(module)
    kind = type(module)
    spare_padding(network)
    assert type(network[0]) is kind


def test_networks_of_the_zoo_keep_their_weights() -> None:
    declare_operators()
    from segmentation_models_pytorch import DeepLabV3

    network = build("smp:deeplabv3/resnet18", classes=3, seed=4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        reference = DeepLabV3("resnet18", encoder_weights=None, classes=3)
    state, expected = network.network.state_dict(), reference.state_dict()
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], expected[name]) for name in state)
    rates = {each.dilation[0] for each in network.modules() if isinstance(each, DilatedConv2d)}
    assert rates == {2, 4, 12, 24, 36}


def test_networks_of_the_zoo_learn_the_same(taken: list[torch.Size]) -> None:
    sparing = build("smp:deeplabv3/resnet18", classes=3, decoder_channels=16).double()
    sparing.network.decoder.aspp.project[-1].p = 0.0
    ordinary = copy.deepcopy(sparing)
    for module in ordinary.modules():
        if type(module) is DilatedConv2d:
            module.__class__ = nn.Conv2d
    image = torch.rand(2, 3, 40, 32, dtype=torch.float64)
    responses = [each.train()(image) for each in (sparing, ordinary)]
    assert torch.equal(*responses)
    for response in responses:
        response.square().mean().backward()
    assert len(taken) > 3
    for one, other in zip(sparing.parameters(), ordinary.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-8, atol=1e-10)
