from __future__ import annotations

import pickle

import nibabel
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image as Pillow

from segmint.errors import InputError
from segmint.images.image import Image
from segmint.images.labels import write_labels
from segmint.images.masks import pair_files, read_masks, read_prediction
from segmint.images.prepared import write_prepared

IDS = np.array([[0, 1, 2], [20, 20, 255]], dtype=np.uint8)
STACK = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)


def voc_color(index):
    """The colour of a PASCAL VOC class, bit by bit as its development kit describes it."""
    color = [0, 0, 0]
    for position in range(8):
        for channel in range(3):
            color[channel] |= (index >> channel & 1) << (7 - position)
        index >>= 3
    return color


def save_palette(path):
    picture = Pillow.fromarray(IDS)
    picture.putpalette([value for index in range(256) for value in voc_color(index)])
    picture.save(path)


def save_berkeley(path, masks):
    cells = np.empty((1, len(masks)), dtype=object)
    for place, mask in enumerate(masks):
        cells[0, place] = {"Segmentation": mask, "Boundaries": mask > 1}
    scipy.io.savemat(path, {"groundTruth": cells})


def read_one(path):
    (mask,) = read_masks(path)
    assert mask.dtype == np.int32
    return mask.tolist()


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_palette_indices_are_kept_not_colors(tmp_path, name):
    save_palette(tmp_path / name)
    assert read_one(tmp_path / name) == IDS.tolist()


def test_compressed_palette_tiff(tmp_path):
    picture = Pillow.fromarray(IDS)
    picture.putpalette(bytes(768))
    picture.save(tmp_path / "a.tif", compression="tiff_lzw")
    assert read_one(tmp_path / "a.tif") == IDS.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_values_are_kept(tmp_path, dtype):
    values = IDS.astype(dtype) * (200 if dtype == np.uint16 else 1)
    for name in ("a.png", "a.tif"):
        Pillow.fromarray(values).save(tmp_path / name)
        assert read_one(tmp_path / name) == values.tolist()


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_bits_are_0_and_1_and_bytes_are_0_and_255(tmp_path, name):
    white = np.array([[True, False, True]])
    Pillow.fromarray(white).save(tmp_path / name)
    assert read_one(tmp_path / name) == [[1, 0, 1]]
    Pillow.fromarray(white.astype(np.uint8) * 255).save(tmp_path / name)
    assert read_one(tmp_path / name) == [[255, 0, 255]]


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_bits_of_a_tiff_are_1_where_it_is_white(tmp_path, photometric):
    stored = np.array([[True, False, True]])
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric)
    white = stored if photometric == "minisblack" else ~stored
    assert read_one(tmp_path / "a.tif") == white.astype(int).tolist()


def test_colors_get_the_numbers_of_the_voc_palette(tmp_path):
    colors = np.array([[voc_color(index) for index in row] for row in IDS], dtype=np.uint8)
    Pillow.fromarray(colors).save(tmp_path / "a.png")
    assert read_one(tmp_path / "a.png") == IDS.tolist()


def test_every_color_has_its_own_number_in_every_file(tmp_path):
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Pillow.fromarray(colors).save(tmp_path / "a.png")
    Pillow.fromarray(colors[:7, 9:]).save(tmp_path / "b.png")
    whole, part = np.array(read_one(tmp_path / "a.png")), read_one(tmp_path / "b.png")
    assert whole[:7, 9:].tolist() == part
    assert np.unique(whole).size == np.unique(colors.reshape(-1, 3), axis=0).shape[0]


def test_grey_saved_as_rgb_keeps_its_values(tmp_path):
    Pillow.fromarray(np.repeat(IDS[..., np.newaxis], 3, axis=2)).save(tmp_path / "a.png")
    assert read_one(tmp_path / "a.png") == IDS.tolist()


def test_photo_is_no_mask(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Pillow.fromarray(photo).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="distinct colors, a mask has at most 4096"):
        read_masks(tmp_path / "a.png")
    Pillow.fromarray(photo).save(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="JPEG file, which changes label values"):
        read_masks(tmp_path / "a.jpg")


def test_stacks_and_volumes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="minisblack")
    np.save(tmp_path / "a.npy", STACK.astype(np.int64))
    volume = np.moveaxis(STACK, 0, -1)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / "a.nii.gz")
    nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), np.eye(4)), tmp_path / "a.nii")
    for name in ("a.tif", "a.npy", "a.nii.gz", "a.nii"):
        assert read_one(tmp_path / name) == STACK.tolist()
    np.save(tmp_path / "b.npy", IDS > 1)
    assert read_one(tmp_path / "b.npy") == (IDS > 1).astype(int).tolist()


def test_berkeley_file_has_one_mask_an_annotator(tmp_path):
    masks = [np.array([[1, 2]], np.uint16), np.array([[1, 1]], np.uint16)]
    save_berkeley(tmp_path / "a.mat", masks)
    found = read_masks(tmp_path / "a.mat")
    assert [mask.tolist() for mask in found] == [mask.tolist() for mask in masks]
    assert {mask.dtype for mask in found} == {np.dtype(np.int32)}
    with pytest.raises(InputError, match="holds 2 annotations"):
        read_prediction(tmp_path / "a.mat")


def test_berkeley_segment_of_the_ignored_number_is_not_lost(tmp_path):
    save_berkeley(tmp_path / "a.mat", [np.array([[254, 255, 256]], np.uint16)])
    assert read_one(tmp_path / "a.mat") == [[254, 257, 256]]
    (mask,) = read_masks(tmp_path / "a.mat", ignore_index=None)
    assert mask.tolist() == [[254, 255, 256]]


@pytest.mark.parametrize(
    "content",
    [b"", b"not matlab", "other", "empty", "cut"],
)
def test_malformed_berkeley_file_is_one_clear_error(tmp_path, content):
    path = tmp_path / "a.mat"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "other":
        scipy.io.savemat(path, {"groundTruth": np.zeros((2, 2))})
    elif content == "empty":
        scipy.io.savemat(path, {"masks": np.zeros((2, 2))})
    else:
        save_berkeley(path, [np.arange(900, dtype=np.uint16).reshape(30, 30)])
        path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="not a Berkeley ground truth file"):
        read_masks(path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([[0.5]]), r"holds the value 0\.5"),
        (np.array([[np.nan]]), "holds the value nan"),
        (np.array([[2**40]]), "holds the value 1099511627776"),
        (np.array([["a"]]), "holds <U1"),
        (np.zeros(3, int), r"shape \(3,\)"),
        (np.zeros((0, 3), int), r"shape \(0, 3\)"),
        (np.array([[{}]]), "holds pickled objects, which could run code and are never loaded"),
    ],
)
def test_array_that_is_no_mask_is_refused(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=words):
        read_masks(tmp_path / "a.npy")


def test_pickled_file_named_as_an_array_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(pickle.dumps([0, 1]))
    with pytest.raises(InputError, match="holds pickled objects"):
        read_masks(tmp_path / "a.npy")


def test_mask_of_a_prepared_image(tmp_path):
    mask = np.array([[0, 1, 255], [1, 1, 255]], np.int32)
    image = Image(
        pixels=np.ones((2, 3, 1)),
        region=mask != 255,
        mask=mask,
        channel_names=("T2",),
        class_names=("muscle", "scar"),
    )
    write_prepared(tmp_path / "a.npz", image)
    assert read_one(tmp_path / "a.npz") == mask.tolist()
    assert [pair[0] for pair in pair_files(tmp_path, tmp_path)] == ["a"]


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.npy", "a.npz", "a.nii.gz"])
def test_damaged_file_is_one_clear_error(tmp_path, name):
    with pytest.raises(InputError, match="is no file"):
        read_masks(tmp_path / name)
    for content in (b"", b"\x89PNG\r\n\x1a\n broken", b"II*\0\xff", b"BM\0\0", b"\x93NUMPY\1"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"a\."):
            read_masks(tmp_path / name)


@pytest.mark.parametrize("largest", [3, 900, 70_000])
def test_own_label_files_come_back_with_the_outside(tmp_path, largest):
    labels = np.array([[0, largest, -1]], dtype=np.int32)
    path = write_labels(tmp_path / "labels", labels)
    assert read_prediction(path).tolist() == labels.tolist()


def test_other_label_files_are_read_as_masks(tmp_path):
    save_palette(tmp_path / "cat.png")
    assert read_prediction(tmp_path / "cat.png").tolist() == IDS.tolist()


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def paired(root, predictions="p", masks="m"):
    return [
        (name, one.relative_to(root).as_posix(), other.relative_to(root).as_posix())
        for name, one, other in pair_files(root / predictions, root / masks)
    ]


def test_two_files_are_a_pair_whatever_their_names(tmp_path):
    touch(tmp_path, "p/one.png", "m/two.mat", "r/cat/labels.nii.gz")
    assert paired(tmp_path, "p/one.png", "m/two.mat") == [("one", "p/one.png", "m/two.mat")]
    expected = [("cat", "r/cat/labels.nii.gz", "m/two.mat")]
    assert paired(tmp_path, "r/cat", "m/two.mat") == expected
    assert paired(tmp_path, "r/cat/labels.nii.gz", "m/two.mat") == expected


def test_folders_are_paired_by_stem_and_other_masks_left_alone(tmp_path):
    touch(tmp_path, "p/b.png", "p/a.nii.gz", "p/notes.txt", "p/.hidden.png")
    touch(tmp_path, "m/a.nii", "m/b.mat", "m/c.mat")
    assert paired(tmp_path) == [("a", "p/a.nii.gz", "m/a.nii"), ("b", "p/b.png", "m/b.mat")]
    assert paired(tmp_path, "p/b.png") == [("b", "p/b.png", "m/b.mat")]


def test_result_folders_go_by_their_names(tmp_path):
    touch(tmp_path, "p/a/labels.png", "p/a/overlay.png", "p/b/labels.tif", "p/sheet.png")
    touch(tmp_path, "m/a.png", "m/b.png")
    assert paired(tmp_path) == [
        ("a", "p/a/labels.png", "m/a.png"),
        ("b", "p/b/labels.tif", "m/b.png"),
    ]
    assert paired(tmp_path, "p/b") == [("b", "p/b/labels.tif", "m/b.png")]


@pytest.mark.parametrize("ending", ["_mask", "_gt", "_label", "_labels", "_GT", "-mask"])
def test_endings_of_names_do_not_matter(tmp_path, ending):
    touch(tmp_path, "p/a_pred.png", "p/b.png", f"m/a{ending}.png", f"m/b{ending}.png", "m/b.png")
    assert [pair[2] for pair in paired(tmp_path)] == [f"m/a{ending}.png", f"m/b{ending}.png"]


def test_names_that_only_look_like_endings_stay_apart(tmp_path):
    touch(tmp_path, *(f"{side}/{name}.png" for side in "pm" for name in ("x", "x_seg")))
    assert [pair[2] for pair in paired(tmp_path)] == ["m/x.png", "m/x_seg.png"]


def test_missing_partners_are_named_and_counted(tmp_path):
    touch(tmp_path, *(f"p/{name}.png" for name in "abcdef"), "m/a.png")
    with pytest.raises(InputError, match=r"5 of 6 predictions .*: b, c, d and 2 more"):
        paired(tmp_path)


def test_nothing_paired_says_the_names_of_both_sides(tmp_path):
    touch(tmp_path, "p/a.png", "p/b.png", "m/x.png", "m/y.png")
    with pytest.raises(InputError, match="predictions are a, b, masks are x, y"):
        paired(tmp_path)


def test_doubtful_pairs_are_refused(tmp_path):
    touch(tmp_path, "p/a.png", "m/a_gt.png", "m/a_mask.png")
    with pytest.raises(InputError, match=r"fits 2 masks .*: .* a_gt.png, a_mask.png"):
        paired(tmp_path)
    touch(tmp_path, "q/a.png", "q/a.npy", "n/a.png")
    with pytest.raises(InputError, match=r"have the same mask a\.png"):
        paired(tmp_path, "q", "n")


def test_absent_and_empty_folders_are_refused(tmp_path):
    touch(tmp_path, "p/a.png", "m/notes.txt")
    with pytest.raises(InputError, match="does not exist"):
        paired(tmp_path, "p", "nowhere")
    with pytest.raises(InputError, match="holds no label map"):
        paired(tmp_path)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("VOCdevkit/VOC2012/SegmentationClass/2007_004189.png", {0, 12, 255}),
        ("isbi2012/train/label/0.png", {0, 255}),
        ("scribbles/2007_001774_scribble.png", {0, 8, 255}),
        ("brats2013/brats_2013_pat0005_1/OTMultiClass.nii.gz", {0, 1, 2, 3, 4}),
    ],
)
def test_real_masks_hold_what_their_data_sets_say(shared_data, name, values):
    (mask,) = read_masks(shared_data / name)
    assert set(np.unique(mask).tolist()) == values
