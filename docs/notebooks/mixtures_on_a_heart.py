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
# # Mixtures on a heart
#
# Three magnetic resonance sequences of one heart, four tissues, no labels. A Gaussian mixture
# says of every pixel how likely each tissue is. This page prepares hearts as MyoPS 2020 would be,
# fits mixtures with and without knowledge of the tissues' means, and shows where they are
# undecided. The hearts are made up, so that the truth is known; they say how the methods behave,
# not how well they do on patients. It takes about a quarter of a minute.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import segmint
from segmint.datasets import prepare_myops, prepared_images
from segmint.datasets.synthetic import write_hearts
from segmint.metrics import confusion, match

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## Prepare
#
# `write_hearts` writes NIfTI files with the names and label values of MyoPS 2020; with the real
# data set leave it out. `prepare_myops` is `segmint data prepare myops`: slices that hold all
# four tissues become crops of 160x160 pixels about the heart, each sequence z-scored, and the
# mean of each tissue is taken from the training patients alone.

# %%
write_hearts(folder / "hearts", patients=(101, 102, 103, 109), slices=4, seed=0)
prepare_myops(folder / "hearts", folder / "prepared")
print((folder / "prepared" / "mu_data.csv").read_text())

# %% [markdown]
# Patient 109 is a test patient. One of its slices, with its region (the heart) and its truth:

# %%
slices = prepared_images(folder / "prepared", "test")
image = segmint.read_image(slices[len(slices) // 2])
tissues = image.class_names
truth = np.where(image.mask == 255, -1, image.mask.astype(int))
print(f"{image.pixels.shape}: {', '.join(image.channel_names)}; {', '.join(tissues)}")


def show(pictures: dict[str, np.ndarray], **drawing) -> None:
    """Maps in a row with a title each; what lies outside the heart stays white."""
    figure, axes = plt.subplots(
        1, len(pictures), figsize=(2.5 * len(pictures), 2.7), layout="constrained", dpi=80
    )
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        drawn = axis.imshow(np.ma.masked_where(truth < 0, picture), **drawing)
        axis.set_title(title)
        axis.axis("off")
    if drawing.get("cmap") == "magma":
        figure.colorbar(drawn, ax=axes, label="bits")
    plt.show()


sequences = {name: image.pixels[..., index] for index, name in enumerate(image.channel_names)}
show(sequences, cmap="gray", vmin=-2.5, vmax=2.5)

# %% [markdown]
# ## EM, without and with known means
#
# `em-gmm` is the classical mixture: one weight a component, each pixel by itself. Started by
# chance it finds four components that need not be the four tissues, and their names must come
# from somewhere, here from the truth by Hungarian matching. With `mu_data` it starts at the known
# means and keeps their names.

# %%
known = {"mu_data": str(folder / "prepared" / "mu_data.csv")}
fits = {
    "EM, by chance": segmint.segment(image, "em-gmm", components=4, init="random", seed=0),
    "EM, known means": segmint.segment(image, "em-gmm", **known),
    "varying weights, known means": segmint.segment(image, "em-svgmm", **known),
}
fits["EM, known means"].mixture.rows()[0]

# %% [markdown]
# ## deepSVG, shortly
#
# Here the weights of each pixel are the softmax of a U-Net, which knows what neighbors look like.
# Weights, means and variances follow from it in closed form, and the network is fitted to this
# one slice; `lam` draws its means to the known ones. The published fit takes up to 200 epochs;
# this one has a smaller network and 40 larger steps.

# %%
fits["deepSVG"] = segmint.segment(
    image, "deepsvg", **known, lam=1, features=16, learning_rate=0.002, max_epochs=40, seed=0
)
fits["deepG"] = segmint.segment(
    image, "deepg", **known, lam=1, features=16, learning_rate=0.002, max_epochs=40, seed=0
)
curves, axis = plt.subplots(figsize=(5, 2.4), layout="constrained", dpi=80)
for name in ("deepG", "deepSVG"):
    rows = fits[name].history
    axis.plot([row["iteration"] for row in rows], [row["nll"] for row in rows], label=name)
axis.set(xlabel="epoch", ylabel="negative log-likelihood\n(nats a pixel)")
axis.legend()
plt.show()

# %% [markdown]
# ## What was found


# %%
def as_tissues(fit: segmint.Segmentation) -> np.ndarray:
    """Labels with the numbers of the tissues, from the truth where a fit has no names."""
    if fit.names:
        return fit.labels
    inside = np.where(truth < 0, 255, truth)
    named = match(fit.labels, inside, method="hungarian")
    return np.vectorize(lambda label: named.get(label, -1))(fit.labels)


labels = {name: as_tissues(fit) for name, fit in fits.items()}
colors = {"cmap": "viridis", "vmin": 0, "vmax": 3, "interpolation": "nearest"}
show(
    {"truth": truth, **{name: labels[name] for name in ("EM, by chance", "EM, known means")}},
    **colors,
)
show(
    {name: labels[name] for name in ("varying weights, known means", "deepG", "deepSVG")}, **colors
)

# %% [markdown]
# ## Dice

# %%
dice = {
    name: confusion(found, np.where(truth < 0, 255, truth), classes=4).dice
    for name, found in labels.items()
}
print(f"{'':30}" + "".join(f"{tissue:>12}" for tissue in tissues) + f"{'NLL':>8}")
for name, row in dice.items():
    nll = fits[name].history[-1]["nll"]
    print(f"{name:30}" + "".join(f"{value:12.3f}" for value in row) + f"{nll:8.2f}")

# %% [markdown]
# A lower negative log-likelihood (NLL) is a better fit to the values, not a better segmentation:
# varying weights fit best and follow the noise. Ten seeds, all ten rows of the paper and their
# spread are in the [benchmarks](../benchmarks.md).
#
# ## Where is it undecided?
#
# The entropy of the probabilities is 0 bits where one tissue is certain and 2 bits where all four
# are equally likely. EM is undecided in single pixels wherever values overlap, the network along
# the borders.

# %%
entropy = {name: fits[name].entropy for name in ("EM, known means", "deepSVG")}
show(entropy, cmap="magma", vmin=0, vmax=2)
for name, bits in entropy.items():
    print(f"{name}: {bits[truth >= 0].mean():.2f} bits a pixel in the mean")
