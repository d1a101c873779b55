"""Three slice views along a screw: in its transverse plane, in its sagittal plane, and across it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.geometry.vectors import cross, unit
from spinescrew.implants.screw import Screw
from spinescrew.scene.grips import grip_point
from spinescrew.scene.volumes import array_from_matrix, matrix_from_array

Follow = Literal["screw", "image"]
_IN_PLANE_MM = 0.05


class AlignedSlices:
    """Slice nodes that stand along the screw in hand.

    Parameters
    ----------
    slice_nodes:
        Three ``vtkMRMLSliceNode``: transverse along the screw, sagittal along the screw, across the screw.
    follow:
        ``"screw"``: the screw stays where it is in the views and the image moves; ``"image"``: the image stays and the
        screw moves.
    """

    def __init__(self, slice_nodes: Sequence[Any], follow: Follow = "screw") -> None:
        self.nodes = list(slice_nodes)
        self.follow: Follow = follow
        self.on = False
        self._before: list[np.ndarray] = []

    def start(self) -> None:
        """From now on the views stand along the screw."""
        if not self.on:
            self._before = [plane_of(node) for node in self.nodes]
            self.on = True

    def stop(self) -> None:
        """Give the views back as they were."""
        if self.on:
            for node, matrix in zip(self.nodes, self._before, strict=True):
                set_plane(node, matrix)
            self.on = False

    def align(self, screw: Screw, frame: VertebralFrame) -> None:
        """Put the views along ``screw``; nothing happens while they are off."""
        if self.on:
            for node, matrix in zip(self.nodes, screw_planes(screw, frame), strict=True):
                set_plane(node, matrix)

    def moved(self, screw: Screw, frame: VertebralFrame, live: bool) -> None:
        """The screw was moved: follow it, if the views should.

        While the hand moves, a view that the whole screw still lies in stays as it is: it may be the one under the
        hand, and a picture that turns away under the hand cannot be aimed in.
        """
        if not self.on or self.follow == "image":
            return
        for node, matrix in zip(self.nodes, screw_planes(screw, frame), strict=True):
            if not (live and _lies_in(node, screw)):
                set_plane(node, matrix)


def screw_planes(screw: Screw, frame: VertebralFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SliceToRAS (4x4) of the three views, centred on the screw.

    Transverse: the tip points up, the patient's left is right, as on an axial CT. Sagittal: the head is up and the tip
    points left, as on a sagittal CT. Across: seen from behind, cranial up, the patient's left on the left.
    """
    middle = screw.entry + 0.5 * screw.shape.length_mm * screw.direction
    return planes_along(screw.direction, middle, grip_point(screw), frame)


def planes_along(
    direction: np.ndarray, middle: np.ndarray, across_at: np.ndarray, frame: VertebralFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """:func:`screw_planes` of any unit ``direction``: two centred on ``middle``, the one across it on ``across_at``."""
    left = unit(-frame.right - direction * float(-frame.right @ direction))
    up = unit(cross(direction, -left))
    if up @ frame.superior < 0:
        up = -up
    return (
        _frame(left, direction, middle),
        _frame(-direction, up, middle),
        _frame(-left, up, across_at),
    )


def edge_letters(slice_to_ras: np.ndarray) -> tuple[str, str, str, str]:
    """Which side of the patient lies at the left, right, upper and lower edge of a slice: R, L, A, P, S or I each."""
    right, up = slice_to_ras[:3, 0], slice_to_ras[:3, 1]
    return _letter(-right), _letter(right), _letter(up), _letter(-up)


def _letter(direction: np.ndarray) -> str:
    axis = int(np.abs(direction).argmax())
    return ("RL", "AP", "SI")[axis][0 if direction[axis] > 0 else 1]


def _frame(x: np.ndarray, y: np.ndarray, origin: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([x, y, cross(x, y), origin])
    return matrix


def plane_of(node: Any) -> np.ndarray:
    """SliceToRAS (4x4) of a slice node."""
    return array_from_matrix(node.GetSliceToRAS())


def set_plane(node: Any, matrix: np.ndarray) -> None:
    """Put a slice node at this SliceToRAS (4x4)."""
    if np.abs(plane_of(node) - matrix).max() > 1e-9:
        node.GetSliceToRAS().DeepCopy(matrix_from_array(matrix))
        node.UpdateMatrices()


def _lies_in(node: Any, screw: Screw) -> bool:
    """Whether entry and tip lie in the plane (of the view across the screw: the point where it is grabbed)."""
    matrix = plane_of(node)
    normal, origin = matrix[:3, 2], matrix[:3, 3]
    across = abs(float(normal @ screw.direction)) > 0.5
    points = [grip_point(screw)] if across else [screw.entry, screw.tip]
    return all(abs(float((point - origin) @ normal)) < _IN_PLANE_MM for point in points)
