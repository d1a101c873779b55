"""Geometry that image libraries mend in silence: it is refused or stated here."""

import struct

import nibabel
import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels, write_volume

ARRAY = np.random.default_rng(0).integers(-1000, 1500, (6, 5, 4)).astype(np.int16)
GRID = np.diag([0.5, 0.6, 2.0, 1.0])
PIXDIM, PIXDIM_1, QUATERN_B, QOFFSET_X, SROW_X, SLOPE, DATATYPE, NDIM = 76, 80, 256, 268, 280, 112, 70, 40


def nifti(path, patch=None, codes=(1, 1), sform=GRID, qform=GRID, array=ARRAY):
    """A NIfTI file; ``patch`` writes (offset, format, value) over its header."""
    image = nibabel.Nifti1Image(array, GRID)
    image.set_sform(sform, code=codes[0])
    image.set_qform(qform, code=codes[1])
    nibabel.save(image, path)
    if patch is not None:
        offset, form, value = patch
        raw = bytearray(path.read_bytes())
        struct.pack_into(f"<{form}", raw, offset, value)
        path.write_bytes(raw)
    return path


NAN, INF = float("nan"), float("inf")
NIFTI = {
    "qform not finite": ((QUATERN_B, "f", NAN), (0, 1), "damaged qform"),
    "offset not finite": ((QOFFSET_X, "f", INF), (0, 1), "damaged qform"),
    "quaternion too long": ((QUATERN_B, "f", 5.0), (0, 1), "its quaternion is no rotation"),
    "no voxel size": ((PIXDIM_1, "f", 0.0), (0, 1), "a voxel size of 0 mm"),
    "negative voxel size": ((PIXDIM_1, "f", -1.0), (0, 1), "a voxel size of -1 mm"),
    "sform infinite": ((SROW_X, "f", INF), (1, 0), "damaged sform"),
    "sform not a number": ((SROW_X, "f", NAN), (2, 1), "damaged sform"),
    "no codes": (None, (0, 0), "does not say where its voxels are"),
    "nine dimensions": ((NDIM, "h", 9), (1, 1), "not a readable NIfTI"),
    "unknown type": ((DATATYPE, "h", 0), (1, 1), "not a readable NIfTI"),
    "absurd scale": ((SLOPE, "f", 1e38), (1, 1), "no densities"),
}


@pytest.mark.parametrize("name", NIFTI)
def test_a_damaged_nifti_header_has_its_own_words(tmp_path, name):
    patch, codes, words = NIFTI[name]
    with pytest.raises(InputError, match=words) as caught:
        read_image(nifti(tmp_path / "v.nii", patch, codes))
    assert "v.nii" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_qform_does_not_matter_where_the_sform_counts(tmp_path):
    volume = read_image(nifti(tmp_path / "v.nii", (QUATERN_B, "f", 5.0), (1, 1)))
    assert np.allclose(volume.affine, GRID)
    assert "qform is damaged" in volume.metadata["corrections"][0]


def test_two_geometries_in_one_file_are_stated(tmp_path):
    shifted = GRID.copy()
    shifted[0, 3] = 7.0
    volume = read_image(nifti(tmp_path / "v.nii", qform=shifted))
    assert np.allclose(volume.affine, GRID)
    assert volume.metadata["corrections"] == ["sform and qform differ by 7.0 mm; the sform was used"]


def test_a_qform_alone_is_read(tmp_path):
    assert np.allclose(read_image(nifti(tmp_path / "v.nii", codes=(0, 1))).affine, GRID)


def test_a_sheared_grid_is_stated(tmp_path):
    sheared = np.eye(4)
    sheared[1, 2] = np.tan(np.radians(15))
    volume = read_image(nifti(tmp_path / "v.nii", sform=sheared))
    assert np.allclose(volume.affine, sheared)
    assert "sheared by 15.0 degrees" in volume.metadata["corrections"][0]


def test_nifti_2_is_read_and_checked(tmp_path):
    path = tmp_path / "v.nii"
    nibabel.save(nibabel.Nifti2Image(ARRAY, GRID), path)
    assert np.allclose(read_image(path).affine, GRID)
    image = nibabel.Nifti2Image(ARRAY, None)
    nibabel.save(image, path)
    with pytest.raises(InputError, match="does not say where its voxels are"):
        read_image(path)


def test_voxels_stay_when_the_file_is_written_anew(tmp_path):
    path = nifti(tmp_path / "v.nii")
    volume = read_image(path)
    with path.open("r+b") as file:
        file.seek(352)
        file.write(bytes(ARRAY.nbytes))
    assert np.array_equal(volume.array, ARRAY)


def test_complex_values_are_neither_ct_nor_labels(tmp_path):
    path = nifti(tmp_path / "v.nii", array=np.ones((4, 4, 4), np.complex64))
    with pytest.raises(InputError, match="not plain numbers"):
        read_image(path)
    with pytest.raises(InputError, match="a label map holds whole numbers"):
        read_labels(path)


NRRD = "NRRD0004\ntype: short\ndimension: 3\n{space}sizes: 2 2 2\n{directions}endian: little\nencoding: raw\n\n"
SPACE = "space: left-posterior-superior\n"
MHA = "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\n{lines}ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
TURN = "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\n"


def nrrd(space, directions):
    text = f"space directions: {directions}\nspace origin: (5,6,7)\n" if directions else ""
    return "v.nrrd", NRRD.format(space=space, directions=text).encode()


def mha(lines):
    return "v.mha", MHA.format(lines=lines).encode()


ITK = {
    "nrrd without a space": (*nrrd("", ""), "does not say how its voxels lie"),
    "nrrd not a number": (*nrrd(SPACE, "(nan,0,0) (0,1,0) (0,0,1)"), "not a readable .nrrd"),
    "nrrd singular": (*nrrd(SPACE, "(1,0,0) (1,0,0) (0,0,1)"), "not a readable .nrrd"),
    "mha without directions": (*mha(""), "does not say how its voxels lie"),
    "mha without a size": (*mha("ElementSpacing = 0 1 1\n" + TURN), "not a readable .mha"),
    "mha singular": (*mha("TransformMatrix = 1 0 0 1 0 0 0 0 1\nOffset = 0 0 0\n"), "not a readable .mha"),
}


@pytest.mark.parametrize("name", ITK)
def test_a_damaged_nrrd_or_mha_header_has_its_own_words(tmp_path, name):
    file, header, words = ITK[name]
    (tmp_path / file).write_bytes(header + bytes(16))
    with pytest.raises(InputError, match=words) as caught:
        read_image(tmp_path / file)
    assert "\n" not in str(caught.value)


def test_an_nrrd_in_ras_lies_where_it_says(tmp_path):
    name, header = nrrd("space: right-anterior-superior\n", "(1,0,0) (0,2,0) (0,0,3)")
    (tmp_path / name).write_bytes(header + bytes(16))
    assert np.allclose(read_image(tmp_path / name).index_to_ras((1, 1, 1)), (6, 8, 10))


def test_a_sheared_nrrd_keeps_its_places_and_is_stated(tmp_path):
    name, header = nrrd(SPACE, "(1,0,0) (0,1,0) (0,0.3,1)")
    (tmp_path / name).write_bytes(header + bytes(16))
    volume = read_image(tmp_path / name)
    assert np.allclose(volume.index_to_ras((0, 0, 1)), (-5, -6.3, 8))
    assert "sheared by 16.7 degrees" in volume.metadata["corrections"][0]


def test_one_dicom_file_asks_for_its_folder(tmp_path):
    path = tmp_path / "slice.dcm"
    path.write_bytes(bytes(128) + b"DICM" + bytes(50))
    with pytest.raises(InputError, match="give the folder that holds the whole series"):
        read_image(path)


def test_a_series_of_a_single_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="is one file and holds no series '2'"):
        read_image(nifti(tmp_path / "v.nii"), series="2")


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_formats_of_two_files_are_not_written(tmp_path, suffix):
    with pytest.raises(InputError, match="volumes are written as .nii, .nii.gz, .nrrd, .mha"):
        write_volume(Volume(ARRAY, GRID), tmp_path / f"v{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, ">i2", np.int64, np.float64])
def test_label_maps_of_any_number_type_become_small_integers(tmp_path, kind):
    path = tmp_path / "v.nii"
    nibabel.save(nibabel.Nifti1Image(np.full((4, 4, 4), 22).astype(kind), GRID, dtype=kind), path)
    volume = read_labels(path)
    assert volume.array.dtype == np.int16
    assert (volume.array == 22).all()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.uint64, np.float16, np.float32])
def test_any_number_type_is_written_and_reads_back(tmp_path, suffix, kind):
    array = (np.arange(120).reshape(6, 5, 4) % 2).astype(kind)
    back = read_image(write_volume(Volume(array, GRID), tmp_path / f"v{suffix}"))
    assert np.array_equal(back.array, array)
