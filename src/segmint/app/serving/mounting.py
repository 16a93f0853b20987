"""The page of Gradio and our own addresses as one application."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from segmint.app.serving.importing_gradio import import_gradio

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from segmint.app.setting import Setting

_STATIC = Path(__file__).parents[1] / "static"
_QUIET: Mapping[str, str] = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


def application(setting: Setting, *, temporary: Path) -> ASGIApp:
    """What answers behind the guard.

    Args:
        setting: that the page and the addresses act on.
        temporary: folder for what Gradio may want to keep.
    """
    # Read when Gradio is imported: it is to ask and tell nobody, and to write nowhere else.
    os.environ.update(_QUIET, GRADIO_TEMP_DIR=str(temporary))
    gradio = import_gradio()
    from fastapi import FastAPI

    from segmint.app.page.page import build_page
    from segmint.app.page.theme import theme
    from segmint.app.serving.routes import routes

    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    api.router.routes.extend(routes(setting))
    mounted: ASGIApp = gradio.mount_gradio_app(
        api,
        build_page(setting),
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        show_error=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        theme=theme(),
        css_paths=_STATIC / "page.css",
    )
    return mounted
