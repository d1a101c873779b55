import os
from pathlib import Path

import numpy as np
import pytest
from dicom_cases import a_series, a_slice, write
from pydicom.uid import RLELossless

from spinescrew.errors import InputError
from spinescrew.images import list_series, read_image
from spinescrew.progress import Cancelled, Progress


def test_a_straight_series_lies_where_it_was_taken(tmp_path):
    volume = read_image(a_series(tmp_path / "ct"))
    assert volume.shape == (10, 8, 6)
    assert np.allclose(volume.spacing, (0.5, 0.7, 2.0))
    assert np.allclose(volume.index_to_ras((0, 0, 0)), (10.0, -20.0, 0.0))
    assert np.allclose(volume.index_to_ras((1, 2, 3)), (9.5, -21.4, 6.0))
    assert volume.array.dtype == np.int16
    assert volume.array[0, 0].tolist() == [-23, -22, -21, -20, -19, -18]


def test_slices_are_ordered_by_position_not_by_name(tmp_path):
    slices = [a_slice(2.0 * n, n + 1) for n in range(5)]
    names = ["e.dcm", "a.dcm", "d.dcm", "b.dcm", "c.dcm"]
    volume = read_image(write(tmp_path / "ct", slices, names))
    assert volume.array[0, 0].tolist() == [-23, -22, -21, -20, -19]


def test_no_identity_is_kept(tmp_path):
    kept = str(read_image(a_series(tmp_path / "ct")).metadata)
    assert "Secret" not in kept
    assert "4711" not in kept
    assert "1.2.3" not in kept


def test_gantry_tilt_gives_a_sheared_grid_and_is_stated(tmp_path):
    slices = [a_slice(2.0 * n, n + 1, ImagePositionPatient=[-10.0, 20.0 - 0.5 * n, 2.0 * n]) for n in range(5)]
    volume = read_image(write(tmp_path / "ct", slices))
    assert np.allclose(volume.index_to_ras((0, 0, 4)), (10.0, -18.0, 8.0))
    assert any("gantry tilt of 14.0 degrees" in text for text in volume.metadata["corrections"])


def test_rescaling_may_differ_from_slice_to_slice(tmp_path):
    slices = [a_slice(2.0 * n, 1, RescaleSlope=1 + 0.5 * n, RescaleIntercept=0) for n in range(3)]
    volume = read_image(write(tmp_path / "ct", slices))
    assert np.allclose(volume.array[0, 0], [1001, 1501.5, 2002])


def test_signed_pixels_are_read(tmp_path):
    pixels = np.full((8, 10), -500, np.int16).tobytes()
    volume = read_image(a_series(tmp_path / "ct", PixelRepresentation=1, PixelData=pixels, RescaleIntercept=0))
    assert (volume.array == -500).all()


def test_compressed_slices_are_decoded(tmp_path):
    slices = [a_slice(2.0 * n, n + 1) for n in range(4)]
    for data in slices:
        data.compress(RLELossless)
    assert read_image(write(tmp_path / "ct", slices)).array[0, 0].tolist() == [-23, -22, -21, -20]


def test_other_files_and_scouts_are_left_out_and_stated(tmp_path):
    folder = a_series(tmp_path / "ct")
    (folder / "notes.txt").write_text("hello")
    scout = a_slice(0, SeriesInstanceUID="9.9", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    scout.save_as(folder / "scout.dcm", enforce_file_format=True)
    corrections = " ".join(read_image(folder).metadata["corrections"])
    assert "1 files in the folder are no DICOM images" in corrections
    assert "other series in the folder were left out" in corrections


def two_series(folder):
    a_series(folder)
    for n in range(5):
        data = a_slice(3.0 * n, n + 1, SeriesInstanceUID="4.5.6", SeriesDescription="thin", SliceThickness=3)
        data.save_as(folder / f"t{n}.dcm", enforce_file_format=True)
    return folder


def test_two_series_are_listed_and_one_can_be_chosen(tmp_path):
    folder = two_series(tmp_path / "ct")
    with pytest.raises(InputError, match=r"several CT series.*'spine' with 6 images.*'thin' with 5 images of 3 mm"):
        read_image(folder)
    assert read_image(folder, series="4.5.6").shape[2] == 5
    assert read_image(folder, series="1").shape[2] in (5, 6)
    assert {(s.description, s.thickness_mm) for s in list_series(folder)} == {("spine", None), ("thin", 3.0)}
    with pytest.raises(InputError, match="no series '7'"):
        read_image(folder, series="7")


def moved(z):
    return [a_slice(height, n + 1) for n, height in enumerate(z)]


WRONG = {
    "missing slices": (lambda: moved([0, 2, 4, 8, 10, 12]), r"1 slices are missing \(4.0 to 8.0 mm\)"),
    "uneven slices": (lambda: moved([0, 2, 4, 6.7, 9, 11]), "unevenly spaced"),
    "same place": (lambda: moved([0, 2, 2, 4, 6]), "two slices lie at the same place"),
    "too few": (lambda: moved([0, 2]), "no CT series|at least 3"),
    "mixed sizes": (lambda: [*moved([0, 2, 4]), a_slice(6, rows=9)], "differ in size"),
    "mixed spacing": (lambda: [*moved([0, 2, 4]), a_slice(6, PixelSpacing=[0.8, 0.8])], "differ in pixel spacing"),
    "mixed orientation": (
        lambda: [*moved([0, 2, 4]), a_slice(6, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])],
        "differ in orientation",
    ),
    "damaged orientation": (
        lambda: [a_slice(2 * n, ImageOrientationPatient=[1, 0, 0, 1, 0, 0]) for n in range(4)],
        "ImageOrientationPatient is damaged",
    ),
    "table moved": (
        lambda: [*moved([0, 2, 4]), a_slice(6, ImagePositionPatient=[-2.0, 20.0, 6.0]), *moved([8])],
        "do not lie on one line",
    ),
    "MR": (lambda: [a_slice(2 * n, Modality="MR") for n in range(4)], "is MR, not CT"),
    "colour": (lambda: [a_slice(2 * n, SamplesPerPixel=3) for n in range(4)], "colour image"),
    "multi-frame": (lambda: [a_slice(2 * n, NumberOfFrames=5) for n in range(4)], "multi-frame"),
    "no position": (
        lambda: [a_slice(2 * n, ImagePositionPatient=None) for n in range(4)],
        "lacks ImagePositionPatient",
    ),
    "no orientation": (
        lambda: [a_slice(2 * n, ImageOrientationPatient=None) for n in range(4)],
        "lacks ImageOrientationPatient",
    ),
    "no spacing": (lambda: [a_slice(2 * n, PixelSpacing=None) for n in range(4)], "lacks PixelSpacing"),
    "no rescale": (lambda: [a_slice(2 * n, RescaleSlope=None) for n in range(4)], "lacks RescaleSlope"),
    "no pixels": (lambda: [a_slice(2 * n, PixelData=None) for n in range(4)], "holds no pixels"),
    "inverted grey": (
        lambda: [a_slice(2 * n, PhotometricInterpretation="MONOCHROME1") for n in range(4)],
        "MONOCHROME1",
    ),
    "short pixels": (lambda: [a_slice(2 * n, PixelData=b"\0\0" * 20) for n in range(4)], "truncated or damaged"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_series_has_its_own_words(tmp_path, name):
    slices, words = WRONG[name]
    with pytest.raises(InputError, match=words) as caught:
        read_image(write(tmp_path / "ct", slices()))
    assert "\n" not in str(caught.value)
    assert "Secret" not in str(caught.value)


def test_an_empty_folder_and_one_without_images(tmp_path):
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path)
    (tmp_path / "a.txt").write_text("no image")
    with pytest.raises(InputError, match="holds no DICOM images"):
        read_image(tmp_path)


def test_reading_can_be_cancelled(tmp_path):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        read_image(a_series(tmp_path / "ct"), progress=progress)


@pytest.mark.skipif("SPINESCREW_REAL_CASES" not in os.environ, reason="SPINESCREW_REAL_CASES is not set")
def test_a_real_series_matches_the_grid_of_its_labels():
    from spinescrew.images import read_labels

    folder = Path(os.environ["SPINESCREW_REAL_CASES"])
    ct = read_image(folder / "dicom_thoracolumbar")
    labels = read_labels(folder / "dicom_thoracolumbar.totalsegmentator.nii.gz")
    assert ct.shape == (512, 512, 20)
    index = np.argwhere(labels.array == 32)
    inside = np.round(ct.ras_to_index(labels.index_to_ras(index))).astype(int)
    assert ct.array[tuple(inside.T)].mean() > 100
