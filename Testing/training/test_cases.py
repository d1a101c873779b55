"""Images for training: phantoms kept on the disk, and folders as others lay them out."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.training.cases import FolderSource, PhantomSource, image_pairs


def made(seed):
    random = np.random.default_rng(seed)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    labels = np.zeros((12, 10, 14), np.int16)
    labels[3:8, 3:8, 2:6], labels[3:8, 3:8, 8:12] = 23, 22
    ct = random.integers(-1000, 1500, labels.shape).astype(np.int16)
    landmarks = {(Level.L3, "left"): (np.array([1.0, 2.0, 3.0]) + seed, np.array([4.0, 5.0, 6.0]))}
    screws = {(Level.L3, "left"): Screw((1.0, 2.0, 3.0), (0.0, 0.6, 0.8), ScrewShape(5.5, 40.0))}
    volumes = Volume(ct, affine), Volume(labels, affine)
    return SimpleNamespace(
        ct=volumes[0], labels=volumes[1], landmarks=landmarks, screws=screws, traits=("scoliosis", f"seed {seed}")
    )


def test_a_phantom_is_made_once_and_comes_back_as_it_was(tmp_path):
    calls = []

    def make(seed):
        calls.append(seed)
        return made(seed)

    source = PhantomSource(make, tmp_path, 3, "abc", first=10)
    for _ in range(2):
        for number in range(len(source)):
            found, wanted = source[number], made(10 + number)
            assert np.array_equal(found.ct.array, wanted.ct.array)
            assert np.array_equal(found.labels.array, wanted.labels.array)
            assert found.ct.same_grid(wanted.ct)
            assert found.landmarks.keys() == wanted.landmarks.keys()
            for key, pair in wanted.landmarks.items():
                np.testing.assert_array_equal(np.stack(found.landmarks[key]), np.stack(pair))
            screw, same = found.screws[Level.L3, "left"], wanted.screws[Level.L3, "left"]
            np.testing.assert_allclose([screw.entry, screw.tip], [same.entry, same.tip])
            assert screw.shape.length_mm == pytest.approx(40.0) and screw.shape.diameter_mm == 5.5
            assert found.traits == wanted.traits and found.thick
    assert calls == [10, 11, 12]
    assert source.describe() == "3 simulated CTs, seeds 10-12"


def test_phantoms_of_another_generator_are_made_anew(tmp_path):
    PhantomSource(made, tmp_path, 1, "first")[0]
    other = PhantomSource(lambda seed: made(99), tmp_path, 1, "second")
    assert np.array_equal(other[0].ct.array, made(99).ct.array)


def pair(folder, image, labels):
    case = made(1)
    for name, volume in ((image, case.ct), (labels, case.labels)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_volume(volume, path)


def test_a_monai_data_list_is_read(tmp_path):
    pair(tmp_path, "a/ct.nii.gz", "a/seg.nii.gz")
    items = [{"image": "a/ct.nii.gz", "label": "a/seg.nii.gz"}]
    (tmp_path / "dataset.json").write_text(json.dumps({"training": items}))
    found = FolderSource(tmp_path, "verse")[0]
    assert set(np.unique(found.labels.array)) == {0, 22, 23}
    assert found.ct.same_grid(found.labels)
    assert found.landmarks == {}


def test_the_raw_layout_of_nnunet_is_read(tmp_path):
    for name in ("case1", "case2"):
        pair(tmp_path, f"imagesTr/{name}_0000.nii.gz", f"labelsTr/{name}.nii.gz")
    (tmp_path / "dataset.json").write_text(json.dumps({"numTraining": 2, "channel_names": {"0": "CT"}}))
    found = image_pairs(tmp_path)
    assert [labels.name for _, labels in found] == ["case1.nii.gz", "case2.nii.gz"]
    assert [image.name for image, _ in found] == ["case1_0000.nii.gz", "case2_0000.nii.gz"]


def test_no_name_of_a_folders_files_reaches_a_model_card(tmp_path):
    pair(tmp_path, "imagesTr/Doe_Jane_0000.nii.gz", "labelsTr/Doe_Jane.nii.gz")
    assert FolderSource(tmp_path).describe() == "1 images of a folder"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "holds no training pairs; give a folder with dataset.json"),
        ('{"training": [{"image": "x.nii.gz"}]}', "is no data list"),
        ("{", "is no data list"),
        (
            '{"training": [{"image": "x.nii.gz", "label": "y.nii.gz"}]}',
            r"x\.nii\.gz' of the training list is not there",
        ),
    ],
)
def test_folders_without_pairs_are_refused_in_words(tmp_path, text, said):
    if text is not None:
        (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=said):
        image_pairs(tmp_path)


def test_labels_on_another_grid_are_refused_and_named(tmp_path):
    pair(tmp_path, "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz")
    labels = made(1).labels
    write_volume(Volume(labels.array[1:], labels.affine), tmp_path / "labelsTr" / "a.nii.gz")
    with pytest.raises(InputError, match=r"labelsTr.*a\.nii\.gz does not lie on the grid"):
        FolderSource(tmp_path, "verse")[0]
