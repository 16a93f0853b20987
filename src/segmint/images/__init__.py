"""Files to arrays and arrays to pictures: reading, collecting, normalizing, labels, overlays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.images.choices import MAX_PIXELS, NORMALIZATIONS, PAGE_CHOICES
from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.images.collect import IMAGE_SUFFIXES, collect_images, natural_key, result_names
    from segmint.images.components import Component, component_table, write_components_csv
    from segmint.images.image import Image, check_finite
    from segmint.images.labels import OUTSIDE, read_labels, write_labels
    from segmint.images.normalization import check_region, display_rgb, normalize, to_unit_range
    from segmint.images.overlays import draw_overlay, save_picture
    from segmint.images.palettes import OUTSIDE_COLOR, color_of, colors_of, palette, to_hex
    from segmint.images.reading import read_image

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "NORMALIZATIONS",
    "OUTSIDE",
    "OUTSIDE_COLOR",
    "PAGE_CHOICES",
    "Component",
    "Image",
    "check_finite",
    "check_region",
    "collect_images",
    "color_of",
    "colors_of",
    "component_table",
    "display_rgb",
    "draw_overlay",
    "natural_key",
    "normalize",
    "palette",
    "read_image",
    "read_labels",
    "result_names",
    "save_picture",
    "to_hex",
    "to_unit_range",
    "write_components_csv",
    "write_labels",
]

_PLACES = {
    "Component": "segmint.images.components",
    "IMAGE_SUFFIXES": "segmint.images.collect",
    "Image": "segmint.images.image",
    "OUTSIDE": "segmint.images.labels",
    "OUTSIDE_COLOR": "segmint.images.palettes",
    "check_finite": "segmint.images.image",
    "check_region": "segmint.images.normalization",
    "collect_images": "segmint.images.collect",
    "color_of": "segmint.images.palettes",
    "colors_of": "segmint.images.palettes",
    "component_table": "segmint.images.components",
    "display_rgb": "segmint.images.normalization",
    "draw_overlay": "segmint.images.overlays",
    "natural_key": "segmint.images.collect",
    "normalize": "segmint.images.normalization",
    "palette": "segmint.images.palettes",
    "read_image": "segmint.images.reading",
    "read_labels": "segmint.images.labels",
    "result_names": "segmint.images.collect",
    "save_picture": "segmint.images.overlays",
    "to_hex": "segmint.images.palettes",
    "to_unit_range": "segmint.images.normalization",
    "write_components_csv": "segmint.images.components",
    "write_labels": "segmint.images.labels",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
