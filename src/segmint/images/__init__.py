"""Files to arrays and arrays to pictures: reading, collecting, normalizing, labels, overlays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.images.choices import MAX_PIXELS, NORMALIZATIONS, PAGE_CHOICES
from segmint.lazy import lazy_names

if TYPE_CHECKING:
    from segmint.images.array_scene import ArrayScene
    from segmint.images.channels import read_channels
    from segmint.images.class_means import ClassMeans, read_class_means, write_class_means
    from segmint.images.collect import IMAGE_SUFFIXES, collect_images, natural_key, result_names
    from segmint.images.components import Component, component_table, write_components_csv
    from segmint.images.curves import draw_curve
    from segmint.images.image import Image, check_finite
    from segmint.images.labels import OUTSIDE, read_labels, write_labels
    from segmint.images.maps import entropy_of, write_maps
    from segmint.images.normalization import check_region, display_rgb, normalize, to_unit_range
    from segmint.images.opening_scenes import can_stream, open_scene
    from segmint.images.overlays import draw_overlay, save_picture
    from segmint.images.palettes import OUTSIDE_COLOR, color_of, colors_of, palette, to_hex
    from segmint.images.prepared import read_prepared, write_prepared
    from segmint.images.reading import read_image
    from segmint.images.scene import Scene
    from segmint.images.scene_overview import overview
    from segmint.images.window import Window, blocks

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "NORMALIZATIONS",
    "OUTSIDE",
    "OUTSIDE_COLOR",
    "PAGE_CHOICES",
    "ArrayScene",
    "ClassMeans",
    "Component",
    "Image",
    "Scene",
    "Window",
    "blocks",
    "can_stream",
    "check_finite",
    "check_region",
    "collect_images",
    "color_of",
    "colors_of",
    "component_table",
    "display_rgb",
    "draw_curve",
    "draw_overlay",
    "entropy_of",
    "natural_key",
    "normalize",
    "open_scene",
    "overview",
    "palette",
    "read_channels",
    "read_class_means",
    "read_image",
    "read_labels",
    "read_prepared",
    "result_names",
    "save_picture",
    "to_hex",
    "to_unit_range",
    "write_class_means",
    "write_components_csv",
    "write_labels",
    "write_maps",
    "write_prepared",
]

_PLACES = {
    "ArrayScene": "segmint.images.array_scene",
    "ClassMeans": "segmint.images.class_means",
    "Component": "segmint.images.components",
    "IMAGE_SUFFIXES": "segmint.images.collect",
    "Image": "segmint.images.image",
    "OUTSIDE": "segmint.images.labels",
    "OUTSIDE_COLOR": "segmint.images.palettes",
    "Scene": "segmint.images.scene",
    "Window": "segmint.images.window",
    "blocks": "segmint.images.window",
    "can_stream": "segmint.images.opening_scenes",
    "check_finite": "segmint.images.image",
    "check_region": "segmint.images.normalization",
    "collect_images": "segmint.images.collect",
    "color_of": "segmint.images.palettes",
    "colors_of": "segmint.images.palettes",
    "component_table": "segmint.images.components",
    "display_rgb": "segmint.images.normalization",
    "draw_curve": "segmint.images.curves",
    "draw_overlay": "segmint.images.overlays",
    "entropy_of": "segmint.images.maps",
    "natural_key": "segmint.images.collect",
    "normalize": "segmint.images.normalization",
    "open_scene": "segmint.images.opening_scenes",
    "overview": "segmint.images.scene_overview",
    "palette": "segmint.images.palettes",
    "read_channels": "segmint.images.channels",
    "read_class_means": "segmint.images.class_means",
    "read_image": "segmint.images.reading",
    "read_labels": "segmint.images.labels",
    "read_prepared": "segmint.images.prepared",
    "result_names": "segmint.images.collect",
    "save_picture": "segmint.images.overlays",
    "to_hex": "segmint.images.palettes",
    "to_unit_range": "segmint.images.normalization",
    "write_class_means": "segmint.images.class_means",
    "write_components_csv": "segmint.images.components",
    "write_labels": "segmint.images.labels",
    "write_maps": "segmint.images.maps",
    "write_prepared": "segmint.images.prepared",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
