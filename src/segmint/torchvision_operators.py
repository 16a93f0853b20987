"""Import torchvision also beside a CPU-only build of torch.

torchvision from PyPI is compiled against CUDA. Beside a torch of the same version without CUDA its
compiled operators do not load, and its import stops at "operator torchvision::nms does not exist",
because it describes the shapes of two operators that nobody declared. Declared here, the rest of
torchvision works: transforms, datasets and networks need neither of the two.

Every module that imports torchvision, lightning, torchmetrics, timm or segmentation-models-pytorch
calls :func:`declare_operators` first, because each of them imports torchvision.
"""

from __future__ import annotations

from functools import cache

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

_declared: list[object] = []
"""Libraries of declared operators; torch forgets the operators when one is collected."""


@cache
def declare_operators() -> None:
    """Declare the operators, where they are missing."""
    from torch import library

    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        declared = library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for schema in _SCHEMAS:
            declared.define(schema)  # type: ignore[no-untyped-call]
        _declared.append(declared)
