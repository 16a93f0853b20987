from __future__ import annotations

import torch

from segmint.objectives import Batch

IMAGE = torch.zeros(1, 3, 1, 4)
MASK = torch.tensor([[[0, 255, 1, 255]]])
REGION = torch.tensor([[[True, True, False, False]]])


def test_nothing_known() -> None:
    batch = Batch(image=IMAGE)
    assert batch.labelled() is None
    assert batch.unlabelled() is None


def test_mask() -> None:
    batch = Batch(image=IMAGE, mask=MASK)
    assert batch.labelled().tolist() == [[[True, False, True, False]]]
    assert batch.unlabelled().tolist() == [[[False, True, False, True]]]


def test_region() -> None:
    batch = Batch(image=IMAGE, region=REGION)
    assert batch.labelled() is None
    assert batch.unlabelled() is REGION


def test_mask_and_region() -> None:
    batch = Batch(image=IMAGE, mask=MASK, region=REGION)
    assert batch.labelled().tolist() == [[[True, False, False, False]]]
    assert batch.unlabelled().tolist() == [[[False, True, False, False]]]


def test_ignore_index() -> None:
    batch = Batch(image=IMAGE, mask=MASK, ignore_index=0)
    assert batch.labelled().tolist() == [[[False, True, True, True]]]
