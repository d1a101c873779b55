"""Which plane a spacing holds in, as DICOM headers tell it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pydicom.dataset import Dataset
from radiograph_cases import a_radiograph, ramp, saved

from spinescrew.radiographs import read_radiograph


def read(folder, frame=None, pixels=None, **changes):
    return read_radiograph(saved(folder, a_radiograph(pixels, **changes)), frame=frame)


def noted(image, words):
    return any(words in note for note in image.notes)


def nested(**values):
    """A functional group of one sequence."""
    inner, group = Dataset(), Dataset()
    for name, value in values.items():
        setattr(inner, name, value)
    sequence = "XRayGeometrySequence" if "DistanceSourceToDetector" in values else "FramePixelDataPropertiesSequence"
    setattr(group, sequence, [inner])
    return group


def test_the_imagers_spacing_is_the_detectors_columns_first(tmp_path):
    image = read(tmp_path)
    assert_allclose(image.pixel_mm, [0.2, 0.3])
    assert (image.spacing_kind, image.magnification, image.object_pixel_mm) == ("detector", None, None)


def test_a_told_magnification_gives_the_spacing_in_the_patient(tmp_path):
    image = read(tmp_path, EstimatedRadiographicMagnificationFactor=1.25)
    assert_allclose(image.pixel_mm, [0.2, 0.3])
    assert_allclose(image.object_pixel_mm, [0.16, 0.24])
    assert image.magnification == 1.25


def test_distances_give_the_magnification(tmp_path):
    image = read(tmp_path, DistanceSourceToDetector=1020, DistanceSourceToPatient=530)
    assert image.magnification == pytest.approx(1020 / 530)
    assert image.source_detector_mm == 1020


def test_two_different_spacings_are_told_apart(tmp_path):
    image = read(tmp_path, PixelSpacing=[0.2, 0.2 / 1.5])
    assert_allclose(image.pixel_mm, [0.2, 0.3])
    assert_allclose(image.object_pixel_mm, [0.2 / 1.5, 0.2])
    assert image.spacing_kind == "detector"
    assert image.magnification == pytest.approx(1.5)
    assert noted(image, "1.500 was taken from")


def test_two_spacings_that_contradict_the_magnification_are_noted(tmp_path):
    agrees = read(tmp_path, PixelSpacing=[0.2, 0.2 / 1.5], EstimatedRadiographicMagnificationFactor=1.51)
    assert agrees.notes == ()
    differs = read(tmp_path, PixelSpacing=[0.2, 0.2 / 1.5], EstimatedRadiographicMagnificationFactor=1.9)
    assert noted(differs, "is 1.500, the magnification told is 1.900")
    assert_allclose(differs.pixel_mm, [0.2, 0.3])


def test_twice_the_same_spacing_is_no_calibration(tmp_path):
    image = read(tmp_path, PixelSpacing=[0.3, 0.2])
    assert (image.object_pixel_mm, image.magnification, image.notes) == (None, None, ())


@pytest.mark.parametrize(("said", "kind"), [("GEOMETRY", "isocentre"), ("FIDUCIAL", "calibrated")])
def test_a_spacing_calibrated_in_the_patient_is_brought_to_the_detector(tmp_path, said, kind):
    changes = {"ImagerPixelSpacing": None, "PixelSpacing": [0.15, 0.1], "PixelSpacingCalibrationType": said}
    image = read(tmp_path, **changes, EstimatedRadiographicMagnificationFactor=2.0)
    assert image.spacing_kind == kind
    assert_allclose(image.pixel_mm, [0.2, 0.3])
    assert_allclose(image.object_pixel_mm, [0.1, 0.15])
    unknown = read(tmp_path, **changes)
    assert unknown.pixel_mm is None
    assert_allclose(unknown.object_pixel_mm, [0.1, 0.15])
    assert noted(unknown, "size of a pixel at the detector is not known")


def test_a_spacing_without_its_plane_is_unknown(tmp_path):
    image = read(tmp_path, ImagerPixelSpacing=None, PixelSpacing=[0.3, 0.2])
    assert image.spacing_kind == "unknown"
    assert_allclose(image.pixel_mm, [0.2, 0.3])
    assert noted(image, "not in which plane")


def test_no_spacing_is_unknown(tmp_path):
    image = read(tmp_path, ImagerPixelSpacing=None)
    assert (image.pixel_mm, image.spacing_kind) == (None, "unknown")
    assert noted(image, "does not tell the size of its pixels")


def test_a_digitised_film_tells_the_scanners_spacing(tmp_path):
    image = read(tmp_path, Modality="RG", ImagerPixelSpacing=None, NominalScannedPixelSpacing=[0.17, 0.175])
    assert_allclose(image.pixel_mm, [0.175, 0.17])
    assert image.spacing_kind == "detector"


@pytest.mark.parametrize("value", [[0, 0], [-0.3, 0.2], [0.3]])
def test_a_damaged_spacing_is_left_out_and_said(tmp_path, value):
    image = read(tmp_path, ImagerPixelSpacing=value)
    assert image.pixel_mm is None
    assert noted(image, "ImagerPixelSpacing is damaged")


@pytest.mark.parametrize("value", [0.5, 100])
def test_an_impossible_magnification_is_left_out(tmp_path, value):
    image = read(tmp_path, EstimatedRadiographicMagnificationFactor=value)
    assert image.magnification is None
    assert noted(image, "cannot be")


def test_enhanced_angiography_tells_sizes_for_each_frame(tmp_path):
    frames = np.stack([ramp()] * 2)
    changes = {
        "Modality": "XA",
        "ImagerPixelSpacing": None,
        "SharedFunctionalGroupsSequence": [nested(ImagerPixelSpacing=[0.4, 0.4])],
        "PerFrameFunctionalGroupsSequence": [
            nested(DistanceSourceToDetector=distance, DistanceSourceToIsocenter=750) for distance in (1000, 1200)
        ],
    }
    first, second = read(tmp_path, 1, frames, **changes), read(tmp_path, 2, frames, **changes)
    assert_allclose(first.pixel_mm, [0.4, 0.4])
    assert (first.magnification, second.magnification) == (pytest.approx(1000 / 750), pytest.approx(1200 / 750))
