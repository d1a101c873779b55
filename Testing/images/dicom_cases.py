"""Synthetic CT series, written slice by slice."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def a_slice(z, number=1, rows=8, columns=10, **changes):
    """One CT slice at height ``z``; its pixels hold ``number``. ``changes`` override or (None) remove elements."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SeriesInstanceUID = "1.2.3"
    data.Modality = "CT"
    data.SeriesDescription = "spine"
    data.PatientName = "Secret^Patient"
    data.PatientID = "4711"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.Rows, data.Columns = rows, columns
    data.PixelSpacing = [0.7, 0.5]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [-10.0, 20.0, float(z)]
    data.InstanceNumber = number
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelRepresentation = 0
    data.RescaleSlope, data.RescaleIntercept = 1, -1024
    pixels = np.full((rows, columns), 1000 + number, np.uint16)
    data.PixelData = pixels.tobytes()
    for name, value in changes.items():
        if value is None:
            del data[name]
        else:
            setattr(data, name, value)
    return data


def write(folder, slices, names=None):
    """Write slices into a folder, as ``s000.dcm`` ... or under the names given."""
    folder.mkdir(exist_ok=True)
    for n, data in enumerate(slices):
        name = names[n] if names else f"s{n:03d}.dcm"
        data.save_as(folder / name, enforce_file_format=True)
    return folder


def a_series(folder, count=6, step=2.0, **changes):
    """A straight series of ``count`` slices."""
    return write(folder, [a_slice(step * n, n + 1, **changes) for n in range(count)])
