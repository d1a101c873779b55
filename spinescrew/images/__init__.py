"""Reading and checking CT series and label maps; writing volumes."""

from spinescrew.images.dicom import DicomSeries, list_series
from spinescrew.images.read import read_image, read_labels
from spinescrew.images.write import write_volume

__all__ = ["DicomSeries", "list_series", "read_image", "read_labels", "write_volume"]
