"""How the page looks: colors of the project's other pages, and no font from elsewhere."""

from __future__ import annotations

from typing import Any

import gradio as gr

_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
_FIXED_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_BLUES = (
    *("#eef6fb", "#d6e9f5", "#b3d6ec", "#86bfe0", "#4fa3d1"),
    *("#0069a6", "#005c92", "#004d7a", "#003f64", "#00324f", "#00263d"),
)
_GREYS = (
    *("#f4f6f8", "#e9edf0", "#d5dbe1", "#b9c2ca", "#84909a"),
    *("#55616b", "#424c55", "#2c343b", "#1e242a", "#14181c", "#0d1013"),
)


def theme() -> Any:
    """The theme of the page, light and dark."""
    return gr.themes.Base(
        primary_hue=gr.themes.Color(*_BLUES, name="blue"),
        secondary_hue=gr.themes.Color(*_BLUES, name="blue"),
        neutral_hue=gr.themes.Color(*_GREYS, name="grey"),
        spacing_size=gr.themes.sizes.spacing_sm,
        radius_size=gr.themes.sizes.radius_sm,
        text_size=gr.themes.sizes.text_sm,
        font=[gr.themes.Font(name) for name in _FONTS],
        font_mono=[gr.themes.Font(name) for name in _FIXED_FONTS],
    ).set(
        body_background_fill="#ffffff",
        body_background_fill_dark="#14181c",
        body_text_color="#1b2329",
        body_text_color_dark="#e6eaee",
        body_text_color_subdued="#55616b",
        body_text_color_subdued_dark="#a4b0bb",
        block_info_text_color="#55616b",
        block_info_text_color_dark="#a4b0bb",
        button_primary_background_fill="#0069a6",
        button_primary_background_fill_hover="#004d7a",
        button_primary_background_fill_dark="#6cbcf0",
        button_primary_background_fill_hover_dark="#9bd2f6",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#10151a",
        block_border_width="0px",
        block_shadow="none",
        block_label_text_color="#1b2329",
        block_label_text_color_dark="#e6eaee",
        block_title_text_color="#1b2329",
        block_title_text_color_dark="#e6eaee",
        link_text_color="#0069a6",
        link_text_color_dark="#6cbcf0",
        slider_color="#0069a6",
        slider_color_dark="#6cbcf0",
    )
