"""Mutual learning gives the same however the logits lie and are cut, and in any type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from segmint.objectives import MutualLosses, mutual, mutual_chunks, mutual_losses

Layout = Callable[[Tensor], Tensor]
LAYOUTS: list[Layout] = [
    lambda peer: peer.contiguous(),
    lambda peer: peer.contiguous(memory_format=torch.channels_last),
    lambda peer: torch.cat([peer, peer]).contiguous(memory_format=torch.channels_last)[: len(peer)],
    lambda peer: torch.cat([peer, peer])[len(peer) :],
    lambda peer: torch.nn.functional.pad(peer, (1, 2, 1, 1))[..., 1:-1, 1:-2],
    lambda peer: peer.transpose(2, 3).contiguous().transpose(2, 3),
]


def made(
    peers: int = 3,
    shape: tuple[int, ...] = (2, 4, 3, 5),
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Logits, pixels that count, and labels of some."""
    generator = torch.Generator().manual_seed(seed)
    images, classes, height, width = shape
    logits = 2 * torch.randn(peers, *shape, generator=generator)
    where = torch.rand(images, height, width, generator=generator) < 0.7
    mask = torch.randint(classes, (images, height, width), generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < 0.2] = 255
    return [peer.to(dtype) for peer in logits], where, mask


def learned(logits: Sequence[Tensor], **options: Any) -> tuple[MutualLosses, list[Tensor]]:
    """What all peers learn from all others, and their gradients."""
    leaves = [peer.detach().requires_grad_() for peer in logits]
    peers = range(len(logits))
    found = mutual_losses(
        leaves, [[other for other in peers if other != peer] for peer in peers], **options
    )
    gradients = torch.autograd.grad(found.losses, leaves)
    return found._replace(losses=[loss.detach() for loss in found.losses]), list(gradients)


class NewStorages(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Bytes of all memory that is asked for inside, none of which is given back."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.sizes: dict[int, int] = {}
        self.kept: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = func(*args, **(kwargs or {}))
        old = {
            found.untyped_storage().data_ptr()
            for found in tree_leaves((args, kwargs))
            if isinstance(found, Tensor)
        }
        for made in tree_leaves(answer):
            if isinstance(made, Tensor) and made.untyped_storage().data_ptr() not in old:
                self.sizes[made.untyped_storage().data_ptr()] = made.untyped_storage().nbytes()
                self.kept.append(made)
        return answer


@settings(max_examples=80)
@given(
    shape=st.tuples(*[st.integers(1, 4)] * 4),
    layouts=st.lists(st.sampled_from(LAYOUTS), min_size=2, max_size=4),
    chunk=st.sampled_from([1, 9, 40, 10_000]),
    mode=st.sampled_from(["ensemble", "pairwise"]),
    gate=st.sampled_from(["none", "surer", "right"]),
    temperature=st.sampled_from([1.0, 3.0]),
    seed=st.integers(0, 1000),
)
def test_layout_and_chunks_change_nothing(
    shape: tuple[int, ...],
    layouts: list[Layout],
    chunk: int,
    mode: Literal["ensemble", "pairwise"],
    gate: Literal["none", "surer", "right"],
    temperature: float,
    seed: int,
) -> None:
    logits, where, mask = made(len(layouts), shape, torch.float64, seed)
    options: dict[str, Any] = {
        "where": where, "mask": mask, "mode": mode, "gate": gate, "temperature": temperature
    }  # fmt: skip
    expected, expected_gradients = learned(logits, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutual_chunks, "CHUNK_ELEMENTS", chunk)
        found, gradients = learned(
            [layout(peer) for layout, peer in zip(layouts, logits, strict=True)], **options
        )
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-13)
    torch.testing.assert_close(gradients, expected_gradients, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS[:2])
@pytest.mark.parametrize("chunk", [1, 7, 16, 60, 64, 10_000])
def test_every_pixel_is_in_one_chunk(
    layout: Layout, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutual_chunks, "CHUNK_ELEMENTS", chunk)
    numbers = torch.arange(120.0).reshape(2, 4, 3, 5)
    where = torch.arange(30).reshape(2, 3, 5)
    seen, places = [], []
    for part in mutual_chunks.chunks([layout(numbers)] * 2, [None] * 2, where):
        assert part.logits[0].numel() <= max(chunk, 4)
        assert part.counts is not None
        seen += part.logits[0].movedim(-2, -1).flatten(0, 1).tolist()
        places += part.counts.flatten().tolist()
    assert sorted(seen) == sorted(numbers.movedim(1, -1).flatten(0, 2).tolist())
    pixels = numbers.movedim(1, -1).flatten(0, 2)
    assert torch.equal(pixels[places], torch.tensor(seen))


@pytest.mark.parametrize("layout", LAYOUTS[:4])
@pytest.mark.parametrize("mode", ["ensemble", "pairwise"])
def test_all_but_the_gradients_is_as_small_as_a_chunk(
    layout: Layout, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutual_chunks, "CHUNK_ELEMENTS", 100)
    logits, where, mask = made(shape=(2, 4, 20, 20))
    logits = [layout(peer) for peer in logits]
    with NewStorages() as storages:
        learned(logits, where=where, mask=mask, gate="right", mode=mode)
    sizes = sorted(storages.sizes.values(), reverse=True)
    # Gradients as they are kept and as they are handed on; then three peers of a chunk.
    assert sizes[:6] == [4 * logits[0].numel()] * 6
    assert sizes[6] <= 4 * 3 * 100


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_lie_as_the_logits_do(layout: Layout) -> None:
    logits = [layout(peer) for peer in made(2)[0]]
    _, gradients = learned(logits)
    for gradient, peer in zip(gradients, logits, strict=True):
        for memory_format in (torch.contiguous_format, torch.channels_last):
            if peer.is_contiguous(memory_format=memory_format):
                assert gradient.is_contiguous(memory_format=memory_format)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits, where, _ = made(dtype=dtype)
    expected, expected_gradients = learned([peer.float() for peer in logits], where=where)
    found, gradients = learned(logits, where=where)
    assert {number.dtype for number in [*found.losses, *found[1:]]} == {torch.float32}
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)
    assert {gradient.dtype for gradient in gradients} == {dtype}
    for gradient, exact in zip(gradients, expected_gradients, strict=True):
        # Rounded twice: when it is kept and when it is handed on.
        rounding = 2 * torch.finfo(dtype).eps
        torch.testing.assert_close(gradient.float(), exact, rtol=rounding, atol=1e-7)


def test_loss_scale_saves_small_gradients() -> None:
    logits = made(2, (1, 4, 200, 200), torch.float16)[0]
    scale = 2.0**16
    _, expected = learned([peer.float() for peer in logits])
    leaves = [peer.requires_grad_() for peer in logits]
    losses = mutual_losses(leaves, [[1], [0]]).losses
    gradients = torch.autograd.grad([scale * loss for loss in losses], leaves)
    for gradient, exact in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient.float() / scale, exact, rtol=2e-3, atol=1e-11)


def test_peers_of_unlike_types() -> None:
    one, other = made(2, dtype=torch.bfloat16)[0]
    expected, _ = learned([one.float(), other.float()])
    found, gradients = learned([one, other.float()])
    assert found.losses == expected.losses
    assert [gradient.dtype for gradient in gradients] == [torch.bfloat16, torch.float32]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("gate", ["surer", "right"])
@pytest.mark.parametrize("mode", ["ensemble", "pairwise"])
def test_the_host_never_waits_for_a_device(
    layout: Layout, gate: Any, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tensors without values raise when the host asks for one."""
    # There is no half precision to turn off for them.
    monkeypatch.setattr(mutual, "full_precision", nullcontext)
    logits, where, mask = made()
    found, gradients = learned(
        [layout(peer).to("meta") for peer in logits],
        where=where.to("meta"),
        mask=mask.to("meta"),
        gate=gate,
        mode=mode,
    )
    assert found.divergences.shape == (3, 3)
    assert [gradient.shape for gradient in gradients] == [(2, 4, 3, 5)] * 3
