"""Scores of label maps whose differences are known."""

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.evaluation.segmentation import dice, score_segmentation
from spinescrew.geometry.volume import Volume


def maps(spacing=1.0):
    """Two blocks with a cylinder of 5 mm radius between them: a body, its pedicle and an arch."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    shape = [round(size / spacing) for size in (40, 80, 60)]
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) * spacing

    def vertebra(top, radius=5.0):
        x, y, z = (index - (20, 40, top)).transpose(3, 0, 1, 2)
        tube = (np.hypot(x, z) < radius) & (np.abs(y) < 20)
        return tube | ((np.abs(y) > 18) & (np.abs(y) < 34) & (np.abs(x) < 14) & (np.abs(z) < 11))

    array = np.zeros(shape, np.int16)
    array[vertebra(15)], array[vertebra(44)] = Level.L4.value, Level.L3.value
    return Volume(array, affine), vertebra


CENTRES = {Level.L4: [np.array([20.0, 40.0, 15.0])], Level.L3: [np.array([20.0, 40.0, 44.0])]}


def test_the_same_map_is_perfect():
    truth, _ = maps()
    scores = score_segmentation(truth, truth, CENTRES)
    assert [score.level for score in scores] == [Level.L3, Level.L4]
    for score in scores:
        assert score.dice == 1.0 and score.named_right
        assert score.wall_mean_mm < 0.02 and score.wall_p95_mm < 0.05


@pytest.mark.parametrize("by_mm", [1.0, 1.5])
def test_a_pedicle_that_is_too_thin_by_a_known_width(by_mm):
    truth, vertebra = maps(0.5)
    thin = truth.with_array(np.where(truth.array == Level.L4.value, 0, truth.array))
    thin.array[vertebra(15, 5.0 - by_mm)] = Level.L4.value
    scores = {score.level: score for score in score_segmentation(thin, truth, CENTRES)}
    assert scores[Level.L4].wall_mean_mm == pytest.approx(by_mm, abs=0.12)
    assert scores[Level.L3].wall_mean_mm < 0.02


def test_names_one_off_are_wrong_and_have_no_overlap():
    truth, _ = maps()
    shifted = truth.with_array(np.where(truth.array > 0, truth.array - 1, 0))
    scores = {score.level: score for score in score_segmentation(shifted, truth)}
    assert scores[Level.L4].named is Level.L3 and not scores[Level.L4].named_right
    assert scores[Level.L3].dice == 0.0
    assert scores[Level.L4].wall_mean_mm is None


def test_what_was_not_found_has_no_name():
    truth, _ = maps()
    nothing = truth.with_array(np.zeros_like(truth.array))
    scores = score_segmentation(nothing, truth, CENTRES)
    assert [(score.named, score.dice, score.wall_mean_mm) for score in scores] == [(None, 0.0, None)] * 2


def test_dice_of_masks_by_hand():
    one, other = np.zeros(10, bool), np.zeros(10, bool)
    assert dice(one, other) == 1.0
    one[:4], other[2:8] = True, True
    assert dice(one, other) == pytest.approx(2 * 2 / 10)


def test_only_what_is_asked_for_is_scored():
    truth, _ = maps()
    assert [score.level for score in score_segmentation(truth, truth, levels=[Level.L4])] == [Level.L4]
    with pytest.raises(InputError, match="different grids"):
        score_segmentation(truth, Volume(truth.array, np.diag([2.0, 1.0, 1.0, 1.0])))


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize(("sacrum_mm", "cut"), [(40, False), (20, True)])
def test_vertebrae_that_the_edge_cuts_are_marked_but_for_a_sacrum_whose_first_segment_is_in_view(
    flipped, sacrum_mm, cut
):
    array = np.zeros((30, 30, 90), np.int16)
    array[5:25, 5:25, 0:sacrum_mm], array[5:25, 5:25, 45:60] = Level.S1.value, Level.L5.value
    array[5:25, 5:25, 65:90] = Level.L4.value
    affine = np.eye(4)
    if flipped:
        array, affine = array[:, :, ::-1], np.diag([1.0, 1.0, -1.0, 1.0])
    truth = Volume(np.ascontiguousarray(array), affine)
    assert {score.level: score.cut for score in score_segmentation(truth, truth)} == {
        Level.L4: True,
        Level.L5: False,
        Level.S1: cut,
    }
