"""Recipes: named presets of data, network, objective and solver, one published system each."""

from __future__ import annotations

from segmint.registry import Registry

recipes = Registry("recipe")
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
