"""deepG and deepSVG on an image or a volume: a U-Net fitted to each slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmint.devices import choose_device, choose_dtype
from segmint.errors import InputError
from segmint.methods.deepg import OneImageOptions
from segmint.methods.method import Outcome, Task
from segmint.mixtures import GaussianMixture
from segmint.networks.storage import load_network, save_network
from segmint.networks.unet_deepg import DeepGUNet as UNet
from segmint.objectives.batch import Batch
from segmint.solvers.expectation_maximization import chosen_components
from segmint.solvers.mixture_data import Mixture, MixtureData, mixture_data
from segmint.solvers.mixture_network import MixtureNetworkFit, fit_mixture_network
from segmint.solvers.mixture_settings import MixtureSettings
from segmint.solvers.reduction import to_input

NETWORK_NAME = "unet-deepg"

_AXES = {"slices": 0, "rows": 1, "columns": 2}
_ON_THE_WAY = "slices"
"""Value of ``--warm-start`` that goes on from slice to slice."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Planes:
    """The slices of a volume along an axis; an image is one slice."""

    pixels: Floats
    """(D, H, W, C), normalized."""
    region: NDArray[np.bool_]
    """(D, H, W)"""
    axis: int | None
    """Where the slices lie in the volume; None for an image."""

    def restored(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (D, ..., H, W) a slice in the axes of the image, (..., H, W) or (..., D, H, W)."""
        if self.axis is None:
            return np.asarray(values[0])
        between = values.ndim - 3
        return np.asarray(np.moveaxis(values, 0, between + self.axis))


def deep_mixture(
    image: NDArray[Any], options: OneImageOptions, task: Task, *, varying: bool
) -> Outcome:
    """Segment an image, or each slice of a volume, by a U-Net that maximizes a likelihood.

    Args:
        image: (H, W, C) or (D, H, W, C), as stored.
        options: of the method.
        task: with the region.
        varying: let the weights vary over the image (deepSVG).
    """
    data = mixture_data(image, options, task)
    pixels = data.normalized()
    components, notes = chosen_components(pixels[data.whole_region()], data, task)
    planes = _planes(pixels, data.whole_region(), options.axis)
    settings = MixtureSettings(
        options=options, classes=components, varying=varying, lam=options.lam
    )
    fits = SliceFits(data, settings, task)
    probabilities = np.zeros(
        (len(planes.pixels), components, *planes.pixels.shape[1:3]), np.float32
    )
    filled = np.flatnonzero(planes.region.any(axis=(1, 2))).tolist()
    for index in filled:
        probabilities[index] = fits.add(planes.pixels[index], planes.region[index])
    if task.save_model is not None and fits.network is not None:
        save_network(Path(task.save_model), fits.network, name=NETWORK_NAME)
    whole = planes.restored(probabilities)
    return probable_outcome(
        data, pixels, whole, history=fits.history(filled), notes=(*notes, *fits.notes())
    )


def batch_of(
    data: MixtureData, pixels: Floats, region: NDArray[np.bool_], place: torch.device
) -> Batch:
    """Normalized pixels (H, W, C) of a slice, its region (H, W) and the known means."""
    known = data.known_means()
    return Batch(
        image=to_input(pixels, place),
        region=torch.from_numpy(np.ascontiguousarray(region))[None].to(place),
        prior_means=None if known is None else torch.from_numpy(known).to(place, torch.float32),
    )


def probable_outcome(
    data: MixtureData,
    pixels: Floats,
    probabilities: Floats,
    *,
    history: tuple[dict[str, float], ...],
    notes: tuple[str, ...],
) -> Outcome:
    """The outcome of probabilities (K, H, W) or (K, D, H, W) of normalized pixels (..., C)."""
    labels = np.where(data.whole_region(), probabilities.argmax(axis=0), -1)
    inside = np.moveaxis(probabilities, 0, -1)[data.whole_region()]
    mixture = mixture_of(pixels[data.whole_region()], inside)
    return data.outcome(mixture, labels, lambda: probabilities, history=history, notes=notes)


def mixture_of(values: Floats, probabilities: Floats) -> Mixture:
    """Weights, means and variances of values (N, C) under probabilities (N, K)."""
    shares, wide = probabilities.astype(np.float64), values.astype(np.float64)
    mass = np.maximum(shares.sum(axis=0), np.finfo(np.float64).tiny)
    means = shares.T @ wide / mass[:, np.newaxis]
    squares = shares.T @ wide**2 / mass[:, np.newaxis] - means**2
    return Mixture(weights=shares.mean(axis=0), means=means, variances=np.maximum(squares, 0))


class SliceFits:
    """The fits of one slice after the other."""

    def __init__(
        self,
        data: MixtureData,
        settings: MixtureSettings[OneImageOptions],
        task: Task,
    ) -> None:
        self.network: UNet | None = None
        self._data = data
        self._settings = settings
        self._options = settings.options
        self._task = task
        self._device = choose_device(task.device)
        self._dtype = choose_dtype(task.precision, self._device)
        self._fits: list[MixtureNetworkFit] = []
        self._start = self._loaded()

    def add(self, pixels: Floats, region: NDArray[np.bool_]) -> Floats:
        """Probabilities (K, H, W) of a slice, 0 outside its region, components in order."""
        start = self.network if self._options.warm_start == _ON_THE_WAY else self._start
        taught = self._options.start == "em" and start is None
        fit = fit_mixture_network(
            batch_of(self._data, pixels, region, self._device),
            self._settings,
            seed=self._task.seed,
            dtype=self._dtype,
            start=start,
            targets=self._responsibilities(pixels, region) if taught else None,
            observe=self._observer(),
        )
        self._fits.append(fit)
        self.network = fit.network
        probabilities: Floats = fit.probabilities.cpu().numpy()
        return probabilities[self.order(pixels[region], probabilities[:, region].T)]

    def history(self, slices: Sequence[int]) -> tuple[dict[str, float], ...]:
        """Of one fit a row an epoch, of several a row a slice, numbered as in the volume."""
        if len(self._fits) == 1:
            return self._fits[0].history
        return tuple(
            {"slice": number, "epochs": fit.epochs, "nll": fit.nll}
            for number, fit in zip(slices, self._fits, strict=True)
        )

    def notes(self) -> tuple[str, ...]:
        """How the fits ended, and what the known means were used for."""
        epochs = [fit.epochs for fit in self._fits]
        low, high = min(epochs), max(epochs)
        several = len(epochs) > 1
        said = f"{low}" if low == high else f"{low} to {high}"
        notes = [f"{said} epochs" + (f" on each of {len(epochs)} slices" if several else "")]
        ended = sum(count >= self._options.max_epochs for count in epochs)
        if ended:
            where = f" on {ended} slices" if several else ""
            notes.append(f"ended by --max-epochs{where}, maybe before convergence")
        if several and self._data.known is None:
            notes.append(
                "components are ordered in each slice by itself: the same id need not be the same "
                "tissue in another slice"
            )
        if self._start is not None:
            size = self._start.configuration
            notes.append(
                f"the network of --warm-start has {size['features']} features and "
                f"{size['levels']} levels"
            )
        if several and self._task.save_model is not None:
            notes.append("the saved network is that of the last slice")
        if self._data.known is not None and self._settings.lam == 0:
            notes.append("mu_data names the components; --lam above 0 also draws their means to it")
        return tuple(notes)

    def _observer(self) -> Callable[[int, Tensor], None] | None:
        """Tells who watches of an image; of a volume nothing is told."""
        tell = self._task.observe
        if tell is None or self._data.pixels.ndim == 4:
            return None
        return lambda epoch, labels: tell(epoch, labels.to(torch.int32).cpu().numpy())

    def order(self, values: Floats, probabilities: Floats) -> NDArray[np.int64]:
        """The channel that becomes each component, of values (n, C) and probabilities (n, K)."""
        mixture = mixture_of(values, probabilities)
        drawn = self._settings.lam > 0
        return self._data.order_of(mixture) if drawn else self._data.matched(mixture)

    def _responsibilities(self, pixels: Floats, region: NDArray[np.bool_]) -> Tensor | None:
        """(1, K, H, W) of EM on this slice; None where it has too few pixels."""
        values = pixels[region]
        if len(values) < self._settings.classes:
            return None
        fitted = GaussianMixture(
            self._settings.classes,
            means_init=self._data.known_means(),
            seed=self._task.seed,
            device=self._task.device,
        ).fit(values)
        placed = np.zeros((self._settings.classes, *region.shape), np.float32)
        placed[:, region] = fitted.predict_proba(values).T
        return torch.from_numpy(placed)[None].to(self._device)

    def _loaded(self) -> UNet | None:
        """The network of ``--warm-start``.

        Raises:
            InputError: when it is none for this image.
        """
        path = self._options.warm_start
        if path is None or path == _ON_THE_WAY:
            return None
        network = load_network(Path(path))
        channels, classes = self._data.pixels.shape[-1], self._settings.classes
        if not isinstance(network, UNet):
            raise InputError(
                f"{path} holds a network of another kind, accepted is one that --save-model of "
                "deepg or deepsvg wrote"
            )
        size = network.configuration
        if (size["in_channels"], size["classes"]) != (channels, classes):
            raise InputError(
                f"{path} holds a network of {size['in_channels']} channels and {size['classes']} "
                f"components, needed are {channels} and {classes}: leave --warm-start out"
            )
        return network.to(self._device)


def _planes(pixels: Floats, region: NDArray[np.bool_], axis: str) -> _Planes:
    if pixels.ndim == 3:
        return _Planes(pixels=pixels[np.newaxis], region=region[np.newaxis], axis=None)
    number = _AXES[axis]
    return _Planes(
        pixels=np.moveaxis(pixels, number, 0), region=np.moveaxis(region, number, 0), axis=number
    )
