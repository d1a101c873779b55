"""A small analytic spine, so that reports are tested without segmentation, measuring or planning."""

from __future__ import annotations

import numpy as np

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles, screw_angles, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.grading.assessment import Assessment, Breach, GradeRange
from spinescrew.grading.scales import NOT_GRADABLE, gertzbein_robbins
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning.plan import Plan, PlannedScrew

PITCH_MM = 37.0
LOW, HIGH = np.array((-52.0, -80.0, -42.0)), np.array((52.0, 32.0, 42.0))
LEVELS = (Level.L1, Level.L2, Level.L3)


def capsule(points, start, end, radius):
    a, b = np.asarray(start, float), np.asarray(end, float)
    t = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return np.linalg.norm(points - a - t[:, None] * (b - a), axis=1) - radius


def vertebra_distance(points):
    """Signed distance to a plain lumbar vertebra in (right, anterior, superior) mm from its body's centre."""
    p = np.column_stack([np.abs(points[:, 0]), points[:, 1], points[:, 2]])
    rim = np.hypot(p[:, 0] / 24.0, p[:, 1] / 17.0)
    parts = [np.maximum((rim - 1.0) * 17.0, np.abs(p[:, 2]) - 13.5)]
    parts.append(capsule(p * (1, 1, 0.62), (13, -8, 4), (17, -26, 4), 4.6))
    parts.append(capsule(p * (1, 1, 0.5), (17, -28, 1), (3, -42, -2), 4.0))
    parts.append(capsule(p, (18, -27, 3), (39, -31, 5), 4.0))
    parts.append(capsule(p, (19, -29, 4), (17, -31, 19), 5.0))
    parts.append(capsule(p, (15, -34, -6), (13, -37, -21), 4.6))
    parts.append(capsule(p * (1, 1, 0.45), (0, -42, -3), (0, -66, -5), 3.6))
    return np.min(parts, axis=0)


def make_vertebra(level: Level, tilt_deg: float) -> Vertebra:
    axes = rotation((1, 0, 0), tilt_deg)
    origin = np.array([0.0, 0.0, -PITCH_MM * LEVELS.index(level)])
    frame = VertebralFrame(origin, *axes.T)

    def distance(points):
        return vertebra_distance(frame.to_local(points))

    bone = SignedDistance.from_function(distance, origin + LOW, origin + HIGH, 1.0)
    pedicles = {}
    for side in ("left", "right"):
        sign = side_sign(side)
        axis = direction_from_angles(12.5, 0.0, frame, side)
        angles = screw_angles(axis, frame, side)
        isthmus = frame.to_ras((sign * 15.0, -17.0, 6.0))
        medial = -sign * frame.right
        sizes = {"width_mm": 9.2, "height_mm": 14.6, "inner_width_mm": 6.4, "inner_height_mm": 11.0}
        pedicles[side] = Pedicle(
            side,
            isthmus,
            axis,
            medial,
            **sizes,
            inner_source="assumed walls",
            junction_mm=6.0,
            dorsal_mm=-17.0,
            chord_mm=52.0,
            pta_deg=angles.pta,
            psa_deg=angles.psa,
        )
    missing = {"facet left": "L1 is the topmost vertebra in view", "facet right": "L1 is the topmost vertebra in view"}
    return Vertebra(level, bone, frame, pedicles, missing=missing if level == Level.L1 else {}, interpedicular_mm=22.0)


def half_voxel_range(breach_mm: float) -> GradeRange:
    low, high = max(breach_mm - 0.4, 0.0), max(breach_mm or -1.4, -1.4) + 0.4
    return GradeRange(low, max(high, 0.0), gertzbein_robbins(low), gertzbein_robbins(high), 0.4)


def make_assessment(screw: Screw, vertebra: Vertebra, side: str, letter: str, with_ct: bool) -> Assessment:
    breach_mm = {"A": 0.0, "B": 1.3, "C": 2.6}.get(letter, 0.0)
    gradable = letter != NOT_GRADABLE
    outwards = side_sign(side) * vertebra.frame.right
    place = screw.entry + 16.0 * screw.direction + screw.shape.radius_mm * outwards
    breach = Breach(breach_mm, breach_mm or -1.4, "lateral" if breach_mm else None, 16.0, tuple(map(float, place)))
    angles = screw_angles(screw.direction, vertebra.frame, side)
    hu = tuple(280.0 - 6.0 * n for n in range(20)) if with_ct else (None,) * 20
    around = tuple(220.0 + 80.0 * np.sin(n / 12 * 2 * np.pi) for n in range(12)) if with_ct else (None,) * 12
    topmost = vertebra.level == Level.L1
    reasons = {"facet_grade": "L1 is the topmost vertebra in view"} if topmost else {}
    if not gradable:
        reasons["gertzbein_robbins"] = "the field of view cuts the right pedicle"
    return Assessment(
        gertzbein_robbins=letter,
        breach=breach if gradable else None,
        breach_by_direction={"medial": 0.0, "lateral": breach_mm, "superior": 0.0, "inferior": 0.0},
        grade_range=half_voxel_range(breach_mm) if gradable else None,
        body_breaches={"anterior": 0.0, "lateral": 0.0, "endplate": 0.0},
        facet_grade=NOT_GRADABLE if topmost else 0,
        facet_gap_mm=None if topmost else 3.2,
        facet_penetration_mm=None if topmost else 0.0,
        head_facet_gap_mm=None if topmost else float("nan"),
        zdichavsky="Ia" if gradable else NOT_GRADABLE,
        pedicle_fraction=1.0 if gradable else None,
        body_fraction=1.0,
        ravi=1 if gradable else NOT_GRADABLE,
        heary=1 if gradable else NOT_GRADABLE,
        canal_clearance_mm=3.4,
        neighbour_screw_clearance_mm=8.0,
        neighbour_bone_overlap_mm={},
        pta_deg=angles.pta,
        psa_deg=angles.psa,
        psa_elevation_deg=angles.psa_elevation,
        depth_percent=77.6,
        channel_mm=58.0,
        fill_percent=70.7 if gradable else None,
        bone_contact_percent=97.0,
        mean_hu=214.0 if with_ct else None,
        min_hu=-31.0 if with_ct else None,
        hu_by_depth=hu,
        hu_by_angle=around,
        contact_by_depth=tuple(1.0 if n else 0.4 for n in range(20)),
        contact_by_angle=(1.0,) * 12,
        voxel_spacing_mm=(0.8, 0.8, 0.8),
        zone_mm=(3.0, 22.0) if gradable else None,
        reasons=reasons,
    )


LETTERS_OF = {
    (Level.L1, "left"): "A",
    (Level.L1, "right"): NOT_GRADABLE,
    (Level.L2, "left"): "A",
    (Level.L2, "right"): "C",
    (Level.L3, "left"): "B",
}
NARROW = "the pedicle is too narrow: 3.9 mm at its isthmus, the thinnest screw is 4.5 mm"


def make_plan(spine: Spine) -> Plan:
    rows = []
    for (level, side), letter in LETTERS_OF.items():
        vertebra = spine.vertebrae[level]
        outwards = {"B": 2.0, "C": 3.6}.get(letter, 0.0)
        direction = direction_from_angles(12.5, 0.0, vertebra.frame, side)
        middle = vertebra.pedicles[side].isthmus + outwards * side_sign(side) * vertebra.frame.right
        screw = Screw(middle - 15.0 * direction, direction, ScrewShape(6.5, 45.0, item="generic-6.5x45"))
        rows.append(
            PlannedScrew(
                level, side, screw, assessment=make_assessment(screw, vertebra, side, letter, spine.ct is not None)
            )
        )
    rows.append(PlannedScrew(Level.L3, "right", reason=NARROW))
    return Plan(
        tuple(rows),
        parameters={"trajectory": "straight-forward"},
        input_hash={"labels": "sha256:" + "ab12" * 16, "ct": None},
        timings_s={"measure the vertebrae": 2.31, "search the corridors": 4.02},
        created="2026-11-20T10:15:00+00:00",
    )


def make_mask_spine() -> Spine:
    """L1-L3 without a CT."""
    vertebrae = {level: make_vertebra(level, 4.0 * n) for n, level in enumerate(LEVELS)}
    affine = np.diag([0.8, 0.8, 0.8, 1.0])
    affine[:3, 3] = (-60.0, -85.0, -120.0)
    labels = Volume(np.zeros((150, 160, 210), np.int16), affine)
    return Spine(vertebrae, labels)
