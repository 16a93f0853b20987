from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler

import pytest
import torch

from segmint.networks import build
from segmint.networks.deployed import deployed
from segmint.solvers.sent_network import SentNetwork


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_answers_as_before(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = deployed(build("unet", features=4, levels=2, classes=3), dtype)
    image = torch.rand(1, 3, 40, 52)
    expected = network(image)
    message = bytes(ForkingPickler.dumps(SentNetwork.of(network)))
    # One message may go to several processes, and long after it was written.
    for _ in range(2):
        arrived = pickle.loads(message).network()  # noqa: S301 - made here
        assert torch.equal(arrived(image), expected)
        pairs = list(zip(arrived.parameters(), network.parameters(), strict=True))
        assert [new.stride() for new, _ in pairs] == [old.stride() for _, old in pairs]
        assert all(new.data_ptr() != old.data_ptr() for new, old in pairs)
    assert torch.equal(network(image), expected)
