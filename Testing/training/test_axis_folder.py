"""Somebody's own C2 cases: the list, the files it names, and the pose from a pedicle's voxels."""

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import rotation, unit
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume
from spinescrew.training.axis_folder import FolderAxisSource, pedicle_points

HEADER = "case,image,side,feasible,pedicles\n"
BOTH = HEADER + "001,ct.nii.gz,left,yes,pedicles.nii.gz\n001,ct.nii.gz,right,no,pedicles.nii.gz\n"
AXES = {"left": unit(np.array([0.45, 1.0, 0.25])), "right": unit(np.array([-0.45, 1.0, 0.25]))}
STRAIGHT = np.eye(3)
ISTHMUS = {"left": np.array([-12.0, 1.0, 2.0]), "right": np.array([13.0, 0.0, 2.5])}


def pedicles(turn=STRAIGHT, spacing=(0.5, 0.5, 1.0)):
    """Two pedicles, waisted at the isthmus, on a grid turned in space."""
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    shape = tuple(int(n) for n in np.round(np.array([56.0, 36.0, 36.0]) / spacing))
    affine[:3, 3] = -affine[:3, :3] @ (0.5 * (np.array(shape) - 1))
    grid = Volume(np.zeros(shape, np.uint8), affine)
    places = grid.index_to_ras(np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1))
    for value, side in enumerate(("left", "right"), start=1):
        arm = places - ISTHMUS[side]
        along = arm @ AXES[side]
        off = np.linalg.norm(arm - along[..., None] * AXES[side], axis=-1)
        grid.array[(np.abs(along) < 9.0) & (off < 2.5 + 0.02 * along**2)] = value
    return grid


@pytest.fixture
def folder(tmp_path):
    own = pedicles()
    write_volume(own, tmp_path / "pedicles.nii.gz")
    hu = np.where(own.array > 0, 600, -50).astype(np.int16)
    write_volume(own.with_array(hu), tmp_path / "ct.nii.gz")
    (tmp_path / "cases.csv").write_text(BOTH)
    return tmp_path


@pytest.mark.parametrize("turn", [STRAIGHT, rotation((0.0, 0.6, 0.8), 20.0)])
@pytest.mark.parametrize("side", ["left", "right"])
def test_points_lie_along_the_pedicle_through_its_waist(side, turn):
    behind, isthmus, ahead = pedicle_points(pedicles(turn), side)
    assert np.degrees(np.arccos(unit(ahead - behind) @ AXES[side])) < 3.0
    assert np.linalg.norm(isthmus - ISTHMUS[side]) < 1.0
    assert np.linalg.norm(isthmus - behind) == pytest.approx(9.0) and np.linalg.norm(ahead - isthmus) == pytest.approx(
        10
    )


def test_without_voxels_there_are_no_points():
    empty = pedicles()
    empty.array[:] = 0
    assert np.isnan(pedicle_points(empty, "left")).all()


def test_a_case_is_read_with_what_is_known_of_it(folder):
    source = FolderAxisSource(folder)
    image = source[0]
    assert (len(source), source.names, source.generator) == (1, ("001",), "")
    assert image.ct.array.max() == 600 and set(np.unique(image.pedicles.array)) == {0, 1, 2}
    assert not image.labels.array.any()
    assert image.truth["left"].feasible is True and image.truth["right"].feasible is False
    assert image.truth["left"].depth is None and np.isnan(image.truth["left"].mpd_mm)
    assert np.degrees(np.arccos(image.poses["left"].forwards @ AXES["left"])) < 3.0


def test_vertebrae_are_read_where_they_are_named(folder):
    own = pedicles()
    write_volume(own.with_array(np.where(own.array > 0, 2, 0).astype(np.uint8)), folder / "labels.nii.gz")
    rows = BOTH.strip().replace("pedicles\n", "pedicles,labels\n").replace("s.nii.gz\n", "s.nii.gz,labels.nii.gz\n")
    (folder / "cases.csv").write_text(rows + ",labels.nii.gz\n")
    assert set(np.unique(FolderAxisSource(folder)[0].labels.array)) == {0, 2}


def test_training_leaves_cases_out_that_are_not_known_whole(folder):
    with (folder / "cases.csv").open("a") as file:
        file.write("002,ct.nii.gz,left,,pedicles.nii.gz\n002,ct.nii.gz,right,no,pedicles.nii.gz\n")
        file.write("003,ct.nii.gz,left,yes,\n003,ct.nii.gz,right,no,\n004,ct.nii.gz,left,yes,pedicles.nii.gz\n")
    every, whole = FolderAxisSource(folder), FolderAxisSource(folder, complete=True)
    assert (every.names, whole.names) == (("001", "002", "003", "004"), ("001",))
    assert list(every[1].truth) == ["right"] and list(every[3].truth) == ["left"]
    assert np.isnan(every[2].truth["left"].points).all()
    assert every.describe() == "4 neck CTs of a folder"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"cases\.csv' cannot be read"),
        ("case,image,side\n1,ct.nii.gz,left\n", "lacks the columns feasible"),
        (HEADER + "1,ct.nii.gz,middle,yes,\n", "line 2: 'side' is 'middle'"),
        (HEADER + "1,ct.nii.gz,left,sure,\n", "line 2: 'feasible' is 'sure'"),
        (HEADER + "1,,left,yes,\n", "line 2: 'image' is empty"),
        (
            HEADER + "1,ct.nii.gz,left,yes,\n1,ct.nii.gz,left,no,\n",
            "line 3: the left side of case '1' stands in line 2",
        ),
        (HEADER + "1,ct.nii.gz,left,yes,\n1,other.nii.gz,right,no,\n", "line 3: case '1' has another image in line 2"),
    ],
)
def test_bad_lists_are_refused_in_words(tmp_path, text, said):
    if text is not None:
        (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        FolderAxisSource(tmp_path)


def test_a_folder_without_whole_cases_cannot_be_trained_on(folder):
    (folder / "cases.csv").write_text(HEADER + "1,ct.nii.gz,left,yes,\n")
    with pytest.raises(InputError, match="no case with both sides' answers"):
        FolderAxisSource(folder, complete=True)


def test_files_that_are_missing_or_lie_elsewhere_are_named(folder):
    (folder / "cases.csv").write_text(BOTH.replace("ct.nii.gz", "lost.nii.gz"))
    with pytest.raises(InputError, match=r"line 2: there is no '.*lost\.nii\.gz'"):
        FolderAxisSource(folder)[0]
    own = pedicles()
    write_volume(Volume(own.array[1:], own.affine), folder / "pedicles.nii.gz")
    (folder / "cases.csv").write_text(BOTH)
    with pytest.raises(InputError, match=r"pedicles\.nii\.gz' does not lie on the grid"):
        FolderAxisSource(folder)[0]
