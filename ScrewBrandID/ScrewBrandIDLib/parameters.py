"""What the user chose, kept in the scene. No file names: they may name a patient."""

from typing import Annotated

from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class ScrewBrandIDParameters:
    """Choices of the panel.

    Attributes
    ----------
    opacity:
        How much the attention of a model covers the films; 0..1.
    outlines:
        Whether squares, axes and numbers of the screws are drawn.
    """

    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    outlines: bool = True
