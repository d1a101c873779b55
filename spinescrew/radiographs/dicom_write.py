"""Simulated radiographs as DICOM files (Digital X-Ray Image)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.radiographs.radiograph import Radiograph

_LARGEST = 65535


def full_scale(pixels: NDArray[Any]) -> tuple[NDArray[np.uint16], float, float]:
    """Pixels in 16 bits, and the slope and intercept that bring them back; 1 and 0 where they fit as they are."""
    low, high = float(pixels.min()), float(pixels.max())
    if low >= 0 and high <= _LARGEST and (pixels == np.round(pixels)).all():
        return pixels.astype(np.uint16), 1.0, 0.0
    slope = (high - low) / _LARGEST or 1.0
    return np.round((pixels.astype(np.float64) - low) / slope).astype(np.uint16), slope, low


def write_dicom(path: Path, image: Radiograph) -> None:
    """The image with its sizes and its grey scale; the patient is called what it is, a simulation."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality = "DX"
    data.PresentationIntentType = "FOR PRESENTATION"
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.PatientName, data.PatientID = "Simulated", "simulated"
    data.BodyPartExamined = "SPINE"
    data.BurnedInAnnotation = "NO"
    data.ViewPosition = image.view.replace("LAT", "LL")
    data.ImageLaterality = image.laterality or "U"
    if all(image.orientation):
        data.PatientOrientation = list(image.orientation)
    _sizes(data, image)
    _pixels(data, image)
    data.save_as(path, enforce_file_format=True)


def _sizes(data: Any, image: Radiograph) -> None:
    """At the detector where that is known, else at the plane that was calibrated."""
    if image.pixel_mm is not None and image.spacing_kind != "unknown":
        data.ImagerPixelSpacing = _decimals(*image.pixel_mm[::-1])
    elif image.object_pixel_mm is not None:
        data.PixelSpacing = _decimals(*image.object_pixel_mm[::-1])
        data.PixelSpacingCalibrationType = "FIDUCIAL" if image.spacing_kind == "calibrated" else "GEOMETRY"
    elif image.pixel_mm is not None:
        data.PixelSpacing = _decimals(*image.pixel_mm[::-1])
    if image.magnification is not None:
        data.EstimatedRadiographicMagnificationFactor = _decimals(image.magnification)
    if image.source_detector_mm is not None:
        data.DistanceSourceToDetector = _decimals(image.source_detector_mm)


def _pixels(data: Any, image: Radiograph) -> None:
    stored, slope, intercept = full_scale(image.pixels)
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PresentationLUTShape = "IDENTITY"
    data.PixelIntensityRelationship = "DISP"
    data.PixelIntensityRelationshipSign = -1 if image.bright_is_dense else 1
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.RescaleSlope, data.RescaleIntercept, data.RescaleType = *_decimals(slope), *_decimals(intercept), "US"
    if image.window is not None:
        low, high = image.window
        data.WindowCenter, data.WindowWidth = *_decimals((low + high) / 2), *_decimals(high - low)
    data.PixelData = stored.tobytes()


def _decimals(*values: float) -> list[Any]:
    """Numbers in the sixteen characters DICOM has for them."""
    from pydicom.valuerep import DSfloat

    return [DSfloat(float(value), auto_format=True) for value in values]
