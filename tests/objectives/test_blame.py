from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from segmint.errors import InputError, SegmintError
from segmint.networks.factored import FactoredResponse
from segmint.objectives import Batch, Objective

NAMES = ("cells/a.png", "cells/b.png", "cells/c.png")


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        image=torch.rand(3, 1, 4, 5, generator=generator),
        mask=torch.randint(2, (3, 4, 5), generator=generator),
        names=NAMES,
    )


def blamed(text: str, logits: torch.Tensor, batch: Batch) -> str:
    objective = Objective(text)
    total = objective(logits, batch)
    assert not torch.isfinite(total)
    with pytest.raises(SegmintError) as caught:
        objective.blame(batch)
    assert isinstance(caught.value, InputError)
    assert caught.value.exit_code == 1
    return str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_logits_of_one_image(batch: Batch, value: float) -> None:
    logits = torch.zeros(3, 2, 4, 5)
    logits[1, :, 2, 2] = value
    message = blamed("cross_entropy + 0.5*bce", logits, batch)
    assert "cross_entropy nan" in message
    assert "logits of cells/b.png already were not" in message
    assert "a.png" not in message
    assert "learning rate" in message
    assert "float32" in message


def test_pixels_of_one_image(batch: Batch) -> None:
    batch.image[2, 0, 1, 1] = math.nan
    logits = torch.zeros(3, 2, 4, 5) + batch.image.mean(dim=(1, 2, 3))[:, None, None, None]
    message = blamed("cross_entropy", logits, batch)
    assert "the pixels of cells/c.png are not all finite: check that file" in message


def test_pixels_outside_the_region_are_not_to_blame(batch: Batch) -> None:
    batch.image[2, 0, 1, 1] = math.nan
    region = torch.ones(3, 4, 5, dtype=torch.bool)
    region[2, 1, 1] = False
    message = blamed("bce", torch.full((3, 2, 4, 5), math.nan), replace(batch, region=region))
    assert "logits of cells/a.png, cells/b.png, cells/c.png" in message


def test_only_the_terms_that_are_not_finite(batch: Batch) -> None:
    # Differences of float32 overflow where the values themselves do not.
    logits = torch.full((3, 2, 4, 5), 3e38)
    logits[..., ::2] = -3e38
    message = blamed("0*similarity + 1*continuity(everywhere=true) + 0*max_area", logits, batch)
    assert "continuity inf" in message
    assert "max_area" not in message
    assert "though image and logits are" in message
    assert "cells/a.png, cells/b.png, cells/c.png" in message


def test_sum_of_finite_terms(batch: Batch) -> None:
    logits = torch.zeros(3, 2, 4, 5)
    logits[:, 0] = 1e4
    mask = torch.ones(3, 4, 5, dtype=torch.long)
    text = " + ".join(["3e34*cross_entropy"] * 1 + ["3e34*bce"])
    message = blamed(text, logits, replace(batch, mask=mask))
    assert "objective is not finite" in message


def test_factored_response(batch: Batch) -> None:
    factored = FactoredResponse(
        features=torch.zeros(3, 2, 4, 5), weight=torch.full((2, 2), math.nan), bias=torch.zeros(2)
    )
    objective = Objective("similarity + continuity")
    objective(factored, batch)
    with pytest.raises(InputError, match=r"logits of cells/a\.png, cells/b\.png"):
        objective.blame(batch)


def test_images_without_names(batch: Batch) -> None:
    logits = torch.zeros(3, 2, 4, 5)
    logits[1] = math.nan
    message = blamed("bce", logits, replace(batch, names=()))
    assert "logits of image 2 of the batch already were not" in message


def test_many_images() -> None:
    names = tuple(f"{number}.png" for number in range(20))
    batch = Batch(image=torch.zeros(20, 1, 2, 2), mask=torch.zeros(20, 2, 2).long(), names=names)
    message = blamed("bce", torch.full((20, 2, 2, 2), math.nan), batch)
    assert "0.png, 1.png, 2.png, 3.png, 4.png, 5.png, 6.png, 7.png and 12 more" in message
