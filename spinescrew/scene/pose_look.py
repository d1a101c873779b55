"""What is seen of the screws of two radiographs."""

from __future__ import annotations

from dataclasses import dataclass

OVERLAY = 0.35


@dataclass
class Shown:
    """What is seen of the poses.

    Attributes
    ----------
    overlay:
        0..1: how much the segmentation covers the images.
    outlines, beams, detectors, planned:
        Fitted screws on the images; beams and rays in 3D; the images in 3D; planned screws where there are some.
    """

    overlay: float = OVERLAY
    outlines: bool = True
    beams: bool = True
    detectors: bool = True
    planned: bool = True
