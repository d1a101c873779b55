"""Plans on real anatomy. What holds here is what the table in Docs/real-cases.md shows."""

import os
from functools import cache
from pathlib import Path

import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.anatomy.morphometry import USUAL_BAND_DEG, usual_pedicle
from spinescrew.anatomy.numbering import to_verse
from spinescrew.images import read_image, read_labels
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.planner import plan_spine
from spinescrew.planning.search import permitted_diameters

FOLDER = os.environ.get("SPINESCREW_REAL_CASES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="SPINESCREW_REAL_CASES is not set")


@cache
def spine(labels, levels, numbering="auto", ct=None):
    volume = to_verse(read_labels(Path(FOLDER) / labels), numbering)
    image = read_image(Path(FOLDER) / ct) if ct else None
    return build_spine(volume, image, parse_levels(levels))


@cache
def planned(labels, levels, numbering="auto", ct=None, trajectory="straight-forward"):
    found = spine(labels, levels, numbering, ct)
    return plan_spine(found, parse_levels(levels), PlanningOptions(trajectory=trajectory))


LUMBOSACRAL = ("mask_lumbosacral/vertebrae.nii.gz", "L1-S1")
THORACOLUMBAR = ("mask_t9_l5/vertebrae.nii.gz", "T9-L5")
CT_3MM = ("ct_lumbosacral_3mm/totalsegmentator.nii.gz", "L1-S1", "totalsegmentator-v2", "ct_lumbosacral_3mm/ct.nii.gz")
CT_L3 = ("ct_l3_1.5mm/vertebrae.nii.gz", "L3", "auto", "ct_l3_1.5mm/ct.nii.gz")


def good(row):
    """GR A that counts: with 70-80 % depth and the largest permitted diameter."""
    found = row.assessment
    return found is not None and found.gertzbein_robbins == "A" and 70.0 <= round(found.depth_percent, 1) <= 80.0


def largest(row, options, vertebra):
    return row.screw.shape.diameter_mm == permitted_diameters(row.level, vertebra.pedicles[row.side], options)[0]


def test_every_lumbosacral_screw_is_planned_inside_the_pedicle():
    plan = planned(*LUMBOSACRAL)
    assert len(plan.planned) == 12
    assert all(good(row) for row in plan.planned)


def test_lumbosacral_screws_are_as_thick_as_permitted():
    vertebrae = spine(*LUMBOSACRAL).vertebrae
    assert all(largest(row, PlanningOptions(), vertebrae[row.level]) for row in planned(*LUMBOSACRAL).planned)


def test_lumbosacral_facets_are_spared_and_the_topmost_is_not_gradable():
    for row in planned(*LUMBOSACRAL).planned:
        assert row.assessment.facet_grade == ("not gradable" if row.level is Level.L1 else 0)
    assert "not in view" in planned(*LUMBOSACRAL).get(Level.L1, "left").assessment.reasons["facet_grade"]


def test_thoracolumbar_screws_stay_inside_even_beside_a_fracture():
    plan = planned(*THORACOLUMBAR)
    assert sum(good(row) for row in plan.planned) >= 17
    for row in plan.planned:
        if row.level is Level.T9:
            assert row.assessment.facet_grade == "not gradable"
    assert sum(row.assessment.facet_grade == 0 for row in plan.planned if row.level is not Level.T9) >= 15


@pytest.mark.parametrize("case", [LUMBOSACRAL, THORACOLUMBAR])
def test_transverse_angles_are_usual_for_their_level(case):
    for row in planned(*case).planned:
        assert abs(row.assessment.pta_deg - usual_pedicle(row.level).pta_deg) <= USUAL_BAND_DEG


@pytest.mark.parametrize("case", [LUMBOSACRAL, THORACOLUMBAR])
def test_anatomic_screws_follow_the_pedicle_of_their_own_vertebra(case):
    plan, vertebrae = planned(*case, trajectory="anatomic"), spine(*case).vertebrae
    # The body of the fractured L1 of the thoracolumbar mask is too low for its pedicles' own direction.
    rows = [row for row in plan.planned if not (case is THORACOLUMBAR and row.level is Level.L1)]
    assert len(rows) >= 12
    for row in rows:
        assert abs(row.assessment.psa_deg - vertebrae[row.level].pedicles[row.side].psa_deg) <= 8.0


def test_a_coarse_network_segmentation_is_planned_with_its_uncertainty():
    plan = planned(*CT_3MM)
    assert len(plan.planned) == 12
    for row in plan.planned:
        assert row.assessment.grade_range.half_voxel_mm == pytest.approx(1.5, abs=0.01)
        assert row.assessment.mean_hu is not None


def test_a_cropped_ct_gives_densities():
    plan = planned(*CT_L3)
    assert len(plan.planned) == 2
    assert all(good(row) and 0 < row.assessment.mean_hu < 1200 for row in plan.planned)


def test_vertebrae_cut_by_the_slab_are_refused_with_the_reason():
    plan = planned("dicom_thoracolumbar.totalsegmentator.nii.gz", "T11-T12", "totalsegmentator-v2")
    assert not plan.planned
    assert len(plan.screws) == 4
    assert all("cut by the field of view" in row.reason for row in plan.screws)
