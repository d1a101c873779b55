"""Grey values of radiographs, from DICOM files and pictures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, RLELossless
from radiograph_cases import a_radiograph, ramp, saved

from spinescrew.errors import InputError
from spinescrew.radiographs import Radiograph, read_radiograph, write_radiograph


def read(folder, pixels=None, bits=12, **changes):
    keep = {name: changes.pop(name) for name in ("frame", "bright_is_dense") if name in changes}
    return read_radiograph(saved(folder, a_radiograph(pixels, bits, **changes)), **keep)


def noted(image, words):
    return any(words in note for note in image.notes)


def lookup_table(values, first=0):
    table = Dataset()
    table.LUTDescriptor = [len(values), first, 16]
    table.LUTData = np.array(values, "<u2").tobytes()
    table.ModalityLUTType = "US"
    return [table]


def test_a_film_is_read_as_it_is_stored(tmp_path):
    image = read(tmp_path)
    assert image.pixels.dtype == np.float32
    assert_array_equal(image.pixels, ramp())
    assert image.bright_is_dense
    assert image.notes == ()


def test_monochrome1_gives_the_same_image_as_its_twin(tmp_path):
    twin = read(tmp_path, 4095 - ramp(), PhotometricInterpretation="MONOCHROME1", PixelIntensityRelationshipSign=1)
    assert_array_equal(twin.pixels, ramp())
    assert twin.bright_is_dense


def test_monochrome1_is_turned_over_once_whatever_else_says_so(tmp_path):
    image = read(tmp_path, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert_array_equal(image.pixels, 4095 - ramp())


def test_monochrome1_of_values_with_a_sign(tmp_path):
    signed = ramp().astype(np.int16) - 2048
    image = read(tmp_path, signed, PhotometricInterpretation="MONOCHROME1")
    assert_array_equal(image.pixels, -1 - signed)


@pytest.mark.parametrize(
    ("photometric", "sign", "bright_is_dense"),
    [("MONOCHROME2", -1, True), ("MONOCHROME2", 1, False), ("MONOCHROME1", -1, False), ("MONOCHROME1", 1, True)],
)
def test_what_is_dense_follows_from_both_elements(tmp_path, photometric, sign, bright_is_dense):
    image = read(tmp_path, PhotometricInterpretation=photometric, PixelIntensityRelationshipSign=sign)
    assert image.bright_is_dense == bright_is_dense


def test_a_falling_rescale_turns_density_over_too(tmp_path):
    image = read(tmp_path, RescaleSlope=-1, RescaleIntercept=4095)
    assert_array_equal(image.pixels, 4095 - ramp())
    assert not image.bright_is_dense


@pytest.mark.parametrize(("modality", "dense", "words"), [("DX", True, "as on films"), ("XA", False, "fluoroscopy")])
def test_an_untold_grey_scale_is_assumed_and_said(tmp_path, modality, dense, words):
    image = read(tmp_path, Modality=modality, PixelIntensityRelationshipSign=None)
    assert image.bright_is_dense == dense
    assert noted(image, words)


def test_who_knows_the_grey_scale_better_is_believed(tmp_path):
    image = read(tmp_path, PixelIntensityRelationshipSign=None, bright_is_dense=False)
    assert not image.bright_is_dense
    assert image.notes == ()


def test_dense_is_bright_on_demand():
    pixels = ramp().astype(np.float32)
    assert_array_equal(Radiograph(pixels, True).dense_bright(), pixels)
    assert_array_equal(Radiograph(pixels, False).dense_bright(), 4095 - pixels)


def test_rescaling_is_applied(tmp_path):
    image = read(tmp_path, RescaleSlope=0.5, RescaleIntercept=-100)
    assert_allclose(image.pixels, ramp() * 0.5 - 100)


def test_a_look_up_table_is_applied(tmp_path):
    pixels = np.arange(48, dtype=np.uint16).reshape(6, 8)
    table = (np.arange(48) ** 2 + 7).tolist()
    image = read(tmp_path, pixels, bits=8, ModalityLUTSequence=lookup_table(table))
    assert_array_equal(image.pixels, pixels.astype(float) ** 2 + 7)
    falling = read(tmp_path, pixels, bits=8, ModalityLUTSequence=lookup_table(table[::-1]))
    assert image.bright_is_dense and not falling.bright_is_dense


def test_the_window_is_handed_on_and_clips_nothing(tmp_path):
    image = read(tmp_path, WindowCenter=1000, WindowWidth=400)
    assert image.window == (800, 1200)
    assert image.pixels.max() == 4095
    turned = read(tmp_path, WindowCenter=1000, WindowWidth=400, PhotometricInterpretation="MONOCHROME1")
    assert turned.window == (4095 - 1200, 4095 - 800)


def test_the_first_frame_of_a_run_is_read_or_the_one_chosen(tmp_path):
    frames = np.stack([ramp() // (n + 1) for n in range(3)])
    first = read(tmp_path, frames, Modality="XA")
    assert_array_equal(first.pixels, frames[0])
    assert noted(first, "3 frames; the first was read")
    last = read(tmp_path, frames, Modality="XA", frame=3)
    assert_array_equal(last.pixels, frames[2])
    assert not noted(last, "frames")
    with pytest.raises(InputError, match="no frame 4; choose one from 1 to 3"):
        read(tmp_path, frames, Modality="XA", frame=4)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_files_give_the_same_values(tmp_path, syntax):
    data = a_radiograph(ramp(64, 48))
    data.compress(syntax)
    assert_array_equal(read_radiograph(saved(tmp_path, data)).pixels, ramp(64, 48))


def test_a_colour_copy_is_read_as_grey(tmp_path):
    grey = (ramp() // 16).astype(np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=-1)
    changes = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    changes |= {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "Modality": "OT", "PixelData": colour.tobytes()}
    image = read(tmp_path, **changes)
    assert_array_equal(image.pixels, grey)
    assert noted(image, "secondary capture")


@pytest.mark.parametrize(
    ("changes", "view"),
    [
        ({"ViewPosition": "AP"}, "AP"),
        ({"ViewPosition": "PA"}, "AP"),
        ({"ViewPosition": "LL"}, "LAT"),
        ({"ViewPosition": "RLO", "PatientOrientation": ["LA", "F"]}, ""),
        ({"PositionerPrimaryAngle": 4.0}, "AP"),
        ({"PositionerPrimaryAngle": -92.0}, "LAT"),
        ({"PositionerPrimaryAngle": 45.0}, ""),
        ({"PatientOrientation": ["L", "F"]}, "AP"),
        ({"PatientOrientation": ["P", "F"]}, "LAT"),
        ({}, ""),
    ],
)
def test_the_view_is_as_the_header_tells(tmp_path, changes, view):
    assert read(tmp_path, **changes).view == view


@pytest.mark.parametrize(("meaning", "view"), [("antero-posterior", "AP"), ("left lateral", "LAT"), ("oblique", "")])
def test_a_code_names_the_view(tmp_path, meaning, view):
    code = Dataset()
    code.CodeMeaning = meaning
    assert read(tmp_path, ViewCodeSequence=[code]).view == view


def test_orientation_is_told_and_the_pixels_stay(tmp_path):
    image = read(tmp_path, PatientOrientation=["R", "H"], ImageLaterality="U")
    assert image.orientation == ("R", "H")
    assert image.laterality == "U"
    assert_array_equal(image.pixels, ramp())
    assert noted(image, "head is at the lower edge")


def test_burned_in_text_is_left_and_said(tmp_path):
    image = read(tmp_path, BurnedInAnnotation="YES")
    assert_array_equal(image.pixels, ramp())
    assert noted(image, "text is burned into the image")


def test_nothing_names_the_patient(tmp_path):
    image = read(tmp_path, PatientComments="Secret", BurnedInAnnotation="YES", ImagerPixelSpacing=None)
    assert "Secret" not in repr(vars(image))
    assert "4711" not in repr(vars(image))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Modality": "CT"}, "is CT, no radiograph"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.13.1.1", "Modality": "XA"}, "volume reconstructed"),
        ({"PixelData": None}, "holds no pixels"),
        ({"PixelData": b"1234"}, "truncated or damaged"),
        ({"PixelData": bytes(96)}, "every pixel has the value 0"),
    ],
)
def test_what_is_no_radiograph_is_refused(tmp_path, changes, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, **changes)


def test_a_damaged_header_is_said(tmp_path):
    path = saved(tmp_path, a_radiograph())
    path.write_bytes(path.read_bytes().replace(b"\x18\x00\x64\x11DS", b"\x18\x00\x64\x11DU"))
    with pytest.raises(InputError, match="its header is damaged"):
        read_radiograph(path)


def test_paths_that_lead_nowhere_are_said(tmp_path):
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "text.dcm").write_text("no image at all")
    (tmp_path / "text.png").write_text("no image at all")
    for name, words in (
        ("", "is a folder"),
        ("none.dcm", "does not exist"),
        ("empty.dcm", "is empty"),
        ("text.dcm", "no DICOM image"),
        ("text.png", "not a readable picture"),
    ):
        with pytest.raises(InputError, match=words):
            read_radiograph(tmp_path / name)


@pytest.mark.parametrize(("name", "kind"), [("a.png", np.uint8), ("b.png", np.uint16), ("c.tif", np.uint16)])
def test_pictures_of_8_and_16_bits_keep_their_values(tmp_path, name, kind):
    pixels = ramp(top=np.iinfo(kind).max).astype(kind)
    Image.fromarray(pixels).save(tmp_path / name)
    image = read_radiograph(tmp_path / name)
    assert_array_equal(image.pixels, pixels)
    assert (image.pixel_mm, image.spacing_kind) == (None, "unknown")
    assert noted(image, "does not tell the size")
    assert noted(image, "bone and metal were taken as bright")


def test_jpeg_and_colour_pictures_are_read(tmp_path):
    grey = (ramp(32, 32) // 16).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.jpg", quality=98)
    assert np.abs(read_radiograph(tmp_path / "a.jpg").pixels - grey).max() < 8
    Image.fromarray(np.stack([grey, grey // 2, grey], axis=-1)).save(tmp_path / "b.png")
    image = read_radiograph(tmp_path / "b.png")
    assert_allclose(image.pixels, 0.413 * grey + 0.587 * (grey // 2), atol=0.51)
    assert noted(image, "colour")


def test_a_picture_of_several_frames_gives_the_one_chosen(tmp_path):
    frames = [ramp() // (n + 1) for n in range(3)]
    first, *others = map(Image.fromarray, frames)
    first.save(tmp_path / "a.tif", save_all=True, append_images=others)
    assert_array_equal(read_radiograph(tmp_path / "a.tif", frame=2).pixels, frames[1])
    assert noted(read_radiograph(tmp_path / "a.tif"), "3 frames; the first was read")
    with pytest.raises(InputError, match="no frame 4"):
        read_radiograph(tmp_path / "a.tif", frame=4)


def test_a_picture_is_not_turned(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray((ramp(32, 48) // 16).astype(np.uint8)).save(tmp_path / "a.jpg", exif=turned)
    image = read_radiograph(tmp_path / "a.jpg")
    assert image.shape == (32, 48)
    assert noted(image, "shown turned; it was not")


def test_a_truncated_picture_is_refused(tmp_path):
    Image.fromarray(ramp(64, 64)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-60])
    with pytest.raises(InputError, match="not a readable picture"):
        read_radiograph(tmp_path / "a.png")


def test_dicom_written_is_read_back(tmp_path):
    image = Radiograph(
        np.random.default_rng(0).normal(3, 1, (20, 30)).astype(np.float32),
        False,
        np.array([0.388, 0.4]),
        "detector",
        1020 / 530,
        None,
        1020.0,
        "LAT",
        "U",
        ("P", "F"),
        (1.0, 5.0),
    )
    found = read_radiograph(write_radiograph(tmp_path / "new" / "image.dcm", image))
    assert_allclose(found.pixels, image.pixels, atol=np.ptp(image.pixels) / 65535)
    assert_allclose(found.pixel_mm, image.pixel_mm)
    assert found.magnification == pytest.approx(1020 / 530)
    for name in ("bright_is_dense", "spacing_kind", "source_detector_mm", "view", "laterality", "orientation"):
        assert getattr(found, name) == getattr(image, name), name
    assert found.window == pytest.approx(image.window)
    assert found.notes == ()


@pytest.mark.parametrize("kind", ["isocentre", "calibrated"])
def test_a_spacing_calibrated_in_the_patient_stays_one(tmp_path, kind):
    image = Radiograph(ramp().astype(np.float32), True, None, kind, None, np.array([0.2, 0.3]))
    found = read_radiograph(write_radiograph(tmp_path / "a.dcm", image))
    assert (found.pixel_mm, found.spacing_kind) == (None, kind)
    assert_allclose(found.object_pixel_mm, [0.2, 0.3])


def test_whole_numbers_are_written_as_they_are(tmp_path):
    image = Radiograph(ramp().astype(np.float32), True)
    for name in ("a.dcm", "a.png"):
        assert_array_equal(read_radiograph(write_radiograph(tmp_path / name, image)).pixels, ramp())


def test_other_values_fill_the_16_bits_of_a_png(tmp_path):
    pixels = np.random.default_rng(0).normal(3, 1, (20, 30)).astype(np.float32)
    found = read_radiograph(write_radiograph(tmp_path / "a.png", Radiograph(pixels, True))).pixels
    assert (found.min(), found.max()) == (0, 65535)
    assert_allclose(found / 65535 * np.ptp(pixels) + pixels.min(), pixels, atol=np.ptp(pixels) / 65535)


def test_other_endings_are_not_written(tmp_path):
    with pytest.raises(InputError, match=r"\.dcm or \.png"):
        write_radiograph(tmp_path / "a.jpg", Radiograph(ramp().astype(np.float32), True))
    assert list(tmp_path.iterdir()) == []
