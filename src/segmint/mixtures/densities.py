"""Any samples under fitted parameters, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from segmint.mixtures.crew import Crew
from segmint.mixtures.expectation import LOG_2, Spaces, arithmetic, base_2, natural_with_weights
from segmint.mixtures.standardized import check_finite, is_wide, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from segmint.mixtures.covariances import Covariance
    from segmint.mixtures.parameters import Parameters
    from segmint.mixtures.standardized import Scaling


class Densities:
    """Fitted parameters, ready to be asked about (N, M) samples."""

    def __init__(
        self, parameters: Parameters, scaling: Scaling, kind: Covariance, device: torch.device
    ) -> None:
        natural = kind.coefficients(parameters.means, parameters.covariances)
        self._natural = natural_with_weights(natural, parameters.weights)
        self._narrowest = kind.narrowest(parameters.covariances)
        self._reach = parameters.reach()
        self._scaling, self._kind, self._device = scaling, kind, device

    def labels(self, samples: NDArray[Any]) -> NDArray[np.int64]:
        """(N,) the likeliest component."""
        found = np.empty(len(samples), np.int64)

        def note(part: slice, logarithms: Tensor) -> None:
            found[part] = logarithms.argmax(dim=0).cpu().numpy()

        self._for_chunks(samples, note)
        return found

    def probabilities(self, samples: NDArray[Any]) -> NDArray[Any]:
        """(N, K) probabilities of the components, float64 for float64 and float32 for the rest."""
        dtype = np.float64 if is_wide(samples) else np.float32
        found = np.empty((len(samples), len(self._natural)), dtype)

        def note(part: slice, logarithms: Tensor) -> None:
            shares = logarithms.sub_(logarithms.amax(dim=0)).exp2_()
            found[part] = shares.div_(shares.sum(dim=0)).T.cpu().numpy()

        self._for_chunks(samples, note)
        return found

    def log_likelihoods(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """(N,) in nats, in the units of the samples."""
        found = np.empty(len(samples))

        def note(part: slice, logarithms: Tensor) -> None:
            highest = logarithms.amax(dim=0)
            mass = logarithms.sub_(highest).exp2_().sum(dim=0)
            found[part] = highest.add_(mass.log2_()).cpu().numpy()

        self._for_chunks(samples, note)
        found *= LOG_2
        found -= self._scaling.volume
        return found

    def _for_chunks(self, samples: NDArray[Any], note: Callable[[slice, Tensor], None]) -> None:
        """Call with slices and their (K, n) log-probabilities to base 2.

        Raises:
            InputError: when values are not finite.
        """
        components, channels, device = len(self._natural), samples.shape[1], self._device
        stored = torch.float64 if is_wide(samples) else torch.float32
        spaces = Spaces(self._kind, components, channels, len(samples), device)
        coefficients = {
            dtype: base_2(self._natural, dtype, device) for dtype in (torch.float32, torch.float64)
        }

        def chunk(part: slice) -> None:
            check_finite(samples[part])
            columns = self._scaling.columns(samples[part])
            peak = max(float(columns.max()), -float(columns.min()), self._reach)
            dtype = arithmetic(stored, peak, self._narrowest)
            space = spaces.of(dtype)
            features = space.features(torch.from_numpy(columns))
            note(part, space.log_densities(features, coefficients[dtype]))

        with Crew(device, samples.size * components) as crew:
            crew.map(chunk, parts(len(samples), spaces.rows))
