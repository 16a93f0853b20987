"""The chapter on how sure a run is, and whether it is right as often as it says."""

from __future__ import annotations

from collections.abc import Sequence

from segmint.metrics.calibration import Calibration
from segmint.recipes.scoring import RunScores
from segmint.reports.chart import Curve
from segmint.reports.curve_chart import curve_chart
from segmint.reports.page import Section
from segmint.reports.run_examples import Example

PROTOCOL = "calibration"
"""Whose counts are looked for among the scores."""


def uncertainty_section(scores: RunScores | None, examples: Sequence[Example]) -> Section | None:
    """The chapter, or None where there are no probabilities with a truth.

    Args:
        scores: of a split; where they have calibration it is that of all images.
        examples: that are shown, counted where the scores have none.
    """
    told = () if scores is None else scores.protocols
    everywhere = [each for part in told if part.name == PROTOCOL for each in part.evidence.values()]
    shown = [each.calibration for each in examples if each.calibration is not None]
    known = everywhere or shown
    found = sum(known[1:], start=known[0]) if known else None
    if found is None or not found.total:
        return None
    counted = f"{len(known)} {'image' if everywhere else 'example'}{'' if len(known) == 1 else 's'}"
    error = 100 * found.expected_error
    return Section(
        title="How sure it is",
        text=(_sentence(found), f"Counted on the {found.total:,} labelled pixels of {counted}."),
        charts=(
            curve_chart(
                [
                    _reliability(found),
                    Curve(name="calibrated", x=(0, 1), y=(0, 1), style=6, thin=True),
                ],
                "confidence",
                "share that is right",
                caption="Pixels by confidence, the probability of the class that was chosen. Below "
                "the line the network is surer than it should be, above it less sure.",
                holds=(0, 1),
            ),
        ),
        facts={
            "expected calibration error": f"{error:.1f} percentage points",
            "Brier score": f"{found.brier:.3f}, 0 is best and 2 worst",
            "negative log-likelihood": f"{found.negative_log_likelihood:.3f} nats a pixel",
        },
    )


def _reliability(found: Calibration) -> Curve:
    """The share of right pixels by the mean confidence of each bin."""
    filled = found.pixels > 0
    confidence = found.confidence[filled] / found.pixels[filled]
    right = found.hits[filled] / found.pixels[filled]
    return Curve(name="this run", x=confidence.tolist(), y=right.tolist())


def _sentence(found: Calibration) -> str:
    """What the numbers say, no more."""
    sure = 100 * float(found.confidence.sum()) / found.total
    right = 100 * float(found.hits.sum()) / found.total
    side = "surer than it is right" if sure > right else "less sure than it is right"
    return (
        f"The mean confidence is {sure:.1f} % and {right:.1f} % of the pixels are right: on the "
        f"whole it is {side}."
    )
