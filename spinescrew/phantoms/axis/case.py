"""One simulated neck in one simulated scanner, with labels and the true feasibility of both C2 pedicles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis.morphometry import AXIS_HELD_OUT, AXIS_TRAINING, AxisPatient, Variant
from spinescrew.phantoms.axis.solid import AxisSolids, true_frame
from spinescrew.phantoms.axis.steering import axis_solids, streams
from spinescrew.phantoms.axis.tissue import Neck, draw_neck, near_tissues, wide_tissues
from spinescrew.phantoms.axis.truth import Hand, PedicleFeasibility, measure_side
from spinescrew.phantoms.metal import add_streaks, paint_metal
from spinescrew.phantoms.paint_bones import EVERYWHERE, BoneLook, paint_bone
from spinescrew.phantoms.paint_tissue import around, coarse_grid, grid_points, paint_tissues
from spinescrew.phantoms.scanner import HIGHEST_HU, LOWEST_HU, Scanner, draw_scanner, scan
from spinescrew.phantoms.training_case import _fine_grid  # its name is frozen with its file
from spinescrew.phantoms.variation import Manner

Floats = NDArray[np.float64]
Rod = tuple[Floats, Floats, float]

PEDICLE_LABELS: dict[Side, int] = {"left": 1, "right": 2}
"""Values of :attr:`AxisCase.pedicles`."""

CROP_MM = (90.0, 90.0, 80.0)

_STEPS_MM = (0.6, 0.75, 1.0, 1.0, 1.25, 1.5, 2.0, 2.0, 3.0, 3.0)
_WIDE_MM, _NARROW_MM, _COLUMN_MM = 3.0, 1.5, 30.0
_METAL_SHARE, _METAL_HU = 0.04, 8000.0
_PEDICLE_MM = (-9.0, 9.0)


@dataclass(frozen=True, eq=False)
class AxisCase:
    """A simulated CT of the upper neck and everything that is true of C2 in it.

    Attributes
    ----------
    ct:
        int16 HU, as a scanner would give it; its axes run to the right, forward and up.
    labels:
        VerSe ids on the grid of ``ct`` (int16).
    pedicles:
        The part of C2 between arch and body on either side (uint8, :data:`PEDICLE_LABELS`).
    frame:
        True frame of C2.
    truth:
        By side.
    solids:
        The exact shapes.
    traits:
        What is special: variants of the patient, ``"metal"``, ``"contrast"``, the scanner's kernel.
    """

    seed: int
    ct: Volume
    labels: Volume
    pedicles: Volume
    frame: VertebralFrame
    truth: dict[Side, PedicleFeasibility]
    patient: AxisPatient
    scanner: Scanner
    solids: AxisSolids
    traits: tuple[str, ...]


def make_axis_case(
    seed: int,
    *,
    held_out: bool = False,
    slice_mm: float | None = None,
    border_share: float = 0.5,
    variant: Variant | None = None,
    crop: tuple[float, float, float] = CROP_MM,
    hand: Hand | None = None,
) -> AxisCase:
    """A case drawn from published morphometry; the same arguments give the same case.

    Parameters
    ----------
    held_out:
        Draw shapes and scanners from ranges that training never draws from.
    slice_mm:
        Slice thickness and spacing; ``None`` draws a scanner's. The patient of a seed is the same at every one.
    border_share:
        Share of the sides whose pedicle is made about as wide as the screw needs: within 1 mm of the published cut-off
        (:data:`BORDER_MM`); 0 gives the population as published.
    variant:
        What is special about the patient; ``None`` draws it. Then no side is steered.
    crop:
        Field of view in mm, right-left, front-back, up-down, around C2.

    Raises
    ------
    InputError
        If there is no such variant, or a figure makes no sense.
    """
    if not 0.0 <= border_share <= 1.0 or min(crop) < 40.0:
        raise InputError("border_share lies between 0 and 1, and a crop around C2 needs 40 mm along every axis")
    hand = hand or Hand()
    beside, machine, operator = streams(seed, held_out)[2:]
    manner = AXIS_HELD_OUT if held_out else AXIS_TRAINING
    solids, truth = _patient(seed, held_out, border_share, variant, hand)
    frame = true_frame(solids)
    scanner = _draw_scanner(machine, manner, slice_mm)
    view = _view(frame.origin, scanner, crop, operator)
    neck = draw_neck(beside, solids.patient.age)
    hu, labels = _paint(solids, neck, view, scanner, manner, beside)
    rods = _rods(frame, operator) if operator.random() < _METAL_SHARE else []
    mask = paint_metal(hu, rods, _METAL_HU)
    image = scan(hu.array, scanner, machine)
    if rods:
        add_streaks(image, mask[:, :, scanner.parts // 2 :: scanner.parts], operator, float(operator.uniform(100, 400)))
    ct = np.clip(np.round(image), LOWEST_HU, HIGHEST_HU).astype(np.int16)
    label_volume = Volume(
        labels, view.affine, {"modality": "labels", "corrections": [], "numbering": "verse, built in"}
    )
    told = {"contrast": neck.contrast, "metal": bool(rods), f"kernel {scanner.kernel}": True}
    return AxisCase(
        seed=seed,
        ct=Volume(ct, view.affine, {"modality": "CT", "corrections": [], "notes": []}),
        labels=label_volume,
        pedicles=label_volume.with_array(_pedicle_mask(solids, label_volume)),
        frame=frame,
        truth=dict(truth),
        patient=solids.patient,
        scanner=scanner,
        solids=solids,
        traits=(*solids.patient.variants, *(name for name, holds in told.items() if holds)),
    )


@lru_cache(maxsize=1)
def _patient(
    seed: int, held_out: bool, border_share: float, variant: Variant | None, hand: Hand
) -> tuple[AxisSolids, dict[Side, PedicleFeasibility]]:
    """Shapes and truth, kept for the next scan of the same patient."""
    solids = axis_solids(seed, held_out=held_out, border_share=border_share, variant=variant, hand=hand)
    return solids, {side: measure_side(solids, side, seed, hand) for side in SIDES}


def generator_hash() -> str:
    """``sha256:...`` of the sources of this generator and of the lumbar one whose parts it uses."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in (*sorted(here.parent.glob("*.py")), *sorted(here.glob("*.py"))):
        digest.update(path.relative_to(here.parent).as_posix().encode())
        digest.update(path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _draw_scanner(random: np.random.Generator, manner: Manner, slice_mm: float | None) -> Scanner:
    """A scanner of the lumbar cases, with the finer voxels a neck is looked at with."""
    drawn = draw_scanner(random, manner, None)
    pixel, step = float(random.uniform(0.3, 0.75)), float(random.choice(_STEPS_MM))
    overlap = float(random.choice([1.0, 1.0, 1.25]))
    thick = slice_mm or min(step * overlap, 3.5)
    return replace(drawn, spacing=(pixel, pixel, slice_mm or step), slice_mm=thick)


def _view(centre: Floats, scanner: Scanner, crop: tuple[float, float, float], random: np.random.Generator) -> Volume:
    """The imaged box around C2, which stands somewhat behind and above its middle."""
    size = np.array(crop)
    shape = np.maximum(1, np.round(size / scanner.spacing)).astype(int)
    affine = np.diag([*scanner.spacing, 1.0])
    middle = centre + (0.0, -0.10 * size[1], 0.04 * size[2]) + random.normal(0.0, 2.0, 3)
    affine[:3, 3] = middle - 0.5 * (shape - 1) * np.array(scanner.spacing)
    return Volume(np.empty(tuple(int(n) for n in shape), np.uint8), affine)


def _paint(
    solids: AxisSolids, neck: Neck, view: Volume, scanner: Scanner, manner: Manner, random: np.random.Generator
) -> tuple[Volume, NDArray[np.int16]]:
    """HU in the scanner's fine slices, and labels on the grid of the image."""
    hu = _fine_grid(view, scanner)
    labels = np.zeros(hu.shape, np.int16)
    hu.array[:] = LOWEST_HU
    soft = float(np.mean(hu.spacing[:2]))
    wide = coarse_grid(hu, _WIDE_MM)
    paint_tissues(hu, wide, wide_tissues(solids, neck, solids.warp.to_model(grid_points(wide))), soft, neck.seed)
    middle = solids.to_patient([(0.0, -8.0, 40.0), (0.0, -8.0, -40.0)])
    column = around(hu, middle, _COLUMN_MM)
    narrow = coarse_grid(column, _NARROW_MM)
    paint_tissues(
        column, narrow, near_tissues(solids, neck, solids.warp.to_model(grid_points(narrow))), soft, neck.seed
    )
    look = _look(solids.patient, manner, random)
    bones = [(solid, 0) for solid in solids.others] + [(solid, int(level)) for level, solid in solids.solids.items()]
    for solid, value in bones:
        paint_bone(hu, labels, solid, solids.warp, look, value, soft, EVERYWHERE)
    return hu, np.ascontiguousarray(labels[:, :, scanner.parts // 2 :: scanner.parts])


def _look(patient: AxisPatient, manner: Manner, random: np.random.Generator) -> BoneLook:
    grain = float(random.uniform(0.15, 0.4)) * (60.0 + 0.6 * patient.marrow)
    return BoneLook(
        marrow=patient.marrow,
        cortex=patient.cortex,
        cortex_mm=patient.cortex_mm,
        trabecula=(float(random.uniform(*manner.trabecula)), grain),
        sclerosis=float(random.uniform(20.0, 150.0)),
        vein=float(random.uniform(0.0, 60.0)),
    )


def _pedicle_mask(solids: AxisSolids, labels: Volume) -> NDArray[np.uint8]:
    """Voxels of C2 around the pedicles' axes, from behind the isthmus to the body."""
    out = np.zeros(labels.shape, np.uint8)
    index = np.argwhere(labels.array == Level.C2)
    local = solids.own.to_local(solids.warp.to_model(labels.index_to_ras(index)))
    for side in SIDES:
        pedicle = solids.pedicle(side)
        arm = local - pedicle.isthmus
        along = arm @ pedicle.axis
        across = arm @ pedicle.outwards
        up = arm @ np.cross(pedicle.outwards, pedicle.axis)
        room = 0.5 * pedicle.sizes.width + 2.5, 0.5 * pedicle.sizes.height + 2.0
        inside = (along > _PEDICLE_MM[0]) & (along < _PEDICLE_MM[1]) & (np.hypot(across / room[0], up / room[1]) < 1.0)
        out[tuple(index[inside].T)] = PEDICLE_LABELS[side]
    return out


def _rods(frame: VertebralFrame, random: np.random.Generator) -> list[Rod]:
    """Metal of another operation: wires round the posterior arches, a dens screw, or dental work in front."""
    kind = int(random.integers(3))
    if kind == 0:
        local = [((0.0, 6.0, -9.0), (float(random.normal(0, 1.5)), 0.0, 22.0), 1.8)]
    elif kind == 1:
        side = side_sign(SIDES[int(random.integers(2))])
        local = [
            ((side * 6.0, -26.0, 8.0), (side * 5.0, -34.0, -12.0), 0.7),
            ((side * 9.0, -26.0, 8.0), (side * 8.0, -34.0, -12.0), 0.7),
        ]
    else:
        local = [((x, 48.0, 20.0 + float(random.normal(0, 2))), (x + 5.0, 50.0, 22.0), 3.0) for x in (-22.0, 20.0)]
    return [(frame.to_ras(start), frame.to_ras(end), radius) for start, end, radius in local]
