"""DICOM radiographs made for tests."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid


def ramp(rows=6, columns=8, top=4095):
    """Values from 0 to ``top``."""
    return np.linspace(0, top, rows * columns).round().reshape(rows, columns).astype(np.uint16)


def a_radiograph(pixels=None, bits=12, **changes):
    """A digital film; ``changes`` override or (None) remove elements."""
    pixels = ramp() if pixels is None else pixels
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Modality = "DX"
    data.PatientName, data.PatientID = "Secret^Patient", "4711"
    data.SeriesDescription = "Secret spine"
    data.ImagerPixelSpacing = [0.3, 0.2]
    data.PixelIntensityRelationshipSign = -1
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.Rows, data.Columns = pixels.shape[-2:]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes()
    for name, value in changes.items():
        if value is None:
            del data[name]
        else:
            setattr(data, name, value)
    return data


def saved(folder, data, name="image.dcm"):
    """Its path."""
    data.save_as(folder / name, enforce_file_format=True)
    return folder / name
