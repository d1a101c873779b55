"""One simulated patient as an X-ray beam meets it: the whole trunk from T8 to the pelvis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.other_bones import other_solids
from spinescrew.phantoms.paint_bones import BoneLook, paint_bone
from spinescrew.phantoms.paint_tissue import around, coarse_grid, grid_points, paint_tissues
from spinescrew.phantoms.pedicle_truth import TrueSpine, measure_truth
from spinescrew.phantoms.reference import reference_screws
from spinescrew.phantoms.soft_spine import spine_tissues
from spinescrew.phantoms.solid_spine import SolidSpine
from spinescrew.phantoms.surroundings import Trunk, draw_trunk, tissues
from spinescrew.phantoms.training_case import exact_solids
from spinescrew.phantoms.variation import HELD_OUT, TRAINING
from spinescrew.progress import Progress

Floats = NDArray[np.float64]

SPACING_MM = 1.6
_ABOVE_MM, _BELOW_MM, _RIM_MM = 25.0, 95.0, 12.0
_WIDE_MM, _NARROW_MM, _COLUMN_MM = 8.0, 3.0, 42.0
_AIR_HU = -1000
_STREAM = 7001


@dataclass(frozen=True, eq=False)
class XrayPatient:
    """A patient without implants.

    Attributes
    ----------
    ct:
        int16 HU without noise: what there is, not what a scanner would see.
    labels:
        VerSe ids (int16) on the grid of ``ct``.
    spine:
        Frames and pedicles, exact.
    screws:
        Straight-forward reference screws of every pedicle that takes one.
    """

    seed: int
    ct: Volume
    labels: Volume
    spine: TrueSpine
    screws: dict[tuple[Level, Side], Screw]


def make_patient(
    seed: int, *, held_out: bool = False, spacing_mm: float = SPACING_MM, progress: Progress | None = None
) -> XrayPatient:
    """The patient that :func:`spinescrew.phantoms.training_case.make_training_case` scans, whole and as he is.

    Parameters
    ----------
    held_out:
        Draw shapes from ranges that training never draws from.
    """
    progress = progress or Progress()
    manner = HELD_OUT if held_out else TRAINING
    spine = exact_solids(seed, held_out=held_out)
    random = np.random.default_rng([seed, _STREAM, held_out])
    trunk = draw_trunk(random, spine.patient.age)
    true = measure_truth(spine, spine.patient.levels)
    progress.update(0.2, "shapes drawn")
    hu = _grid(spine, trunk, spacing_mm)
    labels = np.zeros(hu.shape, np.int16)
    _paint_soft(hu, spine, trunk, random)
    progress.update(0.5, "soft tissue painted")
    grain = float(random.uniform(0.15, 0.45)) * (60.0 + 0.6 * spine.patient.marrow)
    look = BoneLook(
        marrow=spine.patient.marrow,
        cortex=spine.patient.cortex,
        cortex_mm=spine.patient.cortex_mm,
        trabecula=(float(random.uniform(*manner.trabecula)), grain),
        sclerosis=float(random.uniform(20.0, 180.0)),
        vein=float(random.uniform(20.0, 120.0)),
    )
    bones = [(solid, 0) for solid in other_solids(spine, trunk, random)]
    bones += [(solid, int(level)) for level, solid in spine.solids.items()]
    for n, (solid, value) in enumerate(bones):
        progress.update(0.5 + 0.5 * n / len(bones), "bones painted")
        paint_bone(hu, labels, solid, spine.warp, look, value, spacing_mm)
    ct = np.clip(np.round(hu.array), _AIR_HU, 3000).astype(np.int16)
    about = {"modality": "CT", "corrections": [], "notes": []}
    named = {"modality": "labels", "corrections": [], "numbering": "verse, built in"}
    return XrayPatient(
        seed, Volume(ct, hu.affine, about), Volume(labels, hu.affine, named), true, reference_screws(true)
    )


def _grid(spine: SolidSpine, trunk: Trunk, spacing_mm: float) -> Volume:
    """Air around all of the trunk."""
    origins = spine.warp.to_patient([frame.origin for frame in spine.frames.values()])
    low, high = origins.min(axis=0), origins.max(axis=0)
    wide, deep = trunk.girth
    middle = origins.mean(axis=0)
    start = np.array([middle[0] - wide - _RIM_MM, low[1] - deep - _RIM_MM, low[2] - _BELOW_MM])
    stop = np.array([middle[0] + wide + _RIM_MM, high[1] + 1.6 * deep + _RIM_MM, high[2] + _ABOVE_MM])
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = start
    shape = tuple(int(n) for n in np.ceil((stop - start) / spacing_mm))
    return Volume(np.full(shape, _AIR_HU, np.float32), affine)


def _paint_soft(hu: Volume, spine: SolidSpine, trunk: Trunk, random: np.random.Generator) -> None:
    soft = float(np.mean(hu.spacing))
    wide = coarse_grid(hu, _WIDE_MM)
    points = grid_points(wide)
    paint_tissues(hu, wide, tissues(spine, trunk, spine.warp.to_model(points), points, random), soft, trunk.seed)
    column = around(hu, spine.warp.to_patient([frame.origin for frame in spine.frames.values()]), _COLUMN_MM)
    narrow = coarse_grid(column, _NARROW_MM)
    layers = spine_tissues(spine, spine.warp.to_model(grid_points(narrow)), random)
    paint_tissues(column, narrow, layers, soft, trunk.seed)
