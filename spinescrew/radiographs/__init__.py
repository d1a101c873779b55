"""Radiographs: the geometry of a C-arm, its images, and what two of them say about screws."""

from spinescrew.radiographs.c_arm import ap, from_c_arm, lateral, perturbed
from spinescrew.radiographs.calibration import read_geometry, write_geometry
from spinescrew.radiographs.checks import view_doubts
from spinescrew.radiographs.epipolar import epipolar_line, fundamental, triangulate
from spinescrew.radiographs.image import Radiograph, read_radiograph, write_radiograph
from spinescrew.radiographs.view import View

__all__ = [
    "Radiograph",
    "View",
    "ap",
    "epipolar_line",
    "from_c_arm",
    "fundamental",
    "lateral",
    "perturbed",
    "read_geometry",
    "read_radiograph",
    "triangulate",
    "view_doubts",
    "write_geometry",
    "write_radiograph",
]
