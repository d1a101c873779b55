import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.frame import screw_angles
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms import make_spine_phantom, reference_screws
from spinescrew.phantoms.morphometry import LEVELS, draw_sizes


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(11, spacing=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def spine(phantom):
    return build_spine(phantom.labels, None, (Level.L2, Level.L3, Level.L4))


def test_the_same_seed_gives_the_same_spine(phantom):
    again = make_spine_phantom(11, spacing=(1.0, 1.0, 1.0))
    assert np.array_equal(again.labels.array, phantom.labels.array)
    assert np.array_equal(again.ct.array, phantom.ct.array)


def test_every_level_is_there_under_its_verse_id(phantom):
    assert {int(v) for v in np.unique(phantom.labels.array)} == {0, *(level.value for level in LEVELS)}


def test_sizes_vary_around_their_means():
    drawn = [draw_sizes(np.random.default_rng(seed))[Level.L3] for seed in range(200)]
    widths = np.array([sizes.pedicle_width for sizes in drawn])
    assert widths.mean() == pytest.approx(10.3, abs=0.3)
    assert 0.8 < widths.std() < 2.0
    assert np.std([sizes.pta for sizes in drawn]) == pytest.approx(3.0, abs=0.6)


def test_vertebrae_leave_a_joint_between_them(phantom):
    for upper, lower in ((Level.L3, Level.L4), (Level.L5, Level.S1)):
        index = np.argwhere(phantom.labels.array == upper.value)[::7]
        points = phantom.labels.index_to_ras(index)
        assert phantom.distance(lower, points).min() > 1.5


def test_densities_are_those_of_tissue(phantom):
    bone = phantom.ct.array[phantom.labels.array == Level.L3.value]
    assert 100 < np.median(bone) < 700
    assert abs(np.median(phantom.ct.array[phantom.labels.array == 0]) - 52) < 15


def test_measured_pedicles_are_those_that_were_built(phantom, spine):
    for level in (Level.L2, Level.L3, Level.L4):
        for side, truth in phantom.truth[level].pedicles.items():
            found = spine.vertebrae[level].pedicles[side]
            assert found.width_mm == pytest.approx(truth.width_mm, abs=0.6)
            assert found.height_mm == pytest.approx(truth.height_mm, abs=0.8)
            assert found.pta_deg == pytest.approx(truth.pta_deg, abs=3.0)
            across = found.isthmus - truth.isthmus
            across = across - (across @ truth.axis) * truth.axis
            assert np.linalg.norm(across) < 0.7


def test_measured_frames_are_those_that_were_built(phantom, spine):
    for level in (Level.L2, Level.L3, Level.L4):
        found, truth = spine.vertebrae[level].frame, phantom.truth[level].frame
        assert np.degrees(np.arccos(found.superior @ truth.superior)) < 1.5
        assert np.degrees(np.arccos(found.anterior @ truth.anterior)) < 1.5
        assert np.linalg.norm(found.origin - truth.origin) < 1.5


def test_joints_and_canal_are_found(phantom, spine):
    vertebra = spine.vertebrae[Level.L3]
    assert set(vertebra.facets) == {"left", "right"}
    assert all(1.0 < joint.gap_mm < 3.5 for joint in vertebra.facets.values())
    assert vertebra.canal.width_mm == pytest.approx(phantom.truth[Level.L3].sizes.canal_width, abs=2.0)


@pytest.mark.parametrize("trajectory", ["straight-forward", "anatomic"])
def test_reference_screws_follow_the_analytic_axis_inside_bone(phantom, trajectory):
    screws = reference_screws(phantom, trajectory)
    assert len(screws) >= 12
    for (level, side), screw in screws.items():
        truth = phantom.truth[level]
        angles = screw_angles(screw.direction, truth.frame, side)
        assert angles.pta == pytest.approx(truth.pedicles[side].pta_deg, abs=1e-6)
        assert angles.psa == pytest.approx(
            0.0 if trajectory == "straight-forward" else truth.pedicles[side].psa_deg, abs=1e-6
        )
        t = np.arange(3.0 + screw.shape.radius_mm, screw.shape.length_mm, 1.0)
        axis = screw.entry + t[:, None] * screw.direction
        assert phantom.distance(level, axis).max() < 0
        assert abs(phantom.distance(level, screw.entry[None])[0]) < 0.5
        assert 60 < 100 * screw.shape.diameter_mm / min(truth.pedicles[side].width_mm, 99) < 81 or level in (
            Level.L4,
            Level.L5,
            Level.S1,
        )


def test_operator_noise_tilts_by_what_was_asked(phantom):
    clean, noisy = reference_screws(phantom), reference_screws(phantom, noise_deg=1.5, seed=4)
    tilts = [np.degrees(np.arccos(clean[key].direction @ noisy[key].direction)) for key in clean if key in noisy]
    assert 0.5 < np.mean(tilts) < 4.0
