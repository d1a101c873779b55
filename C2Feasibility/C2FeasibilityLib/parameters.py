"""What the user chose, kept in the scene."""

from typing import Annotated

from slicer import vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class C2FeasibilityParameters:
    """Choices of the panel.

    Attributes
    ----------
    volume:
        CT of the neck.
    attention, surface:
        Whether attention is shown, and also on the bone.
    opacity, threshold:
        How much it covers, and from where on it is shown; 0..1.
    """

    volume: vtkMRMLScalarVolumeNode
    attention: bool = True
    surface: bool = True
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.6
    threshold: Annotated[float, WithinRange(0.0, 1.0)] = 0.3
