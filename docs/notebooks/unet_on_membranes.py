# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A U-Net on ISBI slices
#
# The walk that many take first: slices of an electron microscope, membranes to find, a U-Net to
# learn them from a few labelled slices. The slices here are made up and lie in the layout of the
# ISBI 2012 challenge, so that this page needs no download; with the real ones, set `folder` to
# where they are and leave out the cell that draws. It takes about half a minute, because network
# and training are small. `segmint train isbi-unet ISBI_FOLDER` is the published system.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage

import segmint
from segmint import datasets
from segmint.datasets.synthetic import write_membranes
from segmint.metrics import foreground_rand
from segmint.networks import build

folder = Path(tempfile.mkdtemp()) / "isbi2012"

# %%
write_membranes(folder, slices=15, height=256, width=256, seed=0)
sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))[:2]

# %% [markdown]
# ## Look at the data
#
# Masks are black on membranes and white in cells. Read raw, that is 0 and 255; as a data set it
# is class 0 and class 1, and `segmint data check` would say so. The challenge has no validation
# split. Neighboring slices look alike, so the last fifth is held out, not a random one.

# %%
train = datasets.open("isbi2012", folder, split="train")
val = datasets.open("isbi2012", folder, split="val")
print(f"{len(train)} slices to learn from, {len(val)} to validate; classes {train.classes}")


def show(pictures: dict[str, np.ndarray], *, cmap: str = "gray") -> None:
    """Pictures in a row with a title each."""
    _, axes = plt.subplots(
        1, len(pictures), figsize=(2.6 * len(pictures), 2.8), layout="constrained", dpi=80
    )
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, cmap=cmap)
        axis.set_title(title)
        axis.axis("off")
    plt.show()


first = train[0]
show({"slice 0": first.image[..., 0], "its mask": first.mask, "slice 1": train[1].image[..., 0]})
print(f"{(first.mask == 0).mean():.0%} of the pixels are membrane")

# %% [markdown]
# ## Augmentation
#
# A dozen slices are few. Each crop that the network sees is moved a little: rotated, shifted,
# sheared, scaled, flipped, and the mask with it, in one resampling. These are six pictures that
# one training step might see.

# %%
options = datasets.TransformOptions(crop=128, augmentation="isbi")
batches = datasets.TrainingBatches(
    train, options, datasets.Preprocessing.measured(train, options), batch_size=6, seed=0
)
batch = next(batches.batches(0))
show({f"crop {index}": batch.image[index, 0].numpy() for index in range(6)})
show({f"mask {index}": batch.mask[index].numpy() for index in range(6)})

# %% [markdown]
# ## The model
#
# The published U-Net has 31 million parameters. On a processor a small one learns this task in
# seconds.

# %%
for name, network in {
    "as published (unet-original)": build("unet-original", in_channels=1, classes=2),
    "here (unet, 8 features, 3 levels)": build(
        "unet", in_channels=1, classes=2, features=8, levels=3
    ),
}.items():
    print(f"{name}: {sum(weights.numel() for weights in network.parameters()):,} parameters")

# %% [markdown]
# ## Train
#
# The recipe brings layout, augmentation and binary cross-entropy; what is given here is smaller.
# After each epoch the whole held-out slices are predicted, and the network of the best epoch by
# mean IoU is kept. In the folder of the run are the log, checkpoints and a report that opens in a
# browser.

# %%
run = segmint.train(
    "isbi-unet",
    folder,
    out=folder.parent / "run",
    preset="small",
    features=8,
    levels=3,
    crop=128,
    learning_rate=0.01,
    epochs=6,
    steps_per_epoch=30,
    seed=0,
)
history = run.record["history"]
print(run.record["summary"])

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained", dpi=80)
epochs = [row["epoch"] for row in history]
for key, label in (("loss", "training"), ("val_loss", "validation")):
    left.plot(epochs, [row[key] for row in history], marker="o", label=label)
left.set(xlabel="epoch", ylabel="binary cross-entropy")
left.legend()
for key, label in (("val_accuracy", "accuracy"), ("val_mean_iou", "mean IoU")):
    right.plot(epochs, [row[key] for row in history], marker="o", label=label)
right.set(xlabel="epoch", ylabel="validation")
right.legend()
plt.show()

# %% [markdown]
# ## Predict
#
# Images of any size go in. A run answers with labels, or with the probability of each class.

# %%
sample = val[0]
found = run.segment(sample.image)
cell = found.probabilities[1]
show(
    {
        "slice": sample.image[..., 0],
        "probability of cell": cell,
        "argmax": found.labels,
        "truth": sample.mask,
    }
)
accuracy = float(np.mean([(run.predict(each.image) == each.mask).mean() for each in val]))
print(f"pixel accuracy on the held-out slices: {accuracy:.4f}")

# %% [markdown]
# ## The score of the challenge
#
# Pixel accuracy says little: one pixel of gap in a membrane merges two cells and costs nothing.
# The challenge ranks by V_rand, the Rand score of the cells, restricted to the foreground, after
# borders are thinned. It is taken at several thresholds of the probability, and the best counts.

# %%
thresholds = np.arange(0.1, 0.96, 0.05)
held_out = [(run.segment(each.image).probabilities[1], each.mask == 1) for each in val]
v_rand = np.array(
    [
        np.mean([foreground_rand(cell > threshold, truth) for cell, truth in held_out])
        for threshold in thresholds
    ]
)
figure, axis = plt.subplots(figsize=(5, 2.6), layout="constrained", dpi=80)
axis.plot(thresholds, v_rand, marker="o")
axis.set(xlabel="threshold of the probability of cell", ylabel="V_rand")
plt.show()
best = int(v_rand.argmax())
for index in (8, best):
    print(f"V_rand {v_rand[index]:.3f} at {thresholds[index]:.2f}")

# %%
cell, truth = held_out[0]
found_cells, _ = ndimage.label(cell > thresholds[best])
true_cells, _ = ndimage.label(truth)
shuffled = np.random.default_rng(0).permutation(4096)
show(
    {
        "cells found": np.where(found_cells, shuffled[found_cells], 0),
        "true cells": np.where(true_cells, shuffled[true_cells], 0),
    },
    cmap="nipy_spectral",
)

# %% [markdown]
# ## On the command line
#
#     segmint data check isbi2012
#     segmint train isbi-unet isbi2012 --preset small --out run
#     segmint report run
#     segmint predict run isbi2012/train/image/29.png --out results
#
# On the real slices `--preset small` reaches in two minutes what the
# [benchmarks](../benchmarks.md) say.
