"""Simulated patients before the X-ray tube, constructs of screws in them, and their radiographs."""

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import angle_deg
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.phantoms.xray import generator_hash, make_patient, pair_of, patients_hash
from spinescrew.phantoms.xray.construct import draw_construct
from spinescrew.phantoms.xray.shot import HEAD, SHAFT, draw_view
from spinescrew.radiographs.metal import metal_path


def plan():
    """Screws of L3 to L5 in a row, 35 mm apart."""
    shape = ScrewShape(6.5, 45.0)
    return {
        (level, side): Screw((sign * 22.0, 0.0, -35.0 * n), (-sign * 0.3, 1.0, 0.0), shape)
        for n, level in enumerate((Level.L3, Level.L4, Level.L5))
        for side, sign in (("left", -1), ("right", 1))
    }


@pytest.fixture(scope="module")
def patient():
    return make_patient(3, spacing_mm=4.0)


@pytest.fixture(scope="module")
def pair(patient):
    return pair_of(patient.ct, patient.screws, 5, "realistic", labels=patient.labels)


def test_a_patient_is_whole_and_every_screw_lies_in_its_vertebra(patient):
    assert {int(level) for level, _ in patient.screws} <= set(np.unique(patient.labels.array).tolist())
    edges = [patient.ct.array[0], patient.ct.array[-1], patient.ct.array[:, -1]]
    assert all((edge < -900).mean() > 0.95 for edge in edges)
    for (level, _), screw in patient.screws.items():
        middle = (screw.entry + screw.tip) / 2
        voxel = tuple(np.round(patient.labels.ras_to_index(middle[None])[0]).astype(int))
        assert patient.labels.array[voxel] == level


def test_the_same_seed_gives_the_same_pair(patient, pair):
    again = pair_of(patient.ct, patient.screws, 5, "realistic", labels=patient.labels)
    for one, other in zip(pair.radiographs, again.radiographs, strict=True):
        assert np.array_equal(one.pixels, other.pixels)


def test_styles_of_one_seed_show_the_same_screws_from_the_same_places(patient, pair):
    clean = pair_of(patient.ct, patient.screws, 5, "clean")
    assert np.allclose([s.entry for s in clean.screws], [s.entry for s in pair.screws])
    assert np.allclose(clean.true_views[1].source, pair.true_views[1].source)


def test_every_screw_is_lit_and_its_shaft_runs_from_neck_to_tip(pair):
    for shot in pair.shots:
        assert shot.shows(shot.necks).all()
        assert shot.shows(shot.tips).all()
        middles = np.rint((shot.necks + shot.tips) / 2).astype(int)
        assert (shot.classes[middles[:, 1], middles[:, 0]] > 0).all()


def test_pixels_are_of_the_part_whose_metal_their_ray_meets(pair):
    shot = pair.shots[1]
    shafts = sum(metal_path(shot.view, *each.shaft) for each in shot.construct.implants)
    assert (shafts[shot.classes == SHAFT] > 0).all()
    assert (shot.classes == HEAD).sum() > 200


def test_a_calibration_with_errors_moves_the_given_views_only(patient, pair):
    wrong = pair_of(patient.ct, patient.screws, 5, "realistic", error=(1.0, 2.0))
    assert np.allclose(wrong.true_views[0].source, pair.true_views[0].source)
    for true, given in zip(wrong.true_views, wrong.given, strict=True):
        assert angle_deg(true.normal, given.normal) <= 1.0 + 1e-6
        assert np.linalg.norm(true.source - given.source) > 0.5


def test_the_angle_between_the_views_can_be_chosen(patient):
    pair = pair_of(patient.ct, patient.screws, 5, "clean", between_deg=40.0)
    assert 25.0 < pair.true_views[0].angle_to(pair.true_views[1]) < 60.0


def test_a_hand_of_no_error_keeps_entries_and_directions():
    construct = draw_construct(plan(), np.random.default_rng(4), hand=0.0)
    for each in construct.implants:
        wanted = plan()[each.level, each.side]
        assert angle_deg(each.screw.direction, wanted.direction) < 1e-6
        along = (wanted.entry - each.screw.entry) @ wanted.direction
        assert 0.0 <= along <= 2.0
        assert np.linalg.norm(wanted.entry - each.screw.entry - along * wanted.direction) < 1e-9


def test_heads_stand_within_the_reach_of_their_joint_and_take_the_rod():
    for seed in range(12):
        construct = draw_construct(plan(), np.random.default_rng(seed), rods=True)
        for each in construct.implants:
            assert angle_deg(each.head[:3, 2], each.screw.direction) < each.design.range_deg + 2.0
        assert all(points.shape[1] == 3 for points, _ in construct.rods)


def test_constructs_have_at_least_two_screws_and_no_more_than_asked_for():
    counts = [len(draw_construct(plan(), np.random.default_rng(seed), most=4).implants) for seed in range(30)]
    assert min(counts) >= 2
    assert max(counts) <= 4


@pytest.mark.parametrize(("kind", "name"), [("ap", "AP"), ("lateral", "LAT"), ("film ap", "AP")])
def test_views_are_called_what_they_were_drawn_as(kind, name):
    drawn = [draw_view(kind, np.zeros(3), np.random.default_rng(seed)).name for seed in range(10)]
    assert drawn.count(name) >= 8


def test_hashes_tell_patients_and_radiographs_apart():
    assert patients_hash().startswith("sha256:")
    assert generator_hash() != patients_hash()
