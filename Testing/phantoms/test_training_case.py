"""Cases to train on: the same for a seed, true to their exact solids, different when held out."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level
from spinescrew.grading.grade import assess
from spinescrew.phantoms.scanner import HIGHEST_HU, LOWEST_HU, draw_scanner, scan
from spinescrew.phantoms.training_case import exact_solids, generator_hash, make_training_case
from spinescrew.phantoms.variation import HELD_OUT, TRAINED_LEVELS, TRAINING, draw_patient
from spinescrew.progress import Cancelled, Progress

COARSE = (4.0, 4.0, 4.0)
SEED = 2


@pytest.fixture(scope="module")
def case():
    return make_training_case(SEED, spacing=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def solids():
    return exact_solids(SEED)


def test_the_same_seed_gives_the_same_case():
    first, again = (make_training_case(5, spacing=COARSE) for _ in range(2))
    assert np.array_equal(first.ct.array, again.ct.array)
    assert np.array_equal(first.labels.array, again.labels.array)
    assert first.traits == again.traits
    for key, pair in first.landmarks.items():
        assert np.array_equal(pair, again.landmarks[key])


def test_seeds_differ():
    shapes = {make_training_case(seed, spacing=COARSE).ct.content_hash() for seed in range(3)}
    assert len(shapes) == 3


def test_labels_agree_with_the_exact_solids(case, solids):
    random = np.random.default_rng(0)
    index = random.integers(0, case.labels.shape, (30000, 3))
    points = case.labels.index_to_ras(index)
    found = case.labels.array[tuple(index.T)]
    for level in solids.frames:
        d = solids.distance(level, points)
        clear = np.abs(d) > 0.02
        assert np.array_equal((found == level.value)[clear], (d < 0)[clear]), level


def test_labels_are_those_of_the_levels_and_lie_on_the_image(case):
    assert case.labels.same_grid(case.ct)
    assert case.labels.array.dtype == case.ct.array.dtype == np.int16
    assert set(np.unique(case.labels.array)) <= {0, *(level.value for level in (*TRAINED_LEVELS, Level.L6))}


def test_landmarks_lie_on_the_surface_and_the_channel_inside(case, solids):
    assert len(case.landmarks) >= 6
    for (level, side), (entry, leaving) in case.landmarks.items():
        along = (leaving - entry) / np.linalg.norm(leaving - entry)
        for point, outwards in ((entry, -along), (leaving, along)):
            steps = np.arange(-0.3, 0.31, 0.05)
            d = solids.distance(level, point + steps[:, None] * outwards)
            assert d[0] < 0 < d[-1], (level, side)
        frame = solids.frames[level]
        local = frame.to_local(solids.warp.to_model(np.array([entry, leaving])))
        assert local[0, 1] < local[1, 1]
        assert np.sign(local[0, 0]) == (1.0 if side == "right" else -1.0)


def test_screws_begin_at_the_landmarks(case):
    for key, screw in case.screws.items():
        entry, leaving = case.landmarks[key]
        assert np.linalg.norm(screw.entry - entry) < 0.3
        assert np.linalg.norm(np.cross(screw.direction, leaving - entry)) / np.linalg.norm(leaving - entry) < 0.01
        assert screw.shape.length_mm < 0.82 * np.linalg.norm(leaving - entry)


def test_reference_screws_are_graded_a(case):
    levels = tuple(dict.fromkeys(level for level, _ in case.screws))[2:6]
    spine = build_spine(case.labels, None, levels)
    found = [assess(screw, spine, *key) for key, screw in case.screws.items() if key[0] in levels]
    assert len(found) >= 6
    letters = [each.gertzbein_robbins for each in found]
    assert letters.count("A") >= 0.85 * len(letters), letters


def test_densities_are_those_of_tissue():
    case = make_training_case(8, spacing=(2.0, 2.0, 2.0), pathology="healthy")
    hu = case.ct.array
    assert hu.min() >= LOWEST_HU
    assert hu.max() <= HIGHEST_HU
    bone = hu[case.labels.array > 0]
    soft = hu[(case.labels.array == 0) & (hu > -300) & (hu < 200)]
    assert 120 < np.median(bone) < 600
    assert np.percentile(bone, 98) > 450
    assert -130 < np.median(soft) < 90
    assert (soft < -60).mean() > 0.05
    assert ((soft > 20) & (soft < 90)).mean() > 0.15


def test_contrast_brightens_the_aorta():
    cases = [make_training_case(seed, spacing=(6.0, 6.0, 6.0), pathology="healthy") for seed in range(8)]
    shares = {with_it: [] for with_it in (True, False)}
    for case in cases:
        between = (case.ct.array > 130) & (case.ct.array < 420) & (case.labels.array == 0)
        shares["contrast" in case.traits].append(between.mean())
    assert shares[True]
    assert shares[False]
    assert np.mean(shares[True]) > np.mean(shares[False])


def test_a_spacing_is_kept_and_the_patient_with_it():
    spacings = (COARSE, (2.5, 2.5, 5.0))
    first, second = (make_training_case(11, spacing=spacing) for spacing in spacings)
    assert first.ct.spacing == pytest.approx(spacings[0])
    assert second.ct.spacing == pytest.approx(spacings[1])
    shared = set(first.landmarks) & set(second.landmarks)
    assert len(shared) >= 4
    for key in shared:
        assert np.allclose(first.landmarks[key], second.landmarks[key], atol=1e-6)


def test_a_slice_is_the_mean_of_what_lies_in_it():
    drawn = draw_scanner(np.random.default_rng(1), TRAINING, (1.0, 1.0, 5.0))
    quiet = replace(drawn, slice_mm=5.0, noise=0.0, cupping=0.0, gain=1.0, offset=0.0, kernel="soft", sharpen=0.0)
    assert quiet.parts == 3
    painted = np.zeros((9, 9, 4 * quiet.parts), np.float32)
    painted[:, :, 4] = 300.0
    image = scan(painted, quiet, np.random.default_rng(1))
    assert np.allclose(image[4, 4], (0.0, 100.0, 0.0, 0.0), atol=1e-3)


def test_held_out_cases_are_drawn_from_other_ranges():
    def apart(one, other):
        return one[1] < other[0] or other[1] < one[0]

    assert apart(TRAINING.exponent, HELD_OUT.exponent)
    assert apart(TRAINING.trabecula, HELD_OUT.trabecula)
    assert apart(TRAINING.rough[0], HELD_OUT.rough[0])
    assert all(apart(a, b) for a, b in zip(TRAINING.warp_sizes, HELD_OUT.warp_sizes, strict=True))
    assert not set(TRAINING.kernels) & set(HELD_OUT.kernels)
    random = np.random.default_rng(3)
    kernels = {draw_scanner(random, HELD_OUT, None).kernel for _ in range(20)}
    assert kernels == set(HELD_OUT.kernels)
    exponents = [build.exponent for build in draw_patient(random, HELD_OUT).builds.values()]
    assert min(exponents) > TRAINING.exponent[1]


def test_held_out_cases_are_other_cases():
    seen, unseen = make_training_case(6, spacing=COARSE), make_training_case(6, spacing=COARSE, held_out=True)
    assert seen.ct.content_hash() != unseen.ct.content_hash()
    assert any(trait in unseen.traits for trait in ("kernel box", "kernel ringing"))


def test_the_first_sacral_segment_can_be_labelled_alone():
    whole, first = (make_training_case(1, spacing=COARSE, pathology="L6", sacrum=which) for which in ("whole", "S1"))
    counts = [(each.labels.array == Level.S1.value).sum() for each in (whole, first)]
    assert 0.1 * counts[0] < counts[1] < 0.6 * counts[0]
    assert np.array_equal(whole.ct.array, first.ct.array)


def test_sizes_follow_sex_and_age():
    patients = [draw_patient(np.random.default_rng(seed)) for seed in range(250)]
    width = {
        sex: np.mean([p.builds[Level.L3].sizes.width for p in patients if p.female is sex]) for sex in (True, False)
    }
    assert 1.05 < width[False] / width[True] < 1.15
    age, marrow = np.array([(p.age, p.marrow) for p in patients]).T
    assert -2.7 < np.polyfit(age, marrow, 1)[0] < -1.2
    thoracic = [p.builds[Level.T9].sizes.pedicle_width for p in patients]
    assert 5.6 < np.mean(thoracic) < 6.6


def test_making_stops_when_asked():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        make_training_case(1, spacing=COARSE, progress=progress)


def test_the_generator_has_a_hash():
    assert generator_hash() == generator_hash()
    assert generator_hash().startswith("sha256:")
    assert len(generator_hash()) == 71


def test_a_pedicle_without_bone_in_its_middle_has_no_landmarks():
    """Warped T12 of this seed: its right pedicle is a gap."""
    made = make_training_case(100_131, spacing=(4.0, 4.0, 4.0))
    assert (Level.T12, "left") in made.landmarks and (Level.T12, "right") not in made.landmarks
    assert set(made.screws) <= set(made.landmarks)
