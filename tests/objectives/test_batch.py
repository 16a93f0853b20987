from __future__ import annotations

from dataclasses import replace

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


def joined() -> Batch:
    """Three images, the last two of which came without a mask."""
    return Batch(
        image=torch.arange(36.0).reshape(3, 3, 1, 4),
        mask=torch.cat([MASK, torch.full((2, 1, 4), 255)]),
        region=REGION.expand(3, 1, 4),
        prior_means=torch.ones(2, 3),
        names=("a", "b", "c"),
        without_mask=2,
    )


def test_masked_part() -> None:
    batch = joined()
    part = batch.masked_part()
    assert torch.equal(part.image, batch.image[:1])
    assert part.mask is not None
    assert torch.equal(part.mask, MASK)
    assert part.region is not None
    assert torch.equal(part.region, REGION)
    assert part.prior_means is batch.prior_means
    assert part.names == ("a",)
    assert part.without_mask == 0
    assert (batch.names, batch.without_mask) == (("a", "b", "c"), 2)


def test_masked_part_shares_its_memory() -> None:
    batch = joined()
    assert batch.masked_part().image.data_ptr() == batch.image.data_ptr()


def test_masked_part_of_what_nothing_else_is_known() -> None:
    part = Batch(image=IMAGE.expand(3, 3, 1, 4), without_mask=1).masked_part()
    assert len(part.image) == 2
    assert (part.mask, part.region, part.names) == (None, None, ())


def test_masked_part_of_images_that_all_have_masks() -> None:
    batch = Batch(image=IMAGE, mask=MASK)
    assert batch.masked_part() is batch


def test_masked_part_may_be_empty() -> None:
    part = replace(joined(), without_mask=3).masked_part()
    assert part.image.shape == (0, 3, 1, 4)
    assert part.names == ()
