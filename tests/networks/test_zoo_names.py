from __future__ import annotations

import subprocess
import sys

import pytest

from segmint.errors import UsageError
from segmint.networks import networks
from segmint.networks.zoo_names import FORM, architectures, encoders, parse
from segmint.torchvision_operators import declare_operators


def test_lists_are_those_of_the_package() -> None:
    declare_operators()
    import segmentation_models_pytorch
    from segmentation_models_pytorch.encoders import get_encoder_names

    assert set(architectures()) == set(segmentation_models_pytorch.MODEL_ARCHITECTURES_MAPPING)
    assert set(encoders()) == set(get_encoder_names())


def test_listed_with_counts() -> None:
    summary = networks.entry(FORM).summary
    assert f"{len(architectures())} architectures with {len(encoders())} encoders" in summary


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smp:unet", "'smp:unet' names no encoder, accepted is smp:ARCHITECTURE/ENCODER"),
        ("smp:unet/", "names no encoder"),
        ("smp:deplabv3/resnet50", "unknown architecture 'deplabv3': did you mean 'deeplabv3'"),
        ("smp:unet/resnt50", "unknown encoder 'resnt50': did you mean 'resnet50'"),
        ("smp:unet/zzzzzzzz", "unknown encoder 'zzzzzzzz': Known: resnet18"),
        (FORM, "unknown architecture 'ARCHITECTURE'"),
    ],
)
def test_refusals(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(name)


def test_names_are_known_without_torch() -> None:
    code = (
        "import sys; from segmint.networks.zoo_names import encoders; encoders(); "
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
