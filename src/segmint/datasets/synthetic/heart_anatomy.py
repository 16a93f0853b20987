"""The shapes of a made-up heart and of what lies around it, as a map of tissues."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Codes = npt.NDArray[np.uint8]

TISSUES = (
    "lung",
    "liver",
    "stomach",
    "fat",
    "chest muscle",
    "right ventricle wall",
    "right ventricle",
    "aorta",
    "blood pool",
    "papillary muscle",
    "myocardium",
    "edema",
    "scar",
)
"""What a code of a tissue map means."""

_CODE = {tissue: np.uint8(code) for code, tissue in enumerate(TISSUES)}
_ANGLES = 720
_HARMONICS = np.arange(2, 6)


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """One person's heart; lengths in millimeters, angles in radians clockwise from the right."""

    center: tuple[float, float]
    radius: float
    wall: float
    inner_wobble: Floats
    outer_wobble: Floats
    right_angle: float
    right_size: tuple[float, float]
    lesion_angle: float
    lesion_twist: float
    lesion_level: float
    scar_width: float
    scar_depth: float
    scar_height: float
    edema_margin: float
    edema_height: float
    papillary_angles: tuple[float, float]
    papillary_radius: float
    surroundings: tuple[float, ...]

    @classmethod
    def draw(cls, generator: np.random.Generator) -> Self:
        """Somebody's heart at random."""
        uniform = generator.uniform
        scar_height = uniform(0.28, 0.40)
        first = uniform(0.4, 1.0)
        return cls(
            center=(uniform(-5, 5), uniform(-1, 9)),
            radius=uniform(20.5, 25.5),
            wall=uniform(9.0, 11.5),
            inner_wobble=generator.normal(0, 0.11, (2, len(_HARMONICS))) / _HARMONICS,
            outer_wobble=generator.normal(0, 0.05, (2, len(_HARMONICS))) / _HARMONICS,
            right_angle=math.pi + uniform(-0.1, 0.5),
            right_size=(uniform(0.72, 0.88), uniform(1.0, 1.15)),
            lesion_angle=uniform(0, 2 * math.pi),
            lesion_twist=uniform(-0.6, 0.6),
            lesion_level=uniform(0.48, 0.60),
            scar_width=uniform(0.55, 1.0),
            scar_depth=uniform(0.60, 0.90),
            scar_height=scar_height,
            edema_margin=uniform(0.40, 0.70),
            edema_height=scar_height + uniform(0.08, 0.16),
            papillary_angles=(first, first + uniform(1.4, 2.0)),
            papillary_radius=uniform(2.0, 3.0),
            surroundings=tuple(generator.uniform(-1, 1, 8).tolist()),
        )


def tissue_map(
    anatomy: Anatomy, level: float, size: tuple[int, int], pixel: float, factor: int
) -> Codes:
    """The tissues of one short-axis slice.

    Args:
        anatomy: whose heart.
        level: 0 at the base of the heart to 1 at its apex.
        size: rows and columns of the slice.
        pixel: side of a pixel in millimeters.
        factor: so many samples a pixel along each axis.

    Returns:
        (factor * rows, factor * columns) indices into ``TISSUES``.
    """
    rows, columns = (
        ((np.arange(length * factor, dtype=np.float32) + 0.5) / factor - length / 2) * pixel
        for length in size
    )
    half = (size[0] * pixel / 2, size[1] * pixel / 2)
    codes = _surroundings(anatomy, rows[:, np.newaxis], columns, half)
    down, right = rows[:, np.newaxis] - anatomy.center[0], columns - anatomy.center[1]
    _paint_right_ventricle(codes, anatomy, level, down, right)
    _paint_left_ventricle(codes, anatomy, level, down, right)
    return codes


def _surroundings(
    anatomy: Anatomy, down: Floats, right: Floats, half: tuple[float, float]
) -> Codes:
    """Lungs, and in them the chest wall above, the liver and the stomach below, an aorta."""
    shift = anatomy.surroundings
    codes = np.full((down.size, right.size), _CODE["lung"], np.uint8)
    height, width = half
    liver = _ellipse(down, right, (height * 1.05, -width * 0.65), (0.74 * height, 1.05 * width))
    codes[liver < 1 + 0.08 * shift[0]] = _CODE["liver"]
    stomach = _ellipse(down, right, (height * 1.05, width * 0.60), (0.60 * height, 0.62 * width))
    codes[stomach < 1 + 0.15 * shift[1]] = _CODE["stomach"]
    behind, thick = height * (0.74 + 0.04 * shift[2]), 10 + shift[3]
    codes[_ellipse(down, right, (behind, width * 0.22), (thick, thick)) < 1] = _CODE["aorta"]
    arch = down + height * 1.02 - 0.16 * height * (right / width + 0.2 * shift[4]) ** 2
    codes[arch < 30 + 3 * shift[5]] = _CODE["fat"]
    codes[arch < 24 + 3 * shift[5]] = _CODE["chest muscle"]
    codes[arch < 15 + 4 * shift[6]] = _CODE["fat"]
    return codes


def _ellipse(
    down: Floats, right: Floats, center: tuple[float, float], axes: tuple[float, float]
) -> Floats:
    """Squared distance from the center: 1 on the outline, less inside."""
    away_down, away_right = (down - center[0]) / axes[0], (right - center[1]) / axes[1]
    return np.asarray(away_down**2 + away_right**2)


def _taper(level: float) -> float:
    """How much narrower the heart is than at its base."""
    return math.sqrt(1 - (0.85 * level) ** 2)


def _paint_right_ventricle(
    codes: Codes, anatomy: Anatomy, level: float, down: Floats, right: Floats
) -> None:
    """A crescent: an ellipse of which the left ventricle will hide a part; fat around both."""
    outer = (anatomy.radius + anatomy.wall) * _taper(level)
    shrinking = 1 - 0.45 * level**2
    cos, sin = math.cos(anatomy.right_angle), math.sin(anatomy.right_angle)
    away = right * cos + down * sin - 0.80 * outer
    along = down * cos - right * sin
    short, long = (size * outer * shrinking for size in anatomy.right_size)
    fat, wall = 2.5 + anatomy.surroundings[7], 2.4
    codes[_ellipse(down, right, (0, 0), (outer + fat, outer + fat)) < 1] = _CODE["fat"]
    for tissue, margin in (("fat", fat), ("right ventricle wall", 0.0), ("right ventricle", -wall)):
        codes[_ellipse(away, along, (0, 0), (short + margin, long + margin)) < 1] = _CODE[tissue]


def _paint_left_ventricle(
    codes: Codes, anatomy: Anatomy, level: float, down: Floats, right: Floats
) -> None:
    """Blood in a ring of muscle; in a sector of the ring edema, and in that, innermost, a scar."""
    distance = np.hypot(down, right)
    inner, outer, scar, edema = (table.astype(np.float32) for table in _profiles(anatomy, level))
    reach = distance < outer.max()
    turn = np.arctan2(*np.broadcast_arrays(down, right))[reach]
    at = (turn * (_ANGLES / (2 * math.pi))).astype(np.intp) % _ANGLES
    depth = (distance[reach] - inner[at]) / (outer[at] - inner[at])
    kinds = np.select(
        [depth >= 1, depth < 0, depth < scar[at], depth < edema[at]],
        [codes[reach], _CODE["blood pool"], _CODE["scar"], _CODE["edema"]],
        _CODE["myocardium"],
    )
    codes[reach] = kinds
    for angle in anatomy.papillary_angles:
        middle = 0.68 * float(inner[int(angle * _ANGLES / (2 * math.pi)) % _ANGLES])
        center = (middle * math.sin(angle), middle * math.cos(angle))
        radius = anatomy.papillary_radius * _taper(level)
        codes[_ellipse(down, right, center, (radius, radius)) < 1] = _CODE["papillary muscle"]


def _profiles(anatomy: Anatomy, level: float) -> tuple[Floats, Floats, Floats, Floats]:
    """For each angle the inner and outer radius, and how deep scar and edema reach, 0 to 1."""
    angles = np.arange(_ANGLES) * (2 * math.pi / _ANGLES)
    inner = anatomy.radius * _taper(level) * (1 + _wobble(anatomy.inner_wobble, angles, level))
    thickness = anatomy.wall * (0.85 + 0.15 * _taper(level))
    outer = inner + thickness * (1 + 2 * _wobble(anatomy.outer_wobble, angles, level))
    offset = level - anatomy.lesion_level
    middle = anatomy.lesion_angle + anatomy.lesion_twist * offset
    turned = np.abs((angles - middle + math.pi) % (2 * math.pi) - math.pi)
    scar_share = _dome(offset / anatomy.scar_height)
    edema_share = _dome(offset / anatomy.edema_height)
    scar = anatomy.scar_depth * np.sqrt(_dome(turned / (anatomy.scar_width * scar_share + 1e-9)))
    width = (anatomy.scar_width + anatomy.edema_margin) * edema_share
    edema = np.minimum(1.7 * _dome(turned / (width + 1e-9)), 1)
    return inner, outer, scar * (scar_share > 0), edema * (edema_share > 0)


def _dome(values: Any) -> Any:
    """1 in the middle, falling to 0 at distance 1."""
    return np.sqrt(np.clip(1 - np.square(values), 0, None))


def _wobble(coefficients: Floats, angles: Floats, level: float) -> Floats:
    """A smooth share around 0 that turns a little along the heart."""
    phases = _HARMONICS[:, np.newaxis] * (angles + 0.4 * level)
    return np.asarray(coefficients[0] @ np.cos(phases) + coefficients[1] @ np.sin(phases))
