"""What the user chose, kept in the scene."""

from typing import Annotated

from slicer import vtkMRMLNode, vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper

ENGINES = ["spinescrew", "totalsegmentator", "TotalSegmentator extension"]
EXTENSION = ENGINES[-1]


@parameterNodeWrapper
class SpinePlannerParameters:
    """Choices of the panel; the plan itself has its own node.

    Attributes
    ----------
    volume:
        The CT; may be left out.
    labels:
        Segmentation or label volume with the named vertebrae.
    engine:
        What finds the vertebrae where there are none.
    levels:
        For example ``"L1-S1"``; all where empty.
    """

    volume: vtkMRMLScalarVolumeNode
    labels: vtkMRMLNode
    engine: Annotated[str, Choice(ENGINES)]
    levels: str
    trajectory: Annotated[str, Choice(["straight-forward", "anatomic"])]
    pivot: Annotated[str, Choice(["entry", "isthmus"])]
    snap: bool = True
    alignSlices: bool = True
    holdImage: bool = False
    showAutomatic: bool = False
