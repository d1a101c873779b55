"""One simulated patient in one simulated scanner, with labels, landmarks and reference screws: training material."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.metal import add_streaks, implants, paint_metal
from spinescrew.phantoms.other_bones import other_solids
from spinescrew.phantoms.paint_bones import EVERYWHERE, BoneLook, paint_bone
from spinescrew.phantoms.paint_tissue import around, coarse_grid, grid_points, paint_tissues
from spinescrew.phantoms.pathology import HEALTHY, afflict
from spinescrew.phantoms.pedicle_truth import TrueSpine, landmarks, measure_truth
from spinescrew.phantoms.reference import reference_screws
from spinescrew.phantoms.scanner import HIGHEST_HU, LOWEST_HU, THICK_MM, Scanner, draw_scanner, scan
from spinescrew.phantoms.soft_spine import spine_tissues
from spinescrew.phantoms.solid_spine import SolidSpine, build_solids, extent, stack
from spinescrew.phantoms.surroundings import Trunk, draw_trunk, tissues
from spinescrew.phantoms.variation import HELD_OUT, TRAINING, Manner, Patient, draw_patient
from spinescrew.phantoms.view import body_corners, draw_view
from spinescrew.phantoms.warp import Warp
from spinescrew.progress import Progress

Floats = NDArray[np.float64]
Points = dict[tuple[Level, Side], tuple[Floats, Floats]]

_WIDE_MM, _NARROW_MM, _COLUMN_MM = 6.0, 3.0, 42.0
_METAL_SHARE = 0.06
_METAL_HU = 8000.0
_STREAM = 4001

METAL = "metal"


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """A simulated CT and everything that is true of it.

    Attributes
    ----------
    ct:
        int16 HU, as a scanner would give it.
    labels:
        VerSe ids on the grid of ``ct`` (int16): every vertebra in view, also those that are cut.
    landmarks:
        Entry and exit (3,) RAS mm of the straight-forward channel of every pedicle in view, exact (see
        :func:`spinescrew.phantoms.pedicle_truth.landmarks`).
    screws:
        Reference screws as :func:`reference_screws` makes them; a pedicle too narrow for the catalogue has none.
    traits:
        What is special in view: ``"scoliosis"``, ``"wedge L1"``, ``"L6"``, ``"metal"``, ``"contrast"``,
        ``"thick slices"`` (above 2 mm).
    """

    seed: int
    ct: Volume
    labels: Volume
    landmarks: Points
    screws: dict[tuple[Level, Side], Screw]
    traits: tuple[str, ...]


def make_training_case(
    seed: int,
    *,
    held_out: bool = False,
    spacing: tuple[float, float, float] | None = None,
    pathology: str | None = None,
    sacrum: Literal["whole", "S1"] = "whole",
    progress: Progress | None = None,
) -> TrainingCase:
    """A case T8-S1, or a part of that, drawn from published morphometry; the same seed gives the same case.

    Parameters
    ----------
    held_out:
        Draw shapes and scanners from ranges that training never draws from.
    spacing:
        Voxel size in mm along right-left, anterior-posterior and superior-inferior; ``None`` draws a scanner's.
        Patient and scanner of a seed are the same at every spacing, only the field of view may be smaller.
    pathology:
        A name of :data:`spinescrew.phantoms.pathology.PATHOLOGIES`, ``"metal"`` or ``"healthy"``, alone; ``None``
        draws a mixture.
    sacrum:
        What is labelled S1: the whole sacrum as VerSe has it, or its first segment between the alae as
        TotalSegmentator's ``vertebrae_S1``.

    Raises
    ------
    InputError
        If there is no such pathology.
    """
    progress = progress or Progress()
    manner = HELD_OUT if held_out else TRAINING
    *_, where, beside, machine, operator = _streams(seed, held_out)
    wants_metal = operator.random() < _METAL_SHARE if pathology is None else pathology == METAL
    spine = exact_solids(seed, held_out=held_out, pathology=pathology)
    patient = spine.patient
    wanted = {level for trait in patient.traits for level in trait.levels} if pathology else set()
    trunk = draw_trunk(beside, patient.age)
    scanner = draw_scanner(machine, manner, spacing)
    view = draw_view(spine, scanner.spacing, trunk.girth, wanted, where)
    progress.update(0.1, "shapes drawn")
    true = measure_truth(spine, _whole_levels(spine, view))
    points, screws = _targets(true, view)
    hu, label_array = _paint(spine, trunk, view, scanner, manner, sacrum, beside, progress.part(0.15, 0.8))
    rods = implants(_instrumented(screws, operator), operator) if wants_metal else []
    mask = paint_metal(hu, rods, _METAL_HU)
    image = scan(hu.array, scanner, machine)
    if rods:
        add_streaks(image, mask[:, :, scanner.parts // 2 :: scanner.parts], operator, float(operator.uniform(150, 600)))
    progress.update(1.0, "case made")
    ct = np.clip(np.round(image), LOWEST_HU, HIGHEST_HU).astype(np.int16)
    about = {"modality": "CT", "corrections": [], "notes": []}
    named = {"modality": "labels", "corrections": [], "numbering": "verse, built in"}
    traits = _traits(patient, set(np.unique(label_array).tolist()), trunk, scanner, bool(rods))
    return TrainingCase(
        seed, Volume(ct, view.affine, about), Volume(label_array, view.affine, named), points, screws, traits
    )


def exact_solids(seed: int, *, held_out: bool = False, pathology: str | None = None) -> SolidSpine:
    """The exact shapes of the vertebrae that :func:`make_training_case` paints for the same arguments."""
    manner = HELD_OUT if held_out else TRAINING
    who, shape, *_ = _streams(seed, held_out)
    return _deform(
        afflict(draw_patient(who, manner), who, manner, HEALTHY if pathology == METAL else pathology), manner, shape
    )


def generator_hash() -> str:
    """``sha256:...`` of the generator's own sources: cases made under the same hash are the same cases."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return f"sha256:{digest.hexdigest()}"


def _streams(seed: int, held_out: bool) -> list[np.random.Generator]:
    """Of the patient, its shapes, the view, its surroundings, the scanner and an earlier operation."""
    return [np.random.default_rng(stream) for stream in np.random.SeedSequence([seed, _STREAM, held_out]).spawn(6)]


def _deform(patient: Patient, manner: Manner, random: np.random.Generator) -> SolidSpine:
    tilt = rotation((1, 0, 0), 4.0 * random.normal()) @ rotation((0, 1, 0), 2.5 * random.normal())
    tilt = tilt @ rotation((0, 0, 1), 4.0 * random.normal())
    low, high = extent(stack(patient, tilt))
    sizes = tuple(float(random.uniform(*each)) for each in manner.warp_sizes)
    amounts = tuple(float(random.uniform(*each)) for each in manner.warp_amounts)
    warp = Warp.draw(random, low, high, (sizes[0], sizes[1]), (amounts[0], amounts[1]))
    rough = (float(random.uniform(*manner.rough[0])), float(random.uniform(*manner.rough[1])))
    return build_solids(patient, warp, rough, int(random.integers(1 << 24)), tilt)


def _whole_levels(spine: SolidSpine, view: Volume) -> tuple[Level, ...]:
    """Levels whose body lies in the image."""
    return tuple(level for level in spine.patient.levels if view.contains(body_corners(spine, level)).all())


def _targets(true: TrueSpine, view: Volume) -> tuple[Points, dict[tuple[Level, Side], Screw]]:
    """Landmarks and screws of the pedicles whose channel lies in the image; one without bone in its middle has none."""
    solid = [(level, side) for level in true.truth for side in SIDES if true.truth[level].pedicles[side].width_mm > 0]
    found = {(level, side): landmarks(true, level, side) for level, side in solid}
    points = {key: pair for key, pair in found.items() if view.contains(np.array(pair), margin_mm=1.0).all()}
    return points, {key: screw for key, screw in reference_screws(true).items() if key in points}


def _paint(
    spine: SolidSpine,
    trunk: Trunk,
    view: Volume,
    scanner: Scanner,
    manner: Manner,
    sacrum: str,
    random: np.random.Generator,
    progress: Progress,
) -> tuple[Volume, NDArray[np.int16]]:
    """HU in the scanner's fine slices, and labels on the grid of the image."""
    hu = _fine_grid(view, scanner)
    labels = np.zeros(hu.shape, np.int16)
    hu.array[:] = LOWEST_HU
    in_plane = float(np.mean(hu.spacing[:2]))
    soft = in_plane if in_plane < 1.5 else float(random.uniform(1.3, in_plane))
    wide = coarse_grid(hu, _WIDE_MM)
    points = grid_points(wide)
    layers = tissues(spine, trunk, spine.warp.to_model(points), points, random)
    paint_tissues(hu, wide, layers, soft, trunk.seed)
    column = around(hu, spine.warp.to_patient([frame.origin for frame in spine.frames.values()]), _COLUMN_MM)
    narrow = coarse_grid(column, _NARROW_MM)
    layers = spine_tissues(spine, spine.warp.to_model(grid_points(narrow)), random)
    paint_tissues(column, narrow, layers, soft, trunk.seed)
    progress.update(0.4, "soft tissue painted")
    look = _look(spine.patient, manner, random)
    others = other_solids(spine, trunk, random)
    bones = [(solid, 0) for solid in others] + [(solid, int(level)) for level, solid in spine.solids.items()]
    for n, (solid, value) in enumerate(bones):
        progress.update(0.4 + 0.6 * n / len(bones), "bones painted")
        named = _first_segment(spine) if value == Level.S1 and sacrum == "S1" else EVERYWHERE
        paint_bone(hu, labels, solid, spine.warp, look, value, soft, named)
    return hu, np.ascontiguousarray(labels[:, :, scanner.parts // 2 :: scanner.parts])


def _first_segment(spine: SolidSpine) -> tuple[float, float]:
    """Half width and lower end of S1 between the alae, in the sacrum's frame."""
    sizes = spine.patient.builds[Level.S1].sizes
    return 0.5 * sizes.width + 6.0, -0.5 * sizes.height - 2.0


def _fine_grid(view: Volume, scanner: Scanner) -> Volume:
    """The image's grid with every slice cut into the scanner's parts; the middle one lies where the slice does."""
    step = scanner.painted[2]
    affine = np.diag([*scanner.painted, 1.0])
    affine[:3, 3] = view.affine[:3, 3] - (0.0, 0.0, (scanner.parts // 2) * step)
    ni, nj, nk = view.shape
    return Volume(np.empty((ni, nj, nk * scanner.parts), np.float32), affine)


def _look(patient: Patient, manner: Manner, random: np.random.Generator) -> BoneLook:
    grain = float(random.uniform(0.15, 0.45)) * (60.0 + 0.6 * patient.marrow)
    return BoneLook(
        marrow=patient.marrow,
        cortex=patient.cortex,
        cortex_mm=patient.cortex_mm,
        trabecula=(float(random.uniform(*manner.trabecula)), grain),
        sclerosis=float(random.uniform(20.0, 180.0)),
        vein=float(random.uniform(20.0, 120.0)),
    )


def _instrumented(screws: dict[tuple[Level, Side], Screw], random: np.random.Generator) -> Sequence[Screw]:
    """The screws of two to four neighbouring levels."""
    levels = list(dict.fromkeys(level for level, _ in screws))
    count = min(int(random.integers(2, 5)), len(levels))
    first = int(random.integers(0, len(levels) - count + 1))
    chosen = levels[first : first + count]
    return [screw for (level, _), screw in screws.items() if level in chosen]


def _traits(patient: Patient, seen: set[int], trunk: Trunk, scanner: Scanner, metal: bool) -> tuple[str, ...]:
    of_patient = [trait.name for trait in patient.traits if not trait.levels or seen & set(trait.levels)]
    told = {
        "contrast": trunk.contrast is not None,
        "metal": metal,
        "thick slices": scanner.slice_mm > THICK_MM,
        f"kernel {scanner.kernel}": True,
    }
    return (*of_patient, *(name for name, holds in told.items() if holds))
