"""DICOM folders as they come out of archives: copies, scouts, broken elements, slices that were cut off."""

import numpy as np
import pytest
from dicom_cases import a_series, a_slice, write
from pydicom.uid import JPEG2000Lossless

from spinescrew.errors import InputError
from spinescrew.images import list_series, read_image


def with_last(folder, count=6, **changes):
    """A series whose last slice differs."""
    last = a_slice(2.0 * (count - 1), count, **changes)
    return write(folder, [*(a_slice(2.0 * n, n + 1) for n in range(count - 1)), last])


DAMAGED = {
    "no pixel size": ({"PixelSpacing": [0, 0]}, "PixelSpacing is damaged"),
    "negative pixel size": ({"PixelSpacing": [-1, 1]}, "PixelSpacing is damaged"),
    "one pixel size": ({"PixelSpacing": 0.5}, "PixelSpacing is damaged"),
    "half a position": ({"ImagePositionPatient": [1, 2]}, "ImagePositionPatient is damaged"),
    "five directions": ({"ImageOrientationPatient": [1, 0, 0, 0, 1]}, "ImageOrientationPatient is damaged"),
    "slope of zero": ({"RescaleSlope": 0}, "RescaleSlope is 0"),
    "no rows": ({"Rows": None}, "truncated or damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_element_in_one_slice_is_named_with_its_file(tmp_path, name):
    changes, words = DAMAGED[name]
    with pytest.raises(InputError, match=words) as caught:
        read_image(with_last(tmp_path / "ct", **changes))
    assert "s005.dcm" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
@pytest.mark.parametrize("text", [b"a.7\\0.5 ", b"nan\\0.5 "])
def test_a_number_that_is_none_is_refused(tmp_path, text):
    folder = a_series(tmp_path / "ct")
    path = folder / "s003.dcm"
    path.write_bytes(path.read_bytes().replace(b"0.7\\0.5 ", text))
    with pytest.raises(InputError, match=r"s003.dcm: PixelSpacing is damaged"):
        read_image(folder)


@pytest.mark.parametrize("kept", [140, 300, 600, 900])
def test_a_last_slice_that_breaks_off_is_not_dropped_in_silence(tmp_path, kept):
    folder = a_series(tmp_path / "ct")
    path = folder / "s005.dcm"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"s005.dcm (is truncated or damaged|holds no pixels).*copy the series again"):
        read_image(folder)


def test_an_empty_file_is_left_out_and_stated(tmp_path):
    folder = a_series(tmp_path / "ct")
    (folder / "s006.dcm").touch()
    assert "1 files in the folder are no DICOM images" in read_image(folder).metadata["corrections"][0]


def test_a_slice_that_is_there_twice_is_taken_once_and_stated(tmp_path):
    folder = a_series(tmp_path / "ct")
    (folder / "copy").mkdir()
    (folder / "copy" / "s002.dcm").write_bytes((folder / "s002.dcm").read_bytes())
    volume = read_image(folder)
    assert volume.shape[2] == 6
    assert "1 slices were there twice" in volume.metadata["corrections"][0]


def test_two_different_slices_at_one_place_are_refused(tmp_path):
    slices = [a_slice(z, n) for n, z in enumerate([0, 2, 4, 4, 6, 8])]
    with pytest.raises(InputError, match=r"same place \(4.0 mm\)"):
        read_image(write(tmp_path / "ct", slices))


def test_a_scout_of_three_views_is_left_out_beside_a_series(tmp_path):
    folder = a_series(tmp_path / "ct")
    for n in range(3):
        a_slice(9.0 * n, SeriesInstanceUID="8.8").save_as(folder / f"x{n}.dcm", enforce_file_format=True)
    volume = read_image(folder)
    assert volume.shape[2] == 6
    assert "CT with 3 images" in volume.metadata["corrections"][0]


def test_a_localizer_that_shares_the_uid_of_its_series_is_kept_apart(tmp_path):
    folder = a_series(tmp_path / "ct")
    scout = a_slice(0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    scout.save_as(folder / "a.dcm", enforce_file_format=True)
    assert [series.localizer for series in list_series(folder)] == [True, False]
    assert read_image(folder).shape[2] == 6
    assert read_image(folder, series="1.2.3").shape[2] == 6


def test_a_report_in_the_folder_does_not_hide_the_ct(tmp_path):
    folder = a_series(tmp_path / "ct")
    report = a_slice(0, SeriesInstanceUID="8.8", Modality="SR", PixelData=None, Rows=None)
    report.save_as(folder / "r.dcm", enforce_file_format=True)
    assert "SR with 1 images" in read_image(folder).metadata["corrections"][0]


def test_a_description_that_names_the_patient_is_not_kept(tmp_path):
    folder = a_series(tmp_path / "ct")
    a_slice(0, SeriesInstanceUID="8.8", SeriesDescription="Secret Patient").save_as(
        folder / "x.dcm", enforce_file_format=True
    )
    assert "Secret" not in str(read_image(folder).metadata)


def test_an_enhanced_object_beside_a_scout_is_told(tmp_path):
    slices = [a_slice(0, NumberOfFrames=40), a_slice(0, SeriesInstanceUID="8.8", ImageType=["O", "P", "LOCALIZER"])]
    with pytest.raises(InputError, match="enhanced multi-frame"):
        read_image(write(tmp_path / "ct", slices))


@pytest.mark.parametrize(("jitter", "accepted"), [(0.015, True), (0.1, False)])
def test_jitter_of_one_percent_is_accepted_and_stated(tmp_path, jitter, accepted):
    folder = write(tmp_path / "ct", [a_slice(2.0 * n + jitter * (n == 2), n) for n in range(6)])
    if accepted:
        assert f"jitter by up to {jitter:.3f} mm" in read_image(folder).metadata["corrections"][0]
    else:
        with pytest.raises(InputError, match=r"unevenly spaced \(2.0 to 4.1 mm, 4.1 to 6.0 mm, elsewhere 2.00 mm\)"):
            read_image(folder)


def test_jpeg_2000_slices_are_decoded(tmp_path):
    pixels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    slices = [a_slice(2.0 * n, rows=64, columns=64, PixelData=pixels.tobytes()) for n in range(3)]
    for data in slices:
        data.compress(JPEG2000Lossless)
    assert (read_image(write(tmp_path / "ct", slices)).array[:, :, 1] == pixels.T.astype(int) - 1024).all()


def test_a_missing_decoder_is_told_with_the_package_it_needs(tmp_path, monkeypatch):
    from pydicom.pixels.decoders import JPEG2000LosslessDecoder

    slices = [a_slice(2.0 * n, rows=64, columns=64, PixelData=bytes(8192)) for n in range(3)]
    for data in slices:
        data.compress(JPEG2000Lossless)
    monkeypatch.setattr(JPEG2000LosslessDecoder, "_available", {})
    monkeypatch.setattr(JPEG2000LosslessDecoder, "_unavailable", {"pylibjpeg": ("pylibjpeg", "pylibjpeg-openjpeg")})
    with pytest.raises(InputError, match=r"JPEG 2000.*pylibjpeg-openjpeg.*install the package") as caught:
        read_image(write(tmp_path / "ct", slices))
    assert "\n" not in str(caught.value)


def test_a_slice_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    folder = a_series(tmp_path / "ct")
    opened = type(folder).open

    def refuse(path, *args, **kwargs):
        if path.name == "s004.dcm":
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(type(folder), "open", refuse)
    with pytest.raises(InputError, match=r"s004.dcm cannot be read \(Permission denied\)"):
        read_image(folder)


def test_half_units_are_kept_and_whole_ones_stay_small(tmp_path):
    assert read_image(a_series(tmp_path / "a", RescaleSlope=0.5)).array.dtype == np.float32
    assert read_image(a_series(tmp_path / "b", RescaleSlope=2)).array.dtype == np.int16


def test_oblique_slices_keep_their_directions(tmp_path):
    row, column = np.array([0.8, 0.6, 0.0]), np.array([0.0, 0.0, -1.0])
    normal = np.cross(row, column)
    slices = [
        a_slice(0, n, ImageOrientationPatient=[*row, *column], ImagePositionPatient=(1.5 * n * normal).tolist())
        for n in range(5)
    ]
    volume = read_image(write(tmp_path / "ct", slices))
    lps = 0.5 * 3 * row + 0.7 * 2 * column + 1.5 * 4 * normal
    assert np.allclose(volume.index_to_ras((3, 2, 4)), lps * (-1, -1, 1), atol=1e-4)
