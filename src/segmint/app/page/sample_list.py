"""The samples as the page shows them."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from segmint.app.desks.samples import samples, thumbnail


@cache
def samples_value() -> dict[str, Any]:
    """Names, captions and small pictures."""
    return {
        "samples": [
            {
                "name": sample.name,
                "caption": sample.caption,
                "picture": _inline(thumbnail(sample)),
            }
            for sample in samples()
        ]
    }


def _inline(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
