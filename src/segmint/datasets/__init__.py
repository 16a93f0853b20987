"""Where images and masks come from: one file a layout, and data made in code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segmint.lazy import lazy_names
from segmint.registry import Registry

if TYPE_CHECKING:
    from segmint.datasets.cache import cache_sentence
    from segmint.datasets.checking import Check, check
    from segmint.datasets.dataset import Dataset, Pair
    from segmint.datasets.layout import Layout
    from segmint.datasets.myops import prepare_myops
    from segmint.datasets.opening import open, recognize, splits  # noqa: A004
    from segmint.datasets.prepared_folder import prepared_images
    from segmint.datasets.preprocessing import Preprocessing
    from segmint.datasets.sample import Sample
    from segmint.datasets.training_batches import TrainingBatches
    from segmint.datasets.transform_options import TransformOptions
    from segmint.datasets.validation_images import ValidationImages

__all__ = [
    "Check",
    "Dataset",
    "Layout",
    "Pair",
    "Preprocessing",
    "Sample",
    "TrainingBatches",
    "TransformOptions",
    "ValidationImages",
    "cache_sentence",
    "check",
    "datasets",
    "open",
    "prepare_myops",
    "prepared_images",
    "recognize",
    "splits",
]

datasets = Registry("data set")

datasets.register(
    "voc2012",
    "segmint.datasets.voc2012:Voc2012",
    "VOCdevkit/VOC2012 with JPEGImages, SegmentationClass, ImageSets/Segmentation",
)
datasets.register(
    "cityscapes",
    "segmint.datasets.cityscapes:Cityscapes",
    "leftImg8bit/SPLIT/CITY and gtFine/SPLIT/CITY with *_gtFine_labelIds.png",
)
datasets.register(
    "ade20k",
    "segmint.datasets.ade20k:Ade20k",
    "ADEChallengeData2016 with images/training, annotations/training, .../validation",
)
datasets.register(
    "camvid",
    "segmint.datasets.camvid:Camvid",
    "CamVid with train, trainannot and so on, and perhaps train.txt and so on",
)
datasets.register(
    "isbi2012",
    "segmint.datasets.isbi2012:Isbi2012",
    "train/image and train/label, or train-volume.tif and train-labels.tif",
)
datasets.register(
    "myops",
    "segmint.datasets.prepared_myops:PreparedMyops",
    "a folder made by 'segmint data prepare myops'",
)
datasets.register(
    "bsds500",
    "segmint.datasets.bsds500:Bsds500",
    "BSDS500/data with images/train, groundTruth/train and so on",
)
datasets.register(
    "nuclei",
    "segmint.datasets.nuclei:Nuclei",
    "images and labels of 16-bit numbers, or stage1_train with ID/images and ID/masks",
)
datasets.register(
    "folder",
    "segmint.datasets.folder:Folder",
    "images and masks by name, also in train, val, test; or a CSV: image,mask[,split]",
)

_PLACES = {
    "Check": "segmint.datasets.checking",
    "Dataset": "segmint.datasets.dataset",
    "Layout": "segmint.datasets.layout",
    "Pair": "segmint.datasets.dataset",
    "Preprocessing": "segmint.datasets.preprocessing",
    "Sample": "segmint.datasets.sample",
    "TrainingBatches": "segmint.datasets.training_batches",
    "TransformOptions": "segmint.datasets.transform_options",
    "ValidationImages": "segmint.datasets.validation_images",
    "cache_sentence": "segmint.datasets.cache",
    "check": "segmint.datasets.checking",
    "open": "segmint.datasets.opening",
    "prepare_myops": "segmint.datasets.myops",
    "prepared_images": "segmint.datasets.prepared_folder",
    "recognize": "segmint.datasets.opening",
    "splits": "segmint.datasets.opening",
}


def __getattr__(name: str) -> Any:
    return lazy_names(__name__, _PLACES, name)
