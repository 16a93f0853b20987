from __future__ import annotations

from typing import Any

import pytest

from segmint.datasets.preprocessing import Preprocessing
from segmint.errors import UsageError
from segmint.inference import memory_limit
from segmint.inference.member import Member
from segmint.inference.memory_limit import MemoryLimit, held_memory
from segmint.inference.tile_plan import TilePlan, network_side
from segmint.inference.views import Views
from segmint.networks.reach import Reach


@pytest.fixture(autouse=True)
def _large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "available_memory", lambda: 2**40)


def member(*, halo: int | None = 96, bytes_per_pixel: float = 400.0, **changes: Any) -> Member:
    values: dict[str, Any] = {
        "preprocessing": Preprocessing(mean=(0.5,), deviation=(0.5,)),
        "activation": "softmax",
        "reach": Reach(step=16, least=0, halo=halo),
        "classes": 4,
        "name": "model.safetensors",
    }
    return Member(
        respond=lambda image: image, bytes_per_pixel=bytes_per_pixel, **{**values, **changes}
    )


def plan(
    *members: Member, gibibytes: float, views: Views | None = None, **options: Any
) -> TilePlan:
    limit = MemoryLimit(held_memory() + int(gibibytes * 2**30))
    options = {"tile": None, **options}
    return TilePlan.of(members, views=views or Views(), limit=limit, **options)


def test_no_limit_takes_what_is_asked_for() -> None:
    made = TilePlan.of([member()], views=Views(), limit=None, tile=None)
    assert made.tile is None


def test_more_memory_makes_larger_tiles() -> None:
    sides = [plan(member(), gibibytes=size).block for size in (0.25, 0.5, 1, 2, 4)]
    assert sides == sorted(sides)
    assert sides[0] < sides[-1]
    assert all(side % 256 == 0 for side in sides if side > 128)


@pytest.mark.parametrize("gibibytes", [0.8, 1.5, 3.0])
@pytest.mark.parametrize("halo", [0, 96, 512, None])
def test_what_the_network_sees_fits(halo: int | None, gibibytes: float) -> None:
    one = member(halo=halo)
    made = plan(one, gibibytes=gibibytes)
    assert made.tile == made.block
    assert network_side(made.block, one) ** 2 * 400 < gibibytes * 2**30


def test_a_larger_halo_wants_larger_tiles() -> None:
    sides = [plan(member(halo=halo), gibibytes=100).block for halo in (16, 48, 512)]
    assert sides == [2048, 3072, 4096]


def test_what_is_averaged_needs_room() -> None:
    one, many = member(classes=150), [member(classes=150), member(classes=150)]
    alone = plan(one, gibibytes=2).block
    assert plan(*many, gibibytes=2).block < alone
    assert plan(one, gibibytes=2, views=Views(flips=True)).block < alone
    assert plan(one, gibibytes=2, views=Views(scales=(2.0,))).block < alone


def test_a_limit_that_is_too_low_says_what_works() -> None:
    with pytest.raises(UsageError, match="but the smallest tile of model") as caught:
        plan(member(), gibibytes=0.01)
    assert "(64 x 64 with a halo of 96 pixels)" in str(caught.value)
    said = str(caught.value).partition("needs ")[2].partition(":")[0]
    limit = MemoryLimit.of(said.replace(" ", ""))
    made = TilePlan.of(
        [member()], views=Views(), limit=MemoryLimit(int(limit.total * 1.05)), tile=None
    )
    assert made.block >= 64


def test_a_tile_that_is_asked_for() -> None:
    assert plan(member(), gibibytes=2, tile=300).tile == 300
    assert TilePlan.of([member()], views=Views(), limit=None, tile=300).block == 300
    with pytest.raises(UsageError, match=r"the tile of model\.safetensors \(5000 x 5000"):
        plan(member(), gibibytes=2, tile=5000)


@pytest.mark.parametrize("tile", [0, 63, -1, 2.5, True])
def test_tiles_that_cannot_be(tile: Any) -> None:
    with pytest.raises(UsageError, match="accepted is a whole number of pixels from 64"):
        TilePlan.of([member()], views=Views(), limit=None, tile=tile)
