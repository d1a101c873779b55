"""A plan with everything a plan file has to carry, and the spine it belongs to."""

from __future__ import annotations

import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.grading.assessment import Assessment, Breach, ExecutionRisk, GradeRange
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning.plan import Plan, PlannedScrew


@pytest.fixture
def assessment() -> Assessment:
    return Assessment(
        gertzbein_robbins="B",
        breach=Breach(1.25, 1.25, "lateral", 17.5, (12.5, -30.25, 4.0)),
        breach_by_direction={"medial": 0.0, "lateral": 1.25, "superior": 0.0, "inferior": 0.0},
        grade_range=GradeRange(0.75, 1.75, "B", "B", 0.5),
        body_breaches={"anterior": 0.0},
        facet_grade="not gradable",
        facet_gap_mm=None,
        facet_penetration_mm=None,
        head_facet_gap_mm=3.5,
        zdichavsky="Ia",
        pedicle_fraction=0.9,
        body_fraction=1.0,
        ravi=2,
        heary=2,
        canal_clearance_mm=4.5,
        neighbour_screw_clearance_mm=float("nan"),
        neighbour_bone_overlap_mm={},
        pta_deg=15.5,
        psa_deg=float("nan"),
        psa_elevation_deg=1.25,
        depth_percent=79.5,
        channel_mm=56.5,
        fill_percent=72.0,
        bone_contact_percent=100.0,
        mean_hu=182.5,
        min_hu=-20.0,
        hu_by_depth=(1.5, None, 3.5),
        hu_by_angle=(2.0,),
        contact_by_depth=(1.0, 0.5),
        contact_by_angle=(1.0,),
        voxel_spacing_mm=(0.5, 0.5, 1.0),
        zone_mm=(3.0, 22.5),
        execution_risk=ExecutionRisk({"A": 0.9, "B": 0.1}, 500, 1.0, 2.0, 0),
        reasons={"facet_grade": "the vertebra above is not in view"},
        notes=("thin cortex",),
    )


@pytest.fixture
def plan(assessment) -> Plan:
    awkward = np.array([-31.123456789012345, 1e-7, 1403.9999999999999])
    left = Screw(awkward, np.array([0.31, 0.9, -0.17]), ScrewShape(6.5, 45.0, item="generic 6.5 x 45"))
    other = ScrewShape(6.2, 43.7, tip_taper_mm=4.0, tip_radius_mm=0.7, tulip_diameter_mm=12.0, tulip_height_mm=16.0)
    right = Screw(np.array([20.0, -40.0, 1400.0]), np.array([-0.3, 0.9, 0.1]), other, notes=("typed",))
    return Plan(
        screws=(
            PlannedScrew(Level.T13, "right", reason="the pedicle is 3.1 mm wide, 4.0 mm are needed"),
            PlannedScrew(Level.L3, "left", left, assessment=assessment, reviewed=True, notes=("shifted for the rod",)),
            PlannedScrew(Level.L3, "right", right, planned_by="edited", locked=True),
        ),
        parameters={"trajectory": "anatomic", "maximum_diameter_mm": None, "grading": {"angles": 72}},
        input_hash={"labels": "sha256:abc", "ct": None},
        timings_s={"search": 1.25},
        created="2026-11-20T12:00:00+00:00",
        engine="geometry",
    )


@pytest.fixture
def spine() -> Spine:
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = Level.L3
    turn = rotation((0.3, 0.1, 1.0), 20.0)
    frame = VertebralFrame(np.zeros(3), *turn.T)
    pedicle = Pedicle(
        "right", np.zeros(3), frame.anterior, -frame.right, 8.0, 14.0, 6.0, 12.0, "assumed walls", 8, -14, 55, 15, 0
    )
    bone = SignedDistance(Volume(np.zeros((2, 2, 2), dtype=np.float32), np.eye(4)))
    vertebra = Vertebra(Level.L3, bone, frame, {"right": pedicle})
    return Spine({Level.L3: vertebra}, Volume(labels, np.diag([0.5, 0.5, 2.0, 1.0])))
