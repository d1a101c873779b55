"""One bone brought to where radiographs show it, by damped least squares on the slopes of its projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spinescrew.outcome.bone import Bone
from spinescrew.outcome.patches import Patch
from spinescrew.outcome.similarity import Compared, Windows

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

LEVER_MM = 25.0
"""About half a vertebra: a turn by this many mm at that distance counts as much as a shift by as much."""

_SAMPLES_SHARE = 0.8
"""Samples on a ray for each voxel of the box's longest edge: about one a voxel, as most rays cross less of it."""

_LEAST_STEP_MM = 0.03
_DAMPED_AT_FIRST = 0.03


class Fitted(NamedTuple):
    """A pose (4, 4) and how well it fits: ``loss`` is 1 less the squared local correlation, mean of the views.

    ``normal`` (6, 6) is the sum of squared slopes over the views, per radian and mm.
    """

    pose: Floats
    loss: float
    correlations: tuple[float, ...]
    normal: Floats
    pixels: tuple[float, ...]


class Prior(NamedTuple):
    """Where a bone is expected, and standard deviations about it: mm of its centre, degrees of turn.

    ``independent`` is how many pixels lie in a window: so many are taken to err together.
    """

    pose: Floats
    mm: float
    degrees: float
    independent: float


class Drawn:
    """A bone ready to be projected into patches."""

    def __init__(self, bone: Bone) -> None:
        import torch

        from spinescrew.networks.projection import with_gradient

        self.bone, self.centre = bone, bone.centre
        affine = bone.volume.affine.copy()
        affine[:3, 3] -= bone.centre
        self.affine = torch.as_tensor(affine, dtype=torch.float32)
        self.volume = torch.as_tensor(bone.volume.array)
        self.field = with_gradient(self.volume, self.affine)
        self.samples = int(np.ceil(_SAMPLES_SHARE * max(bone.volume.shape)))

    def image(self, patch: Patch, pose: Floats) -> Field:
        """The projection (rows, columns) of the bone in its ``pose``."""
        import torch

        from spinescrew.networks.projection import line_integrals

        source, targets = self._rays(patch, pose)
        with torch.no_grad():
            found = line_integrals(self.volume, self.affine, source, targets, samples=self.samples)
        return np.asarray(found.numpy().reshape(patch.view.shape))

    def with_slopes(self, patch: Patch, pose: Floats) -> tuple[Field, Field]:
        """The projection, and (6, rows, columns) its slopes by small motions about the bone's centre, in its frame."""
        import torch

        from spinescrew.networks.projection import integrals_and_slopes

        source, targets = self._rays(patch, pose)
        values, slopes = integrals_and_slopes(
            self.field, self.affine, source, targets, torch.zeros(3), samples=self.samples
        )
        shape = patch.view.shape
        return values.numpy().reshape(shape), slopes.numpy().T.reshape(6, *shape)

    def _rays(self, patch: Patch, pose: Floats) -> tuple[Tensor, Tensor]:
        import torch

        def local(points: Floats) -> Any:
            inner = (points - pose[:3, 3]) @ pose[:3, :3] - self.centre
            return torch.as_tensor(inner, dtype=torch.float32)

        return local(patch.view.source), local(patch.targets)


def moved(pose: Floats, centre: Floats, step: Any) -> Floats:
    """``pose`` after a motion of the bone in its own frame: (6,) rotation vector about ``centre`` (rad), shift (mm)."""
    values = np.asarray(step, dtype=np.float64)
    inner = np.eye(4)
    inner[:3, :3] = Rotation.from_rotvec(values[:3]).as_matrix()
    inner[:3, 3] = centre + values[3:] - inner[:3, :3] @ centre
    return np.asarray(pose @ inner)


def refine(
    drawn: Drawn,
    windows: Sequence[Windows],
    behind: Sequence[Field],
    pose: Floats,
    most_steps: int = 15,
    prior: Prior | None = None,
) -> Fitted:
    """Improve ``pose`` until a step moves the bone by less than 0.03 mm.

    Parameters
    ----------
    windows:
        One patch for each view.
    behind:
        What else is projected into each patch (rows, columns): the neighbours.
    prior:
        Keeps the bone about where it is expected, as far as the images leave doubt.
    """
    damping = _DAMPED_AT_FIRST
    fitted, pull = judge(drawn, windows, behind, pose, True, prior)
    for _ in range(most_steps):
        scaled = fitted.normal + damping * np.diag(np.diag(fitted.normal) + 1e-12)
        step = _bounded(np.linalg.solve(scaled, pull))
        tried, tried_pull = judge(drawn, windows, behind, moved(fitted.pose, drawn.centre, step), True, prior)
        if tried.loss < fitted.loss:
            fitted, pull, damping = tried, tried_pull, max(damping / 4, 1e-4)
        else:
            damping *= 5
        if _size(step) < _LEAST_STEP_MM or damping > 1e3:
            break
    return fitted


def judge(
    drawn: Drawn,
    windows: Sequence[Windows],
    behind: Sequence[Field],
    pose: Floats,
    slopes: bool = False,
    prior: Prior | None = None,
) -> tuple[Fitted, Floats]:
    """How well a pose fits, and (6,) the pull towards a better one (zero without ``slopes``)."""
    found: list[Compared] = []
    for window, other in zip(windows, behind, strict=True):
        if slopes:
            own, change = drawn.with_slopes(window.patch, pose)
            found.append(window.compare(own + other, change))
        else:
            own = drawn.image(window.patch, pose)
            found.append(window.compare(own + other))
    loss, normal, pull = 0.0, np.zeros((6, 6)), np.zeros(6)
    for each in found:
        share = 1.0 / max(each.total, 1e-6) / len(found)
        loss += share * each.loss if each.total > 0 else 1.0 / len(found)
        normal += share * each.normal
        pull += share * each.pull
    totals = tuple(each.total for each in found)
    if prior is not None:
        off = offset(prior.pose, pose, drawn.centre)
        spread = np.repeat([np.radians(prior.degrees), prior.mm], 3)
        noise = loss * prior.independent / max(sum(totals), 1e-6)
        weights = noise / spread**2
        loss += float(weights @ off**2)
        normal += np.diag(weights)
        pull -= weights * off
    return Fitted(pose, loss, tuple(each.correlation for each in found), normal, totals), pull


def offset(before: Floats, after: Floats, centre: Floats) -> Floats:
    """(6,) the motion of the bone in its own frame between two poses: turn (rad) and shift of its ``centre`` (mm)."""
    change = np.linalg.inv(before) @ after
    turn = Rotation.from_matrix(change[:3, :3]).as_rotvec()
    return np.concatenate([turn, change[:3, :3] @ centre + change[:3, 3] - centre])


def _size(step: Floats) -> float:
    return float(np.hypot(LEVER_MM * np.linalg.norm(step[:3]), np.linalg.norm(step[3:])))


def _bounded(step: Any, most_mm: float = 8.0) -> Floats:
    size = _size(step)
    return np.asarray(step if size <= most_mm else step * (most_mm / size))
