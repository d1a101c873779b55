"""What the user chose, kept in the scene. No file names: they may name a patient."""

from typing import Annotated

from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class ScrewPoseParameters:
    """Choices of the panel.

    Attributes
    ----------
    compare:
        Whether screws are compared with the plan that the scene holds.
    overlay:
        How much the segmentation covers the images; 0..1.
    outlines, beams, detectors, planned:
        Whether fitted screws are drawn on the images, beams and images in 3D, and planned screws.
    """

    compare: bool = True
    overlay: Annotated[float, WithinRange(0.0, 1.0)] = 0.35
    outlines: bool = True
    beams: bool = True
    detectors: bool = True
    planned: bool = True
