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
# # A photo without labels
#
# You have a picture and no labels. This page segments one, asks for a number of components, makes
# it finer and coarser, adds a few scribbles, and measures what came out. It takes about ten
# seconds. To use a picture of yours, read it with `photo =
# segmint.read_image("photo.jpg").pixels`.

# %%
import matplotlib.pyplot as plt
import numpy as np
from skimage import data, draw

import segmint
from segmint.metrics import confusion

photo = data.coffee()
print(photo.shape, photo.dtype)

# %% [markdown]
# ## One call
#
# Without options `segmint.segment` takes the method `hybrid`: it finds boundaries, cuts the
# picture into small leaves along them, joins the leaves into a tree, the likeliest pair first,
# and cuts the tree where it judges best.

# %%
found = segmint.segment(photo)
print(f"{found.components} components, labels {found.labels.shape} {found.labels.dtype}")


def show(pictures: dict[str, np.ndarray]) -> None:
    """Pictures in a row with a title each."""
    _, axes = plt.subplots(
        1, len(pictures), figsize=(3.4 * len(pictures), 2.6), layout="constrained", dpi=80
    )
    for axis, (title, picture) in zip(np.atleast_1d(axes), pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.axis("off")
    plt.show()


show({"photo": photo, f"{found.components} components": found.overlay(photo)})

# %% [markdown]
# ## Exactly so many components
#
# The tree is kept, so that another number costs no new fit. Every number from 1 to that of the
# leaves is exact.

# %%
cuts = {count: found.with_components(count) for count in (3, 8, 20)}
show({f"{count} components": cut.overlay(photo) for count, cut in cuts.items()})
print([cut.components for cut in cuts.values()])

# %% [markdown]
# ## Finer or coarser
#
# When you do not know the number, `fineness` from 0 to 1 moves the cut that the method would
# choose, which is that of 0.5.

# %%
by_fineness = {fineness: segmint.segment(photo, fineness=fineness) for fineness in (0.3, 0.5, 0.7)}
show(
    {
        f"fineness {fineness}: {cut.components}": cut.overlay(photo)
        for fineness, cut in by_fineness.items()
    }
)

# %% [markdown]
# ## A few scribbles
#
# A scribble says "this is one thing, and that is another". It is an array of ids, 255 where
# nothing is said. The result has the scribbled ids and no others, and every scribbled pixel keeps
# its own.

# %%
names = ("table", "red china", "inside of the cup", "coffee", "spoon", "dark corner")
strokes = {
    0: [((20, 300), (60, 560)), ((60, 560), (340, 540)), ((270, 20), (380, 90))],
    1: [
        ((170, 110), (330, 170)),
        ((350, 200), (360, 330)),
        ((300, 430), (160, 440)),
        ((225, 220), (220, 300)),
    ],
    2: [((60, 230), (40, 300)), ((40, 300), (120, 388)), ((120, 192), (150, 190))],
    3: [((150, 230), (175, 330))],
    4: [((265, 350), (300, 370)), ((120, 404), (85, 412))],
    5: [((15, 20), (30, 60))],
}
scribbles = np.full(photo.shape[:2], 255, np.uint8)
for number, lines in strokes.items():
    for (top, left), (bottom, right) in lines:
        rows, columns = draw.line(top, left, bottom, right)
        scribbles[rows, columns] = number
guided = segmint.segment(photo, scribbles=scribbles)

marked = photo.copy()
thick = draw.disk((0, 0), 3)
for row, column in zip(*np.nonzero(scribbles != 255), strict=True):
    inside = np.clip(row + thick[0], 0, 399), np.clip(column + thick[1], 0, 599)
    marked[inside] = plt.get_cmap("tab10")(scribbles[row, column])[:3] @ np.diag([255] * 3)
show({"scribbles": marked, "what they mark": guided.overlay(photo)})
print(f"{(scribbles != 255).mean():.1%} of the pixels are scribbled")

# %% [markdown]
# ## How good is it?
#
# Scores need a truth. Here it is traced by hand with three ellipses and three polygons, which is
# good to a few pixels.

# %%
truth = np.zeros(photo.shape[:2], np.uint8)
truth[draw.polygon([0, 0, 103], [0, 155, 0])] = 5
truth[draw.ellipse(225, 278, 163, 201)] = 1
truth[draw.ellipse(112, 289, 95, 116)] = 2
coffee = [(145, 203), (110, 225), (100, 260), (96, 300), (105, 335), (130, 360), (150, 370)]
coffee += [(180, 350), (191, 320), (193, 290), (185, 255), (165, 225)]
truth[draw.polygon(*zip(*coffee, strict=True))] = 3
truth[draw.ellipse(280, 366, 46, 40)] = 4
handle = [
    (215, 380),
    (75, 399),
    (67, 411),
    (78, 424),
    (120, 412),
    (190, 395),
    (225, 384),
    (240, 372),
]
truth[draw.polygon(*zip(*handle, strict=True))] = 4


def scores_of(labels: np.ndarray) -> dict[str, float]:
    """The scores by name."""
    return {row.name: row.value for row in segmint.evaluate(labels, truth).rows()}


candidates = {
    "default": found,
    "6 components": found.with_components(6),
    "scribbles": guided,
    "k-means of colors, 6": segmint.segment(photo, "kmeans", components=6),
}
scores = {name: scores_of(each.labels) for name, each in candidates.items()}
wanted = {"covering": "covering", "rand_index": "Rand index", "best_overlap_all": "best overlap"}
print(f"{'':22}" + "".join(f"{title:>14}" for title in wanted.values()))
for name, row in scores.items():
    print(f"{name:22}" + "".join(f"{row[key]:14.3f}" for key in wanted))

# %% [markdown]
# Covering asks how well each true segment is covered by one that was found, weighted by area; the
# Rand index how many pairs of pixels are rightly together or apart; the best overlap is the mean
# over true segments, small ones as much as large ones. `segmint.evaluate(labels, truth).rows()`
# says of each by which protocol it was measured.
#
# With scribbles the labels are classes with names, so that the intersection over union of each
# can be told:

# %%
counts = confusion(guided.labels, truth, classes=len(names))
for name, iou in zip(names, counts.intersection_over_union, strict=True):
    print(f"{name:18} {iou:.3f}")
print(f"{'mean':18} {counts.mean_iou:.3f}")

# %% [markdown]
# ## Keep it
#
# `found.save("results/photo", photo)` writes `labels.png`, `overlay.png`, `components.csv`, the
# merge tree and a record of everything that was decided; `segmint segment photo.jpg` does all of
# this on the command line.
