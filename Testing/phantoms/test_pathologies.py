"""Every pathology can be asked for and does what it says: measured on the exact shapes, or in the image."""

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.phantoms.pathology import HEALTHY, PATHOLOGIES, afflict
from spinescrew.phantoms.solid_spine import build_solids, extent, stack
from spinescrew.phantoms.training_case import make_training_case
from spinescrew.phantoms.variation import TRAINING, draw_patient
from spinescrew.phantoms.warp import Warp

SEEDS = range(4)
COARSE = (3.0, 3.0, 3.0)


def smooth_spine(seed, pathology):
    """The spine of a seed without deformation and roughness, so that its measures are its design's."""
    random = np.random.default_rng(seed)
    patient = afflict(draw_patient(random), random, TRAINING, pathology)
    low, high = extent(stack(patient, np.eye(3)))
    still = Warp.draw(random, low, high, (60.0, 15.0), (0.0, 0.0))
    return build_solids(patient, still, (5.0, 0.0), 1, np.eye(3))


def level_of(spine, name):
    return next(trait.levels[0] for trait in spine.patient.traits if trait.name.startswith(name))


def height_at(spine, level, ahead):
    """Height of a body at a share of its half depth in front of its centre."""
    sizes = spine.patient.builds[level].sizes
    s = np.arange(-30.0, 30.0, 0.1)
    line = np.column_stack([np.zeros_like(s), np.full_like(s, ahead * 0.5 * sizes.depth), s])
    return 0.1 * (spine.distance(level, spine.frames[level].to_ras(line)) < 0).sum()


def tilt_deg(spine, level):
    superior = spine.frames[level].superior
    return np.degrees(np.arctan2(superior[0], superior[2]))


def cobb_deg(spine):
    tilts = [tilt_deg(spine, level) for level in spine.frames]
    return max(tilts) - min(tilts)


def samples(spine, level, count=40000):
    half = np.array([60.0, 70.0, 40.0])
    local = np.random.default_rng(0).uniform(-half, half, (count, 3))
    inside = spine.distance(level, spine.frames[level].to_ras(local)) < 0
    return local[inside]


def rim_radii(spine, level):
    """How far the lower rim of a body reaches from its axis, in front and at its sides."""
    turns = np.radians(np.arange(10.0, 171.0, 8.0))
    reach = np.arange(5.0, 45.0, 0.1)
    rays = reach[:, None, None] * np.stack([np.cos(turns), np.sin(turns), np.zeros_like(turns)], axis=-1)
    rim = rays + (0.0, 0.0, 2.0 - 0.5 * spine.patient.builds[level].sizes.height)
    inside = spine.distance(level, spine.frames[level].to_ras(rim.reshape(-1, 3))).reshape(len(reach), -1) < 0
    return reach[len(reach) - 1 - np.argmax(inside[::-1], axis=0)]


@pytest.mark.parametrize("seed", SEEDS)
def test_scoliosis_bends_the_spine_in_the_coronal_plane(seed):
    assert 14.0 < cobb_deg(smooth_spine(seed, "scoliosis")) < 60.0
    assert cobb_deg(smooth_spine(seed, HEALTHY)) < 12.0


@pytest.mark.parametrize("seed", SEEDS)
def test_scoliotic_vertebrae_turn_towards_the_convex_side(seed):
    spine = smooth_spine(seed, "scoliosis")
    upper, lower = next(trait.levels for trait in spine.patient.traits if trait.name == "scoliosis")
    between = [level for level in spine.frames if upper < level < lower]
    apex = between[len(between) // 2]
    ends = (spine.frames[upper].origin + spine.frames[lower].origin) / 2
    convex = np.sign(spine.frames[apex].origin[0] - ends[0])
    facing = spine.frames[apex].anterior[0] - spine.frames[lower].anterior[0]
    assert facing * convex > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slipped_vertebra_stands_forward(seed):
    spine = smooth_spine(seed, "spondylolisthesis")
    level = level_of(spine, "spondylolisthesis")
    below = list(spine.frames)[list(spine.frames).index(level) + 1]
    depth = spine.patient.builds[level].sizes.depth
    foot = spine.frames[level].to_ras((0.0, -0.5 * depth, -0.5 * spine.patient.builds[level].sizes.height))
    behind = spine.frames[below].to_local(foot)[1] + 0.5 * spine.patient.builds[below].sizes.depth
    assert 0.08 < behind / depth < 0.45


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wedge_fracture_lowers_the_front(seed):
    spine = smooth_spine(seed, "wedge fracture")
    level = level_of(spine, "wedge")
    ratio = height_at(spine, level, 0.7) / height_at(spine, level, -0.7)
    whole = smooth_spine(seed, HEALTHY)
    assert ratio < 0.9
    assert ratio < height_at(whole, level, 0.7) / height_at(whole, level, -0.7) - 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_degenerate_discs_are_low(seed):
    spine, whole = smooth_spine(seed, "degenerate discs"), smooth_spine(seed, HEALTHY)
    levels = {trait.levels[0] for trait in spine.patient.traits if trait.name.startswith("degenerate")}
    assert levels
    for level in levels:
        assert spine.patient.builds[level].sizes.disc < 0.6 * whole.patient.builds[level].sizes.disc
        order = list(spine.frames)
        below = order[order.index(level) + 1]
        apart = [np.linalg.norm(each.frames[level].origin - each.frames[below].origin) for each in (spine, whole)]
        assert apart[0] < apart[1] - 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_osteophytes_stand_out_of_the_rims(seed):
    spiky, whole = (rim_radii(smooth_spine(seed, name), Level.L3) for name in ("osteophytes", HEALTHY))
    assert (spiky - whole).mean() > 0.5
    assert (spiky - whole).max() > 1.2


@pytest.mark.parametrize("seed", SEEDS)
def test_overgrown_facets_are_bulkier(seed):
    spine, whole = smooth_spine(seed, "facet overgrowth"), smooth_spine(seed, HEALTHY)
    behind = [
        (samples(each, Level.L4)[:, 1] < -0.6 * each.patient.builds[Level.L4].sizes.depth).sum()
        for each in (spine, whole)
    ]
    assert behind[0] > 1.05 * behind[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sacralised_fifth_lumbar_has_processes_as_broad_as_an_ala(seed):
    spine, whole = smooth_spine(seed, "sacralised L5"), smooth_spine(seed, HEALTHY)
    lateral = []
    for each in (spine, whole):
        bone = samples(each, Level.L5)
        beside = bone[np.abs(bone[:, 0]) > 0.5 * each.patient.builds[Level.L5].sizes.width + 8.0]
        lateral.append(len(beside))
    assert lateral[0] > 2 * lateral[1]


def test_a_sixth_lumbar_stands_between_the_fifth_and_the_sacrum():
    case = make_training_case(1, spacing=COARSE, pathology="L6")
    heights = [np.argwhere(case.labels.array == level.value)[:, 2].mean() for level in (Level.S1, Level.L6, Level.L5)]
    assert heights == sorted(heights)
    assert "L6" in case.traits
    assert (Level.L6, "left") in case.landmarks


def deep_marrow_hu(case):
    """Median HU well inside the bodies."""
    values = []
    for level in {level for level, _ in case.landmarks} - {Level.S1}:
        exits = [case.landmarks[level, side][1] for side in ("left", "right") if (level, side) in case.landmarks]
        entries = [case.landmarks[level, side][0] for side in ("left", "right") if (level, side) in case.landmarks]
        at = case.ct.ras_to_index(0.75 * np.mean(exits, axis=0) + 0.25 * np.mean(entries, axis=0)).round().astype(int)
        box = tuple(slice(max(n - 1, 0), n + 2) for n in at)
        values.append(np.median(case.ct.array[box]))
    return float(np.median(values))


def test_osteoporosis_is_seen_in_the_marrow():
    thin = [make_training_case(seed, spacing=COARSE, pathology="osteoporosis") for seed in range(3)]
    assert all("osteoporosis" in case.traits for case in thin)
    found = [deep_marrow_hu(case) for case in thin]
    whole = [deep_marrow_hu(make_training_case(seed, spacing=COARSE, pathology=HEALTHY)) for seed in range(3)]
    assert max(found) < 125.0
    assert np.mean(whole) > np.mean(found) + 50.0


def test_metal_is_bright_and_throws_streaks():
    case = make_training_case(3, spacing=COARSE, pathology="metal")
    plain = make_training_case(3, spacing=COARSE, pathology=HEALTHY)
    assert "metal" in case.traits
    assert np.array_equal(case.labels.array, plain.labels.array)
    assert (case.ct.array > 2500).sum() > 20
    assert (plain.ct.array > 2500).sum() == 0
    changed = np.abs(case.ct.array.astype(int) - plain.ct.array) > 60
    assert changed.sum() > 3 * (case.ct.array > 2500).sum()


@pytest.mark.parametrize("name", [*PATHOLOGIES, HEALTHY])
def test_a_pathology_comes_alone_and_in_view(name):
    case = make_training_case(17, spacing=(4.0, 4.0, 4.0), pathology=name)
    short = {"wedge fracture": "wedge", "degenerate discs": "degenerate disc"}
    named = {other for other in PATHOLOGIES if any(t.startswith(short.get(other, other)) for t in case.traits)}
    assert named == ({name} - {HEALTHY})


def test_an_unknown_pathology_is_refused_with_what_there_is():
    with pytest.raises(InputError, match="no pathology 'gout'; use one of healthy, scoliosis"):
        make_training_case(1, pathology="gout")
