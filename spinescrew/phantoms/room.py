"""Places around a spine: where a point lies beside it, and the smooth functions that bound soft tissue there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.kernels import lumps_at, noise_all
from spinescrew.phantoms.solid_spine import SolidSpine

Floats = NDArray[np.float64]


class Room:
    """Points of the model (n, 3) and where they lie along the spine; all functions give (n,) mm."""

    def __init__(self, spine: SolidSpine, points: Floats, seed: int) -> None:
        self.points = points
        self.x, self.y, self.z = points.T
        self._seed = seed
        frames = list(spine.frames.values())[::-1]
        heights = np.array([frame.origin[2] for frame in frames])
        builds = list(spine.patient.builds.values())[::-1]
        self.middle = np.interp(self.z, heights, [frame.origin[0] for frame in frames])
        self.front = np.interp(self.z, heights, [frame.origin[1] for frame in frames])
        self.half_width = np.interp(self.z, heights, [0.5 * build.sizes.width for build in builds])
        self.half_depth = np.interp(self.z, heights, [0.5 * build.sizes.depth for build in builds])
        self.usual_front = float(np.median([frame.origin[1] for frame in frames]))
        self.back = self._behind(spine)
        self.heights = {level: float(frame.origin[2]) for level, frame in spine.frames.items()}

    def _behind(self, spine: SolidSpine) -> Floats:
        """Anterior coordinate of the tips of the spinous processes and of the sacrum's back, a little smoothed."""
        tips = []
        for level, frame in spine.frames.items():
            sizes = spine.patient.builds[level].sizes
            reach = -0.5 * sizes.depth - sizes.canal_depth - 5.0
            tips.append(frame.to_ras((0.0, reach - sizes.spinous, -0.35 * sizes.height)))
        tips += [spine.frames[Level.S1].to_ras((0.0, -42.0 - 5.0 * n, -20.0 - 18.0 * n)) for n in range(4)]
        z, y = np.array(sorted((tip[2], tip[1]) for tip in tips)).T
        steps = np.arange(z[0] - 100.0, z[-1] + 100.0, 5.0)
        deepest = minimum_filter1d(np.interp(steps, z, y), 5, mode="nearest")
        return np.asarray(np.interp(self.z, steps, gaussian_filter1d(deepest, 5.0, mode="nearest")))

    def noise(self, size: float, amount: float) -> Floats:
        """Another smooth random field with each call."""
        self._seed += 1
        out = np.empty(len(self.points))
        noise_all(self.points, size, self._seed, out)
        return amount * out

    def column(self, right: Floats | float, ahead: Floats | float, radii: tuple[Floats | float, float]) -> Floats:
        """An elliptic column beside the spine, its centre ``right`` and ``ahead`` of the bodies' centres."""
        u = (self.x - self.middle - right) / radii[0]
        v = (self.y - self.front - ahead) / radii[1]
        return np.asarray((np.hypot(u, v) - 1.0) * np.minimum(radii[0], radii[1]))

    def lumps(self, centres: Floats, radii: Floats) -> Floats:
        """The union of many ellipsoids (m, 3); beyond 10 mm only that it is far."""
        out = np.empty(len(self.points))
        lumps_at(self.points, centres, radii, out)
        return out

    def lump(self, centre: Floats, radii: Floats) -> Floats:
        """An ellipsoid."""
        return np.asarray((np.linalg.norm((self.points - centre) / radii, axis=1) - 1.0) * radii.min())

    def between(self, low: float, high: float) -> Floats:
        """A slab of the trunk between two heights."""
        return np.asarray(np.maximum(low - self.z, self.z - high))
