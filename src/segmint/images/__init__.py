"""Files to arrays and arrays to pictures: reading, collecting, normalizing, labels, overlays."""

from segmint.images.collect import IMAGE_SUFFIXES, collect_images, natural_key, result_names
from segmint.images.components import Component, component_table, write_components_csv
from segmint.images.decoding import MAX_PIXELS, PAGE_CHOICES
from segmint.images.image import Image, check_finite
from segmint.images.labels import OUTSIDE, read_labels, write_labels
from segmint.images.normalization import (
    NORMALIZATIONS,
    check_region,
    display_rgb,
    normalize,
    to_unit_range,
)
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
