"""How far networks look, against what changes when single pixels do."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from segmint.networks import build
from segmint.networks.reach import Reach, measured_reach


def positive(name: str, levels: int) -> nn.Module:
    """A U-Net in which nothing cancels: what an input adds, every output it reaches gains."""
    network = build(name, in_channels=1, classes=1, features=2, levels=levels).double().eval()
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            with torch.no_grad():
                module.weight.uniform_(0.5, 1, generator=generator)
                module.weight /= module.weight[0].numel()
    return network


def touched(network: nn.Module, size: tuple[int, int], pixels: list[tuple[int, int]]) -> Tensor:
    """(n, H, W), which outputs change with each of n pixels of an image."""
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1)).double()
    changed = image.repeat(len(pixels), 1, 1, 1)
    for one, (row, column) in zip(changed, pixels, strict=True):
        one[0, row, column] += 1e6
    with torch.inference_mode():
        return (network(changed) != network(image))[:, 0]


def least_halo(changes: Tensor, places: list[int], step: int) -> int:
    """The smallest multiple of the step that the promise of a reach holds for.

    Args:
        changes: (n, length), outputs along an axis that change with each of n inputs.
        places: of the inputs along it.
        step: length of a cell.
    """
    halo = 0
    for place, row in zip(places, changes, strict=True):
        for output in row.nonzero().flatten().tolist():
            cell = output // step * step
            halo = max(halo, cell - place, place - (cell + step) + 1)
    return -(-halo // step) * step


@pytest.mark.parametrize("name", ["unet", "unet-original"])
def test_every_pixel_of_a_small_image(name: str) -> None:
    network = positive(name, 1)
    pixels = list(product(range(26), range(28)))
    changes = touched(network, (26, 28), pixels)
    rows = least_halo(changes.any(dim=2), [row for row, _ in pixels], 2)
    columns = least_halo(changes.any(dim=1), [column for _, column in pixels], 2)
    assert measured_reach(network.float()) == Reach(step=2, least=0, halo=max(rows, columns))


@pytest.mark.parametrize("levels", [2, 3])
@pytest.mark.parametrize("name", ["unet", "unet-original"])
def test_every_pixel_of_a_cell(name: str, levels: int) -> None:
    network, step = positive(name, levels), 2**levels
    length = step * 25
    cell = list(product(range(step), range(12 * step, 13 * step)))
    along = touched(network, (step, length), cell).any(dim=1)
    down = touched(network, (length, step), [(column, row) for row, column in cell]).any(dim=2)
    places = [place for _, place in cell]
    expected = max(least_halo(changes, places, step) for changes in (along, down))
    assert measured_reach(network.float()) == Reach(step=step, least=0, halo=expected)


class Probe(nn.Module):
    """A network of one thing that decides how far it looks."""

    def __init__(self, look: nn.Module, **told: int) -> None:
        super().__init__()
        self.look, self.calls = look, 0
        self.weight = nn.Parameter(torch.ones(1))
        self.configuration = {"in_channels": 1, "classes": 1}
        for name, value in told.items():
            setattr(self, name, value)

    def forward(self, image: Tensor) -> Tensor:
        self.calls += 1
        return self.look(image) * self.weight


class Whole(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image + image.mean(dim=(2, 3), keepdim=True)


class Positions(nn.Module):
    """Adds where a pixel lies in the image, as no tile can know."""

    def forward(self, image: Tensor) -> Tensor:
        return image + torch.linspace(0, 1, image.shape[-1])


class Refusing(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        raise ValueError("only images of 224x224 pixels")


@pytest.mark.parametrize("look", [Whole(), Positions(), Refusing(), nn.InstanceNorm2d(1)])
def test_networks_without_a_halo(look: nn.Module) -> None:
    assert measured_reach(Probe(look, step=4)) == Reach(step=4, least=0, halo=None)


def smooth(size: tuple[int, int], *, dilation: int = 1) -> nn.Conv2d:
    padding = tuple(dilation * (side // 2) for side in size)
    return nn.Conv2d(1, 1, size, padding=padding, dilation=dilation)


@pytest.mark.parametrize(
    ("look", "step", "halo"),
    [
        (nn.Identity(), 1, 0),
        (smooth((1, 5)), 1, 2),
        (smooth((5, 1)), 1, 2),
        (smooth((3, 7)), 2, 4),
        (smooth((41, 1)), 1, 20),
        (smooth((1, 151)), 4, 76),
        (smooth((1, 3), dilation=5), 1, 5),
    ],
)
def test_networks_with_a_halo(look: nn.Module, step: int, halo: int) -> None:
    assert measured_reach(Probe(look, step=step)) == Reach(step=step, least=0, halo=halo)


def test_least_size() -> None:
    assert measured_reach(Probe(smooth((5, 5)), step=8, least=60)).least == 60
    assert measured_reach(Probe(smooth((5, 5)), step=8, least=60)).halo == 8


def test_networks_of_one_size_are_not_tried() -> None:
    network = Probe(nn.Identity(), step=32, most=32)
    assert measured_reach(network) == Reach(step=32, least=0, halo=None, most=32)
    assert network.calls == 0


def test_measured_once_for_each_configuration() -> None:
    network = Probe(smooth((3, 3)), step=2)
    first = measured_reach(network)
    calls = network.calls
    assert measured_reach(network) is first
    assert network.calls == calls > 0
    network.configuration["wide"] = True
    network.look = smooth((7, 7))
    assert measured_reach(network).halo == 4


@pytest.mark.parametrize("learns", [False, True])
def test_what_is_left_as_it_was(learns: bool) -> None:
    network = build("unet", features=2, levels=1).train(learns)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    measured_reach(network)
    assert torch.equal(torch.rand(1), expected)
    assert {module.training for module in network.modules()} == {learns}
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    assert torch.backends.mkldnn.is_available()
    assert torch.backends.mkldnn.enabled
