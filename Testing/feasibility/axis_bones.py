"""Exact C2 solids as signed distances, with what is true of them."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from spinescrew.anatomy.frame import SIDES, VertebralFrame
from spinescrew.feasibility.pose import PediclePose, poses_of
from spinescrew.feasibility.scheme import AHEAD_MM, BEHIND_MM
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis import PedicleFeasibility, axis_solids, measure_side
from spinescrew.phantoms.axis.depth import signed_depth
from spinescrew.phantoms.axis.solid import AxisSolids, true_frame

MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
LOW_MM, HIGH_MM, STEP_MM = np.array([-38.0, -42.0, -26.0]), np.array([38.0, 14.0, 32.0]), 0.5


@dataclass(frozen=True, eq=False)
class AxisBone:
    solids: AxisSolids
    bone: SignedDistance
    frame: VertebralFrame
    poses: dict[str, PediclePose]

    def truth(self, side) -> PedicleFeasibility:
        return _truth(self, side)

    @property
    def mask(self) -> Volume:
        """In voxels of 1 mm."""
        coarse = self.bone.volume.array[::2, ::2, ::2]
        return Volume(coarse < 0, self.bone.volume.affine @ np.diag([2.0, 2.0, 2.0, 1.0]))

    @property
    def labels(self) -> Volume:
        return self.mask.with_array(2 * self.mask.array.astype(np.uint8))

    def mirrored(self) -> "AxisBone":
        """Seen in a mirror; ``solids`` stay as they are."""
        turned = MIRROR[:3, :3]
        f = self.frame
        frame = VertebralFrame(turned @ f.origin, -turned @ f.right, turned @ f.anterior, turned @ f.superior)
        poses = {}
        for side, other in zip(SIDES, SIDES[::-1], strict=True):
            pose = self.poses[other]
            lines = (pose.isthmus, pose.outwards, pose.forwards, pose.upwards)
            poses[side] = PediclePose(side, *(turned @ line for line in lines))
        bone = SignedDistance(Volume(self.bone.volume.array, MIRROR @ self.bone.volume.affine))
        return AxisBone(self.solids, bone, frame, poses)


@cache
def axis_bone(seed: int, variant=None) -> AxisBone:
    solids = axis_solids(seed, variant=variant)
    frame = true_frame(solids)
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = frame.axes * STEP_MM, frame.to_ras(LOW_MM)
    shape = tuple(int(n) for n in np.ceil((HIGH_MM - LOW_MM) / STEP_MM) + 1)
    grid = Volume(np.zeros(shape, np.uint8), affine)
    points = {
        side: solids.to_patient([solids.pedicle(side).at(mm) for mm in (-BEHIND_MM, 0.0, AHEAD_MM)]) for side in SIDES
    }
    bone = SignedDistance(grid.with_array(-signed_depth(solids, grid).array))
    return AxisBone(solids, bone, frame, poses_of(points))


@cache
def _truth(case: AxisBone, side) -> PedicleFeasibility:
    return measure_side(case.solids, side, 0)
