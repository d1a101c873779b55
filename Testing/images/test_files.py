import gzip
import subprocess
import sys

import nibabel
import numpy as np
import pytest
import SimpleITK

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels, write_volume

ARRAY = np.random.default_rng(0).integers(-1000, 1500, (6, 5, 4)).astype(np.int16)


def nifti(path, array=ARRAY, affine=None, units="mm", **header):
    image = nibabel.Nifti1Image(array, np.diag([0.5, 0.6, 2.0, 1.0]) if affine is None else affine)
    image.header.set_xyzt_units(units)
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def grids():
    oblique = np.eye(4)
    oblique[:3, :3] = rotation((1, 2, 3), 35) @ np.diag([0.4, 0.9, 2.5])
    oblique[:3, 3] = (12.513, -40.017, 300.259)
    left_handed = oblique.copy()
    left_handed[:3, 1] *= -1
    pir = np.array([[0, 0, 2.0, -77], [-1.0, 0, 0, 218], [0, -1.0, 0, -808], [0, 0, 0, 1]])
    return {"oblique": oblique, "left-handed": left_handed, "PIR": pir}


@pytest.mark.parametrize("grid", ["oblique", "left-handed", "PIR"])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_what_is_written_reads_back_in_the_same_place(tmp_path, grid, suffix):
    volume = Volume(ARRAY, grids()[grid])
    back = read_image(write_volume(volume, tmp_path / f"v{suffix}"))
    assert np.array_equal(back.array, ARRAY)
    # NIfTI stores single precision: at 300 mm from the origin its numbers are 3e-5 mm apart.
    assert back.same_grid(volume, 2e-5 if ".nii" in suffix else 1e-5)
    assert [path.name for path in tmp_path.iterdir()] == [f"v{suffix}"]


def test_a_sheared_grid_survives_in_nifti_and_is_refused_elsewhere(tmp_path):
    affine = np.eye(4)
    affine[1, 2] = 0.3
    volume = Volume(ARRAY, affine)
    assert np.allclose(read_image(write_volume(volume, tmp_path / "v.nii.gz")).affine, affine, atol=1e-6)
    with pytest.raises(InputError, match="sheared"):
        write_volume(volume, tmp_path / "v.nrrd")
    assert [path.name for path in tmp_path.iterdir()] == ["v.nii.gz"]


def test_an_unknown_ending_is_not_written(tmp_path):
    with pytest.raises(InputError, match="choose one of these endings"):
        write_volume(Volume(ARRAY, np.eye(4)), tmp_path / "v.jpg")


FULL_DISK = """
import resource, signal, sys
import numpy as np
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
array = np.random.default_rng(0).integers(-1000, 1500, (12, 12, 12)).astype(np.int16)
for suffix in (".nii", ".nii.gz", ".nrrd", ".mha"):
    try:
        write_volume(Volume(array, np.eye(4)), sys.argv[1] + "/v" + suffix)
    except InputError as error:
        print(error)
"""


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path):
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == 4
    assert all("cannot be written" in line and "make room" in line for line in told)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_place_that_cannot_be_written_is_told_with_its_cause(tmp_path, suffix, monkeypatch):
    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("nibabel.save", lambda _, path: refuse(path))
    monkeypatch.setattr(type(tmp_path), "touch", refuse)
    with pytest.raises(InputError, match=rf"v{suffix}' cannot be written \(Permission denied\)"):
        write_volume(Volume(ARRAY, np.eye(4)), tmp_path / f"v{suffix}")
    assert not list(tmp_path.iterdir())


def test_metres_are_converted_and_stated(tmp_path):
    volume = read_image(nifti(tmp_path / "m.nii.gz", affine=np.diag([5e-4, 6e-4, 2e-3, 1.0]), units="meter"))
    assert np.allclose(volume.spacing, (0.5, 0.6, 2.0))
    assert "converted from meter to mm" in volume.metadata["corrections"][0]


def test_one_volume_in_four_dimensions_is_accepted(tmp_path):
    assert read_image(nifti(tmp_path / "f.nii.gz", ARRAY[..., None])).shape == ARRAY.shape


def test_a_few_voxels_without_a_number_are_filled_and_stated(tmp_path):
    array = np.zeros((20, 20, 20), np.float32)
    array[0, 0, 0] = np.nan
    volume = read_image(nifti(tmp_path / "n.nii.gz", array))
    assert volume.array[0, 0, 0] == -1024
    assert "1 voxels without a number" in volume.metadata["corrections"][0]


def test_float_labels_that_are_whole_are_accepted_and_stated(tmp_path):
    volume = read_labels(nifti(tmp_path / "l.nii.gz", np.full((4, 4, 4), 22.0)))
    assert volume.array.dtype == np.int16
    assert "floating-point" in volume.metadata["corrections"][0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((4, 4, 4), np.int16), "is empty: no voxel is labelled"),
        (np.full((4, 4, 4), 0.4, np.float32), "fractional"),
        (np.full((4, 4, 4), np.nan, np.float32), "not numbers"),
        (np.full((4, 4, 4), -3, np.int16), "that is an image"),
        (np.full((4, 4, 4), 3000, np.int16), "that is an image"),
    ],
)
def test_what_is_no_label_map_is_refused(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        read_labels(nifti(tmp_path / "l.nii.gz", values))


def text_as_nifti(folder):
    path = folder / "a.nii.gz"
    path.write_text("this is no image")
    return path


def truncated(folder):
    whole = nifti(folder / "w.nii.gz", np.random.default_rng(0).integers(0, 999, (30, 30, 30)).astype(np.int16))
    path = folder / "t.nii.gz"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return path


def truncated_header(folder):
    path = folder / "h.nii.gz"
    path.write_bytes(gzip.compress(b"\0" * 100))
    return path


def broken_nrrd(folder):
    path = folder / "b.nrrd"
    path.write_text("NRRD0004\ntype: short\ndimension: 3\n")
    return path


def truncated_mha(folder):
    whole = write_volume(
        Volume(np.random.default_rng(0).integers(0, 999, (30, 30, 30)).astype(np.int16), np.eye(4)), folder / "w.mha"
    )
    path = folder / "t.mha"
    path.write_bytes(whole.read_bytes()[:400])
    return path


def mhd_without_data(folder):
    image = SimpleITK.GetImageFromArray(ARRAY)
    SimpleITK.WriteImage(image, str(folder / "d.mhd"))
    (folder / "d.raw").unlink()
    return folder / "d.mhd"


def colour_mha(folder):
    image = SimpleITK.GetImageFromArray(np.zeros((4, 4, 4, 3), np.uint8), isVector=True)
    SimpleITK.WriteImage(image, str(folder / "c.mha"))
    return folder / "c.mha"


def colour_nifti(folder):
    array = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), folder / "c.nii.gz")
    return folder / "c.nii.gz"


def without_codes(folder):
    path = nifti(folder / "n.nii")
    raw = bytearray(path.read_bytes())
    raw[252:256] = b"\0\0\0\0"
    path.write_bytes(raw)
    return path


def empty(folder):
    (folder / "e.nii.gz").touch()
    return folder / "e.nii.gz"


def nan_affine(folder):
    path = nifti(folder / "n.nii")
    raw = bytearray(path.read_bytes())
    raw[280:284] = np.float32(np.nan).tobytes()
    path.write_bytes(raw)
    return path


def singular(folder):
    path = nifti(folder / "s.nii")
    raw = bytearray(path.read_bytes())
    raw[280:296] = b"\0" * 16
    path.write_bytes(raw)
    return path


def a_picture(folder):
    (folder / "p.jpg").write_bytes(b"\xff\xd8")
    return folder / "p.jpg"


WRONG = {
    "missing": (lambda folder: folder / "no.nii.gz", "does not exist"),
    "empty": (empty, "0 bytes"),
    "text": (text_as_nifti, "not a readable NIfTI"),
    "truncated": (truncated, "truncated"),
    "truncated header": (truncated_header, "not a readable NIfTI"),
    "broken nrrd": (broken_nrrd, "not a readable .nrrd"),
    "truncated mha": (truncated_mha, "not a readable .mha"),
    "mhd without its data": (mhd_without_data, "its data file missing"),
    "colour mha": (colour_mha, "colour or vector"),
    "colour nifti": (colour_nifti, "colour image"),
    "flat": (lambda folder: nifti(folder / "f.nii.gz", ARRAY[:, :, :1]), "is flat"),
    "two dimensions": (lambda folder: nifti(folder / "f.nii.gz", ARRAY[:, :, 0]), "is flat"),
    "several volumes": (lambda folder: nifti(folder / "f.nii.gz", np.stack([ARRAY] * 3, axis=3)), "holds 3 volumes"),
    "no orientation": (without_codes, "does not say where its voxels are"),
    "NaN affine": (nan_affine, "NaN"),
    "singular affine": (singular, "no usable geometry"),
    "all NaN": (lambda folder: nifti(folder / "f.nii.gz", np.full((9, 9, 9), np.nan, np.float32)), "hold no number"),
    "picture": (a_picture, "not an image format"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_file_has_its_own_words_and_no_other(tmp_path, name, capfd):
    make, words = WRONG[name]
    path = make(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_image(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_no_label_map(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((8, 8, 8), np.int16), "this image is empty"),
        (np.random.default_rng(0).integers(0, 900, (8, 8, 8)).astype(np.int16), "may not be Hounsfield units"),
        (np.random.default_rng(0).uniform(-1, 1, (8, 8, 8)).astype(np.float32), "normalised"),
    ],
)
def test_doubtful_densities_are_noted(tmp_path, array, words):
    assert words in " ".join(read_image(nifti(tmp_path / "d.nii.gz", array)).metadata["notes"])
