"""Small runs with weights of chance, for tests of what is made of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow
from torch import nn

from segmint.networks import build
from segmint.networks.storage import save_network
from segmint.recipes import recipes
from segmint.runs import write_json

CLASSES = ("night", "disk", "bar")
MEAN, DEVIATION = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def network(seed: int, name: str = "unet", **options: Any) -> nn.Module:
    """One whose running averages are not those of a network that has seen nothing."""
    sizes = {"features": 4, "levels": 2} if name.startswith("unet") else {}
    found = build(name, in_channels=3, classes=len(CLASSES), seed=seed, **{**sizes, **options})
    generator = torch.Generator().manual_seed(seed)
    for module in found.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    if hasattr(found, "head"):
        found.head.bias.data.copy_(torch.tensor([0.01, 0.02, 0.03]))
        found.head.weight.data.mul_(10)
        found.head.weight.data -= found.head.weight.data.mean(dim=0)
    return found


def record(recipe: str, options: dict[str, dict[str, Any]], **further: Any) -> dict[str, Any]:
    """What ``run.json`` says, with the defaults of the recipe's options."""
    sections = recipes.load(recipe).sections
    resolved = {
        section: {**kind().resolved(), **options.get(section, {})}
        for section, kind in sections.items()
    }
    normalization = further.pop("normalization", "dataset")
    nothing = normalization == "image"
    return {
        "recipe": recipe,
        "options": resolved,
        "seed": 0,
        "dataset": {
            "name": "folder",
            "root": "nowhere",
            "train_split": "train",
            "val_split": "val",
            "train_images": 1,
            "val_images": 1,
            "arguments": {},
        },
        "classes": list(CLASSES),
        "palette": [[10, 20, 30], [230, 160, 0], [0, 115, 180]],
        "channels": 3,
        "channel_names": [],
        "preprocessing": {
            "resize": further.pop("resize", 0),
            "normalization": normalization,
            "mean": [0.0] * 3 if nothing else list(MEAN),
            "deviation": [1.0] * 3 if nothing else list(DEVIATION),
        },
        **further,
    }


def write_run(
    folder: Path,
    *,
    name: str = "unet",
    activation: str = "softmax",
    options: dict[str, Any] | None = None,
    **further: Any,
) -> Path:
    """A run with one network; further entries are those of the record."""
    folder.mkdir(parents=True)
    save_network(folder / "network.safetensors", network(0, name, **(options or {})), name=name)
    write_json(folder / "run.json", record("unet", {}, activation=activation, **further))
    return folder


def write_peers(folder: Path, names: Sequence[str] = ("a", "b"), **further: Any) -> Path:
    """A run of networks that answer together."""
    (folder / "networks").mkdir(parents=True)
    files = {name: f"networks/{name}.safetensors" for name in names}
    for seed, (name, file) in enumerate(files.items()):
        # Steps of 4 and of 8 pixels, so that each has a border of its own.
        save_network(folder / file, network(seed, levels=2 + seed % 2), name="unet")
        assert name in names
    told = {
        "peers": [
            {
                "name": name,
                "network": "unet",
                "file": file,
                "solo": False,
                "best": {"epoch": 1, "score": 0.5},
            }
            for name, file in files.items()
        ],
        "ensembles": {"ensemble": {"members": files, "best": {"epoch": 1, "score": 0.5}}},
        "chosen": "ensemble",
    }
    options = {"peers": {"peers": [f"{name}=unet" for name in names]}}
    write_json(folder / "run.json", record("mutual", options, **told, **further))
    return folder


def picture(seed: int, height: int = 45, width: int = 38, kind: type = np.uint8) -> np.ndarray:
    """(H, W, 3) of smooth colors with noise."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (5 + k) + seed) * np.cos(columns / (7 - k)) for k in range(3)]
    values = 0.5 + 0.4 * np.stack(waves, axis=2) + 0.05 * generator.normal(size=(height, width, 3))
    return (values.clip(0, 1) * np.iinfo(kind).max).astype(kind)


def save_pictures(folder: Path, count: int = 2) -> Path:
    """A folder of pictures."""
    folder.mkdir()
    for seed in range(count):
        Pillow.fromarray(picture(seed)).save(folder / f"{seed}.png")
    return folder
