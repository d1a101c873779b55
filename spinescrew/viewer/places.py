"""Which views the page has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A view on the page: Slicer's node, and what it shows along a screw, along a pedicle, and of the patient."""

    node: str
    along: str
    pedicle: str
    plain: str


PLANNER, C2, POSE, BRAND = "planner", "c2", "pose", "brand"
"""The tabs."""

PANES, C2_PANES, POSE_PANES, BRAND_PANES = "pane", "c2_pane", "pose_pane", "brand_pane"
"""What the views of each tab are called, before their node's name."""

PLACES = (
    Place("Red", "Along the screw, transverse", "Along the pedicle, transverse", "Axial"),
    Place("Yellow", "Along the screw, sagittal", "Along the pedicle, sagittal", "Sagittal"),
    Place("Green", "Across the screw, from behind", "Across the pedicle, from behind", "Coronal"),
    Place("1", "3D", "3D", "3D"),
)

POSE_PLACES = (
    Place("Red", "", "", "Axial"),
    Place("Yellow", "", "", "Sagittal"),
    Place("1", "3D", "3D", "3D"),
)
"""Each of two radiographs has a slice view of its own."""

BRAND_PLACES = (Place("Red", "", "", "Coronal"), Place("Yellow", "", "", "Sagittal"))
"""Films alone: nothing tells where they were taken."""

ON_RADIOGRAPHS = f"['{POSE}', '{BRAND}'].includes(tab)"
"""JavaScript: whether a tab is in front that works on radiographs."""
