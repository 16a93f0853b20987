"""Gaussian mixtures against scikit-learn, distinct pixels against all, and NumPy's formulas.

Run: ``python benchmarks/bench_mixtures.py`` (three minutes), or with some of
``sklearn``, ``distinct``, ``varying``, ``memory``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture as Reference

from measuring import in_turn, machine, peak_memory, ratio, run_alone, spread
from plain_mixtures import fit_by_arrays, fit_by_loops
from segmint.mixtures import GaussianMixture, SpatiallyVaryingMixture, distinct_samples

ITERATIONS = 20
FEW_ITERATIONS, MANY_ITERATIONS = 10, 60
"""What lies between them is the time of iterations alone."""

Mixture = Callable[[], GaussianMixture]
COUNT, COMPONENTS = 2_000_000, 8
MEGAPIXELS = 12_000_000
CLOSE = 1e-5
ROUNDED = 1e-3
"""scikit-learn adds up float32 samples in float32, and is itself that far from its float64."""

Samples = NDArray[Any]


def blobs() -> tuple[Samples, Samples]:
    """Two million samples of eight overlapping blobs, and means to start from."""
    generator = np.random.default_rng(0)
    centers = generator.normal(size=(COMPONENTS, 3)) * 3
    deviations = generator.uniform(0.5, 1.5, size=(COMPONENTS, 3))
    which = generator.integers(0, COMPONENTS, COUNT)
    samples = np.empty((COUNT, 3), np.float32)
    for part in np.array_split(np.arange(COUNT), 20):
        noise = generator.normal(size=(len(part), 3))
        samples[part] = centers[which[part]] + noise * deviations[which[part]]
    return samples, samples[:COMPONENTS].copy()


def against_sklearn() -> None:
    """Same data, same start, same iterations; theirs in float64, then in float32 throughout."""
    for theirs, accepted in ((np.float64, CLOSE), (np.float32, ROUNDED)):
        samples, means = blobs()
        data = samples.astype(theirs)
        found: dict[str, float] = {}

        def fit_ours(
            samples: Samples = samples, means: Samples = means, found: dict[str, float] = found
        ) -> None:
            found["ours"] = fit_mixture(samples, means).lower_bound_

        def fit_theirs(
            data: Samples = data, means: Samples = means, found: dict[str, float] = found
        ) -> None:
            found["theirs"] = fit_reference(data, means).lower_bound_

        seconds = in_turn(fit_theirs, fit_ours, runs=2)
        report(
            f"EM-GMM 2 million x 3, K=8, {ITERATIONS} iterations, scikit-learn {theirs.__name__}",
            seconds,
            abs(found["ours"] - found["theirs"]),
            accepted,
        )


def fit_mixture(samples: Samples, means: Samples) -> GaussianMixture:
    """Twenty iterations of ours."""
    mixture = GaussianMixture(
        COMPONENTS,
        tol=0,
        max_iter=ITERATIONS,
        means_init=means,
        weights_init=np.full(COMPONENTS, 1 / COMPONENTS),
        covariances_init=np.ones((COMPONENTS, 3)),
        device="cpu",
    )
    return mixture.fit(samples)


def fit_reference(samples: Samples, means: Samples) -> Any:
    """Twenty iterations of scikit-learn's."""
    mixture = Reference(
        COMPONENTS,
        covariance_type="diag",
        tol=0,
        max_iter=ITERATIONS,
        means_init=means.astype(samples.dtype),
        weights_init=np.full(COMPONENTS, 1 / COMPONENTS, samples.dtype),
        precisions_init=np.ones((COMPONENTS, 3), samples.dtype),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixture.fit(samples)


def grey_image() -> NDArray[np.uint8]:
    """12 million 8-bit pixels of four humps."""
    generator = np.random.default_rng(1)
    which = generator.integers(0, 4, MEGAPIXELS)
    values = np.array([40, 90, 150, 210])[which] + 12 * generator.normal(size=MEGAPIXELS)
    return np.clip(values, 0, 255).astype(np.uint8)[:, None]


def color_image() -> NDArray[np.uint8]:
    """12 million RGB pixels of four noisy colors."""
    generator = np.random.default_rng(2)
    colors = np.array([[40, 60, 80], [90, 100, 60], [150, 120, 170], [210, 200, 190]])
    image = np.empty((MEGAPIXELS, 3), np.uint8)
    for part in np.array_split(np.arange(MEGAPIXELS), 20):
        noise = 5 * generator.normal(size=(len(part), 3))
        image[part] = np.clip(colors[generator.integers(0, 4, len(part))] + noise, 0, 255)
    return image


def distinct_against_all() -> None:
    """8-bit pixels, once each distinct value and once every pixel."""
    color = color_image()
    exactly = {"tol": 0.0, "max_iter": ITERATIONS}
    for name, pixels, stop in (
        ("grey", grey_image(), {}),
        ("RGB", color, {}),
        ("RGB", color, exactly),
    ):
        channels = pixels.shape[1]
        means = np.repeat([[50.0], [100.0], [140.0], [200.0]], channels, axis=1)
        found: dict[str, Any] = {}

        mixture = partial(GaussianMixture, 4, means_init=means, device="cpu", **stop)

        def all_pixels(
            pixels: Samples = pixels, mixture: Mixture = mixture, found: dict[str, Any] = found
        ) -> None:
            found["all"] = mixture().fit(pixels)
            found["labels of all"] = found["all"].predict(pixels)

        def distinct_pixels(
            pixels: Samples = pixels, mixture: Mixture = mixture, found: dict[str, Any] = found
        ) -> None:
            samples, counts, inverse = distinct_samples(pixels)
            found["distinct"] = mixture().fit(samples, sample_weight=counts)
            found["labels"] = found["distinct"].predict(samples).astype(np.int32)[inverse]

        seconds = in_turn(all_pixels, distinct_pixels, runs=3)
        if not np.array_equal(found["labels"], found["labels of all"]):
            raise SystemExit(f"{name}: labels differ")
        difference = np.abs(found["all"].means_ - found["distinct"].means_).max() / 255
        iterations = found["distinct"].n_iter_
        title = (
            f"12 megapixels {name}, K=4, {iterations} iterations, labels from all and from distinct"
        )
        report(title, seconds, float(difference), 1e-6)


def against_numpy() -> None:
    """The published formulas, and a vectorized form of them."""
    generator = np.random.default_rng(3)
    means: Samples = np.array([[0.0, 0, 0], [1, 2, 0], [3, 0, 1], [0, -2, -3]])
    wide = means[generator.integers(0, 4, 154_401)] + generator.normal(size=(154_401, 3))
    for dtype in (np.float32, np.float64):
        samples, start = wide.astype(dtype), (means + 0.3).astype(dtype)
        plain_fits = {
            "loops as published": fit_by_loops,
            "loops that keep densities": partial(fit_by_loops, keep_densities=True),
            "vectorized": fit_by_arrays,
        }
        for name, plain in plain_fits.items():
            found: dict[str, float] = {}

            def fit_plain(
                iterations: int,
                plain: Callable[..., Any] = plain,
                samples: Samples = samples,
                start: Samples = start,
                found: dict[str, float] = found,
            ) -> None:
                found["plain"] = plain(samples, start, iterations).likelihoods[-1]

            def fit_ours(
                iterations: int,
                samples: Samples = samples,
                start: Samples = start,
                found: dict[str, float] = found,
            ) -> None:
                mixture = SpatiallyVaryingMixture(
                    4,
                    tol=0,
                    max_iter=iterations,
                    means_init=start,
                    weights_init=np.full(4, 0.25),
                    covariances_init=np.ones((4, 3)),
                    device="cpu",
                )
                found["ours"] = mixture.fit(samples).lower_bound_

            works = [
                partial(work, iterations)
                for work in (fit_plain, fit_ours)
                for iterations in (FEW_ITERATIONS, MANY_ITERATIONS)
            ]
            few, many, ours_few, ours_many = in_turn(*works, runs=7)
            between = MANY_ITERATIONS - FEW_ITERATIONS
            seconds = [
                [(after - before) / between for after, before in zip(*pair, strict=True)]
                for pair in ((many, few), (ours_many, ours_few))
            ]
            title = f"EM-SVGMM 154,401 x 3, K=4, an iteration, NumPy {name} {dtype.__name__}"
            report(title, seconds, abs(found["ours"] - found["plain"]), digits=4)


def report(
    title: str,
    seconds: list[list[float]],
    difference: float,
    accepted: float = CLOSE,
    digits: int = 3,
) -> None:
    """One row, refused when the results differ."""
    if not difference <= accepted:
        raise SystemExit(f"{title}: results differ by {difference:.2e}")
    slow, fast = seconds
    print(
        f"{title}: {spread(slow, digits)} and {spread(fast, digits)}, "
        f"{ratio(slow, fast):.1f} times faster, results within {difference:.0e}",
        flush=True,
    )


def memory() -> None:
    """What a fit adds to the memory of a process, each in one of its own."""
    for name in ("mixture", "reference"):
        printed, _, _ = run_alone(__file__, "alone", name)
        print(f"memory added by the fit of 2 million x 3 float32, {name}: {printed.strip()} MiB")


def alone(name: str) -> None:
    """Print the MiB that one fit adds."""
    samples, means = blobs()
    fit: Callable[[Samples, Samples], Any]
    fit = fit_mixture if name == "mixture" else fit_reference
    fit(samples[:50_000], means)
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    fit(samples, means)
    print(peak_memory() - before)


PARTS: dict[str, Callable[[], None]] = {
    "varying": against_numpy,
    "memory": memory,
    "distinct": distinct_against_all,
    "sklearn": against_sklearn,
}


def main() -> None:
    """Run the parts that are named, or all."""
    print(machine())
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    if sys.argv[1:2] == ["alone"]:
        alone(sys.argv[2])
    else:
        main()
