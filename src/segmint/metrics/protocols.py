"""The protocols by name: families of scores that a field agreed on."""

from __future__ import annotations

from segmint.registry import Registry

protocols = Registry("protocol")
protocols.register(
    "membranes",
    "segmint.metrics.membrane_protocol:PROTOCOL",
    "V_rand, V_info, Rand, pixel and warping error (ISBI 2012)",
)
protocols.register(
    "boundaries",
    "segmint.metrics.boundary_protocol:PROTOCOL",
    "boundary precision, recall and F, of a hierarchy ODS, OIS and AP (BSDS500)",
)
protocols.register(
    "surfaces",
    "segmint.metrics.surface_protocol:PROTOCOL",
    "HD95, average surface distance, surface Dice at a tolerance, of each class",
)
protocols.register(
    "instances",
    "segmint.metrics.instance_protocol:PROTOCOL",
    "average precision of objects, AJI and panoptic quality",
)
protocols.register(
    "calibration",
    "segmint.metrics.calibration_protocol:PROTOCOL",
    "calibration error, Brier score and likelihood of probabilities",
)
