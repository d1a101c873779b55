"""A small plan on two hand-built vertebrae, for tests of edits and of undo."""

from __future__ import annotations

import numpy as np

from spinescrew.anatomy.frame import SIDES, VertebralFrame, direction_from_angles, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Vertebra
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning.plan import Plan, PlannedScrew


def vertebra(level: Level, origin, turn) -> Vertebra:
    """A vertebra turned by ``turn`` (3x3) whose pedicles stand 14 mm beside and 22 mm behind its centre."""
    right, anterior, superior = turn.T
    frame = VertebralFrame(np.array(origin, dtype=float), right, anterior, superior)
    pedicles = {}
    for side in SIDES:
        axis = direction_from_angles(15.0, -5.0, frame, side)
        isthmus = frame.to_ras([14.0 * side_sign(side), -22.0, 6.0])
        medial = -side_sign(side) * frame.right
        pedicles[side] = Pedicle(
            side, isthmus, axis, medial, 9.0, 14.0, 7.0, 12.0, "assumed walls", 8.0, -14.0, 55.0, 15.0, -5.0
        )
    nowhere = SignedDistance(Volume(np.zeros((2, 2, 2), dtype=np.float32), np.eye(4)))
    return Vertebra(level, nowhere, frame, pedicles)


L3 = vertebra(Level.L3, (1.0, 2.0, 3.0), rotation((0.2, 0.3, 1.0), 25.0))
L4 = vertebra(Level.L4, (4.0, 8.0, -34.0), rotation((1.0, 0.1, 0.0), -12.0))
VERTEBRAE = {Level.L3: L3, Level.L4: L4}


def plan() -> Plan:
    """Screws left and right of L3 and left of L4; the right pedicle of L4 is too narrow."""
    rows = []
    for bone, side in ((L3, "left"), (L3, "right"), (L4, "left")):
        pedicle = bone.pedicles[side]
        screw = Screw(pedicle.isthmus - 14 * pedicle.axis, pedicle.axis, ScrewShape(6.5, 45.0, item="generic 6.5 x 45"))
        rows.append(PlannedScrew(bone.level, side, screw, reviewed=True, notes=("found by search",)))
    rows.append(PlannedScrew(Level.L4, "right", reason="the pedicle is 3.1 mm wide"))
    return Plan(tuple(rows))
