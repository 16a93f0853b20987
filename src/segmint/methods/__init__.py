"""Methods: ways to segment without labels, one file each.

A file here holds the method's options and a short call into the floors below, and imports nothing
heavy, so that help and listings stay quick. A new method is one file and one registration below.
"""

from __future__ import annotations

from segmint.registry import Registry

DEFAULT_METHOD = "hybrid"

methods = Registry("method")
methods.register(
    "hybrid",
    "segmint.methods.hybrid:METHOD",
    "boundaries, superpixels and learned merging; fast, the default",
)
methods.register(
    "clustering",
    "segmint.methods.clustering:METHOD",
    "differentiable feature clustering (Kim, Kanezaki, Tanaka 2020)",
)
methods.register(
    "em-gmm",
    "segmint.methods.em_gmm:METHOD",
    "EM for a Gaussian mixture, on all pixels or voxels at once",
)
methods.register(
    "em-svgmm",
    "segmint.methods.em_svgmm:METHOD",
    "EM for a mixture whose weights vary over the image",
)
methods.register(
    "deepg",
    "segmint.methods.deepg:METHOD",
    "Gaussian mixture by a U-Net (Schwab, Mayr, Haltmeier 2024)",
)
methods.register(
    "deepsvg",
    "segmint.methods.deepsvg:METHOD",
    "spatially varying mixture by a U-Net (Schwab, Mayr, Haltmeier 2024)",
)
methods.register(
    "felzenszwalb",
    "segmint.methods.felzenszwalb:METHOD",
    "graph-based segmentation (Felzenszwalb, Huttenlocher 2004; scikit-image)",
)
methods.register(
    "slic",
    "segmint.methods.slic:METHOD",
    "superpixels of even size (Achanta et al. 2012; scikit-image)",
)
methods.register(
    "kmeans",
    "segmint.methods.kmeans:METHOD",
    "k-means of the pixel colors (scikit-learn)",
)
