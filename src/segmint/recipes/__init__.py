"""Recipes: named presets of data, network, objective and solver, one published system each."""

from __future__ import annotations

from segmint.registry import Registry

recipes = Registry("recipe")
recipes.register(
    "unet",
    "segmint.recipes.unet:RECIPE",
    "U-Net by cross-entropy (the mutual information study, model 1)",
)
recipes.register(
    "unet-rmi",
    "segmint.recipes.unet_rmi:RECIPE",
    "U-Net by region mutual information (the study, model 2; Zhao et al. 2019)",
)
recipes.register(
    "mutual",
    "segmint.recipes.mutual:RECIPE",
    "networks that teach each other (the study, model 3; Zhang et al. 2018)",
)
recipes.register(
    "isbi-unet",
    "segmint.recipes.isbi_unet:RECIPE",
    "U-Net for membranes in electron microscopy (Ronneberger et al. 2015)",
)
recipes.register(
    "clustering",
    "segmint.recipes.clustering:RECIPE",
    "one clustering network for a folder of images (Kim et al. 2020, reference images)",
)
recipes.register(
    "deepg",
    "segmint.recipes.deepg:DEEPG",
    "one U-Net as a Gaussian mixture for many images (Schwab, Mayr, Haltmeier 2024)",
)
recipes.register(
    "deepsvg",
    "segmint.recipes.deepg:DEEPSVG",
    "one U-Net as a spatially varying mixture for many images (the same)",
)
