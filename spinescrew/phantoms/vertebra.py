"""One vertebra as an implicit solid in its own frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, direction_from_angles, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.morphometry import VertebraSizes
from spinescrew.phantoms.shapes import Values, blend, body, capsule, ellipsoid, elliptic_channel, elliptic_tube

Floats = NDArray[np.float64]

_FILLET_MM = 2.5
_FLARE = 0.45
_DORSAL_MM = 15.0
_VENTRAL_MM = 18.0
_OWN = VertebralFrame(np.zeros(3), *np.eye(3))


@dataclass(frozen=True, eq=False)
class VertebraShape:
    """The solid of one level. Points and directions are in its own frame, origin at the centre of the body."""

    level: Level
    sizes: VertebraSizes

    @property
    def sacral(self) -> bool:
        """Whether this is the sacrum."""
        return self.level is Level.S1

    @property
    def _rise(self) -> float:
        """How far the superior articular process stands above the endplate: less on the sacrum, under lordotic L5."""
        return 1.0 if self.sacral else 8.0

    def isthmus(self, side: Side) -> Floats:
        """Centre of the narrowest section of the pedicle."""
        z = self.sizes
        half = 0.5 * z.pedicle_width / np.cos(np.radians(z.pta))
        right = 0.5 * z.canal_width + (10.0 if self.sacral else half)
        up = 0.5 * z.height - 0.5 * z.pedicle_height - 1.0
        return np.array([side_sign(side) * right, -0.5 * z.depth - (2.0 if self.sacral else 4.0), up])

    def axis(self, side: Side) -> Floats:
        """Unit direction of the pedicle axis, from posterior to anterior."""
        return direction_from_angles(self.sizes.pta, self.sizes.psa, _OWN, side)

    def dorsal(self, side: Side) -> Floats:
        """Where the pedicle ends in the articular mass: near the entry of a screw."""
        return self.isthmus(side) - (_DORSAL_MM - 3.0) * self.axis(side)

    def facet_target(self, side: Side) -> Floats:
        """Where the inferior process of the vertebra above reaches: behind and medial of the superior process."""
        back = self.dorsal(side)
        z = self.sizes
        inner = abs(back[0]) - 9.0
        return np.array([side_sign(side) * inner, back[1] - 4.5, 0.5 * z.height + self._rise - 2.0])

    def distance(self, points: Values) -> Values:
        """About the signed distance (n,) in mm, without what the joint with the vertebra below takes away."""
        z = self.sizes
        solid = body(points, z.width, z.depth, z.height, 0.0 if self.sacral else 0.06)
        for side in SIDES:
            solid = self._side(points, solid, side)
        solid = blend(solid, self._arch(points), _FILLET_MM)
        if self.sacral:
            solid = blend(solid, self._lower_sacrum(points), _FILLET_MM)
        canal = elliptic_channel(
            points, (0.0, -0.5 * z.depth - 0.5 * z.canal_depth), (0.5 * z.canal_width, 0.5 * z.canal_depth)
        )
        return np.maximum(solid, -canal)

    def _side(self, points: Values, solid: Values, side: Side) -> Values:
        z, sign = self.sizes, side_sign(side)
        axis, centre, back = self.axis(side), self.isthmus(side), self.dorsal(side)
        across = np.cross(axis, (0.0, 0.0, 1.0))
        across /= np.linalg.norm(across)
        half = (0.5 * z.pedicle_width, 0.5 * z.pedicle_height)
        flare = _FLARE * min(1.0, 11.0 / z.pedicle_width)
        tube = elliptic_tube(points, centre, axis, across, half, (-_DORSAL_MM, _VENTRAL_MM), flare)
        solid = blend(solid, tube, _FILLET_MM)
        top = np.array([sign * (abs(back[0]) + 0.5), back[1] + 1.0, 0.5 * z.height + self._rise])
        superior = capsule(points, back + (0.0, 0.0, 3.0), top, 5.0)
        solid = blend(solid, superior, _FILLET_MM)
        if self.sacral:
            ala = ellipsoid(points, (sign * 36.0, -7.0, -1.0), (24.0, 16.0, 14.0))
            return blend(solid, ala, 6.0)
        tip = np.array([sign * (abs(back[0]) + z.process), back[1] - 3.0, back[2] + 2.0])
        process = capsule(points, back + (sign * 2.0, 3.0, 0.0), tip, 4.2, (1.0, 1.2, 0.8))
        solid = blend(solid, process, _FILLET_MM)
        low = np.array([sign * (0.5 * z.canal_width), -0.5 * z.depth - z.canal_depth - 3.0, -0.5 * z.height])
        pars = capsule(points, back + (0.0, 0.0, -2.0), low, 5.0)
        return blend(solid, pars, _FILLET_MM)

    def _arch(self, points: Values) -> Values:
        """Laminae and spinous process (on the sacrum the median crest)."""
        z = self.sizes
        back = -0.5 * z.depth - z.canal_depth - 4.5
        low = -0.35 * z.height
        arch: Values | None = None
        for side in SIDES:
            start = self.dorsal(side) + (0.0, 0.0, -7.0)
            lamina = capsule(points, start, (0.0, back, low), 4.0, (1.0, 1.0, 0.5))
            arch = lamina if arch is None else blend(arch, lamina, _FILLET_MM)
        spine = capsule(points, (0.0, back, low), (0.0, back - z.spinous, low - 4.0), 3.5, (1.0, 1.0, 0.4))
        assert arch is not None
        return blend(arch, spine, _FILLET_MM)

    def _lower_sacrum(self, points: Values) -> Values:
        """S2 to S5: a wedge that narrows and curves backwards."""
        z = self.sizes
        top, end = (0.0, -2.0, -0.5 * z.height), (0.0, -0.5 * z.depth - 16.0, -0.5 * z.height - 62.0)
        s = points[:, 2]
        narrow = np.clip((s + 0.5 * z.height) / -70.0, 0.0, 1.0)[:, None]
        stretched = points * np.concatenate([0.36 + 0.5 * narrow, np.ones_like(narrow), np.ones_like(narrow)], axis=1)
        return capsule(stretched.astype(np.float32), top, end, 13.0)

    def inferior_process(self, points: Values, start: Floats, target: Floats) -> Values:
        """The inferior articular process that reaches for the joint below; both ends in this vertebra's frame."""
        return capsule(points, start, target, 5.0)
