"""Region mutual information: windows of the prediction should tell windows of the mask."""

from __future__ import annotations

import math

from torch import Tensor

from segmint.objectives.batch import IGNORE_INDEX
from segmint.objectives.precision import full_precision, nothing, widened
from segmint.objectives.rmi_determinant import unexplained_log_determinant
from segmint.objectives.rmi_maps import (
    LabelledImage,
    labelled_images,
    prediction_maps,
    truth_maps,
)
from segmint.objectives.rmi_options import RmiOptions
from segmint.objectives.rmi_pooling import check_sides, valid_windows
from segmint.objectives.supervision import SupervisedTerm, labels_of
from segmint.objectives.windows import window_scatter

REFERENCE_WINDOWS = 127 * 127
"""Windows of the published setting: crops of 513 x 513 pixels, pooled by 4, radius 3."""


def rmi_loss(
    logits: Tensor,
    mask: Tensor,
    *,
    radius: int = 3,
    pooling: str = "none",
    pool_size: int = 1,
    activation: str = "sigmoid",
    normalization: str = "window",
    epsilon: float = 5e-4,
    ignore_index: int = IGNORE_INDEX,
) -> Tensor:
    """Lower bound of the mutual information of mask and prediction, negated (Zhao et al. 2019).

    For an image and a class let y and p be the d = radius * radius values of the one-hot mask and
    of the probabilities in a window, and S the sums of their centered products over all windows.
    With M = Syy - Syp (Spp + epsilon I)^-1 Spy the loss is 1/2 log det(M + epsilon I) / d in nats,
    summed over classes, mean over images. It is the same for p and 1 - p, so it needs a
    cross-entropy beside it.

    Only classes that are present in an image are computed. An absent one has M = 0, so it would add
    1/2 log(epsilon), a constant without gradient.

    ``normalization="window"`` multiplies S by 16129 / (number of windows), so that neither the
    size of the image nor the number of labelled pixels shifts the balance of S and epsilon; with
    16129 windows, those of the published crop of 513 x 513 pixels pooled by 4, the value is the
    published one, less the constants of absent classes. Only windows whose pixels are all labelled
    count, and only images that have one; pooling does not pad.

    ``normalization="paper"`` gives the published value: sums as they are, ignored pixels set to 0
    in mask and prediction, padded pooling, the constants of absent classes included. It is there
    for comparison, not for learning.

    Args:
        logits: (N, K, H, W), of any floating type; sums and determinants are in float64. With
            K = 1 the mask is 0 or 1.
        mask: (N, H, W) integers, labels or ``ignore_index``.
        radius: side of a window in pixels, 1 to 10.
        pooling: ``none``, or how prediction, one-hot mask and ignored pixels alike are made
            smaller before windows are taken: ``average``, ``max`` or ``interpolate`` (bilinear).
            A pooled pixel counts when all pixels that it is made of do.
        pool_size: how many times smaller, 1 or more.
        activation: ``sigmoid`` of each class, or ``softmax`` over classes.
        normalization: ``window`` or ``paper``.
        epsilon: above 0.
        ignore_index: label of the pixels that do not count.

    Returns:
        Scalar; with ``window`` exactly 0, without gradient, when no window counts.

    Raises:
        InputError: when the mask does not fit the logits, or images are smaller than a window after
            pooling.
        UsageError: for an option out of its range.

    Example:
        >>> import torch
        >>> mask = torch.zeros(1, 16, 16, dtype=torch.long)
        >>> mask[:, 4:12, 4:12] = 1
        >>> logits = 4 * torch.nn.functional.one_hot(mask).movedim(-1, 1) - 2.0
        >>> rough = logits.roll(2, dims=2)
        >>> bool(rmi_loss(logits, mask) < rmi_loss(rough, mask))
        True
    """
    options = RmiOptions(
        radius=radius,
        pooling=pooling,
        pool_size=pool_size,
        activation=activation,
        normalization=normalization,
        epsilon=epsilon,
    )
    targets, known = labels_of(logits, mask, ignore_index, binary=True)
    check_sides(logits.shape[2:], options)
    if logits.shape[1] == 1:
        # The map of a single logit is that of label 1.
        targets = 1 - targets
    counted = None if bool(known.all()) else known
    with full_precision(logits):
        if options.published:
            return _published(logits, targets, counted, options)
        return _normalized(logits, targets, counted, options)


class RegionMutualInformation(SupervisedTerm):
    """The term ``rmi``: :func:`rmi_loss` over the labelled pixels of the region.

    Options are those of :func:`rmi_loss`.
    """

    def __init__(
        self,
        *,
        radius: int = 3,
        pooling: str = "none",
        pool_size: int = 1,
        activation: str = "sigmoid",
        normalization: str = "window",
        epsilon: float = 5e-4,
    ) -> None:
        super().__init__()
        self.options = RmiOptions(
            radius=radius,
            pooling=pooling,
            pool_size=pool_size,
            activation=activation,
            normalization=normalization,
            epsilon=epsilon,
        )

    def loss(self, logits: Tensor, mask: Tensor, ignore_index: int) -> Tensor:
        """Scalar in nats, what is minimized."""
        return rmi_loss(logits, mask, **self.options.resolved(), ignore_index=ignore_index)


def _normalized(
    logits: Tensor, targets: Tensor, counted: Tensor | None, options: RmiOptions
) -> Tensor:
    valid = None
    if counted is not None:
        valid = valid_windows(counted, options)
        counted = counted & valid.flatten(1).any(dim=1)[:, None, None]
    images = labelled_images(targets, counted, logits.shape[1])
    if not images:
        return nothing(logits)
    scatter = _scatter(logits, images, options, valid)
    return _value(scatter, options).sum().div(len(images)).to(widened(logits[:0]).dtype)


def _published(
    logits: Tensor, targets: Tensor, counted: Tensor | None, options: RmiOptions
) -> Tensor:
    images = labelled_images(targets, counted, logits.shape[1])
    absent = len(logits) * logits.shape[1] - sum(len(image.classes) for image in images)
    constant = absent * 0.5 * math.log(options.epsilon)
    if not images:
        return nothing(logits) + constant / len(logits)
    total = _value(_scatter(logits, images, options), options).sum() + constant
    return total.div(len(logits)).to(widened(logits[:0]).dtype)


def _scatter(
    logits: Tensor, images: list[LabelledImage], options: RmiOptions, valid: Tensor | None = None
) -> Tensor:
    """(P, 2 d, 2 d) of the pairs of images and classes, scaled as the normalization says."""
    prediction = prediction_maps(logits, images, options)
    truth = truth_maps(images, options, prediction.dtype)
    pairs = [image.number for image in images for _ in image.classes]
    if valid is not None:
        valid = valid[pairs]
    scatter = window_scatter(prediction, truth, options.radius, valid)
    if options.published:
        return scatter
    if valid is not None:
        return scatter * (REFERENCE_WINDOWS / valid.sum(dim=(1, 2), keepdim=True))
    height, width = (side - options.radius + 1 for side in truth.shape[1:])
    return scatter * (REFERENCE_WINDOWS / (height * width))


def _value(scatter: Tensor, options: RmiOptions) -> Tensor:
    """(P,) of 1/2 log det(M + epsilon I) / d."""
    return 0.5 * unexplained_log_determinant(scatter, options.epsilon) / options.radius**2
