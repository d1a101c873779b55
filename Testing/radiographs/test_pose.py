"""Poses of screws from the maps of two views, with right and wrong calibrations, and what is said when they are bad."""

import json
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated_maps import GOOD, NONE, construct, simulated_maps, two_views

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import angle_deg
from spinescrew.progress import Cancelled, Progress
from spinescrew.radiographs import perturbed, posed
from spinescrew.radiographs.known_sizes import assigned_sizes, checked_sizes, spacing_doubt
from spinescrew.radiographs.pose import solve_poses, summary, with_axis, with_match
from spinescrew.radiographs.pose_doubts import other_metal


@cache
def scene(seed=1, levels=2, flaws=GOOD, first=(5.0, 3.0), second=(84.0, -4.0)):
    """Screws, true views, maps."""
    random = np.random.default_rng(seed)
    standing = construct(random, levels)
    views = two_views(random, standing, first, second, pixel_mm=0.6)
    return standing, views, tuple(simulated_maps(view, standing, random, flaws) for view in views)


@cache
def solved(**of):
    return solve_poses(scene(**of)[2])


def nearest(standing, view, posed):
    """The true screw that this one was seen as in view 1."""
    ends = [view.project(np.stack([one.screw.entry, one.screw.tip])) for one in standing]
    off = [np.abs(each - [posed.seen[0].neck, posed.seen[0].tip]).max() for each in ends]
    return standing[int(np.argmin(off))]


def errors(standing, views, result):
    """(n, 2) degrees, and mm at mid-shaft, in the frame of the first view's detector."""

    def frame(view, point):
        return np.array([view.right, view.down, view.normal]) @ (point - view.detector_origin)

    found = []
    for one in result.screws:
        true = nearest(standing, views[0], one)
        ends = [[frame(v, s.entry), frame(v, s.tip)] for v, s in ((views[0], true.screw), (result.views[0], one.screw))]
        ways = [b - a for a, b in ends]
        found.append([angle_deg(*ways), np.linalg.norm(np.sum(ends[0], axis=0) - np.sum(ends[1], axis=0)) / 2])
    return np.array(found)


def mirrored(maps):
    changed = {name: np.flip(getattr(maps, name), 1) for name in ("shaft", "head", "neck", "tip")}
    ways = {name: np.flip(getattr(maps, name), 2) * np.float32([[[-1]], [[1]]]) for name in ("to_tip", "to_neck")}
    return replace(maps, **changed, **ways)


def test_good_maps_give_good_poses():
    standing, views, _ = scene()
    result = solved()
    degrees, mm = errors(standing, views, result).T
    assert len(result.screws) == 4
    assert degrees.mean() < 0.5
    assert mm.mean() < 0.4
    assert not result.calibration.refined
    assert result.warnings == ()


def test_they_are_numbered_from_head_to_feet_and_left_before_right():
    standing, views, _ = scene()
    for number, one in enumerate(solved().screws, start=1):
        true = nearest(standing, views[0], one)
        assert (one.number, one.side, one.level) == (number, true.side, true.level + 1)
        assert one.roll_deg is None


def test_tulips_and_slots_are_told_apart_from_the_shafts():
    standing, views, _ = scene()
    for one in solved().screws:
        assert angle_deg(one.tulip_axis, nearest(standing, views[0], one).tulip) < 8
        assert abs(one.slot_deg) < 45


def test_a_calibration_that_is_off_is_refined_and_told():
    standing, views, maps = scene(seed=2, levels=3)
    random = np.random.default_rng(3)
    given = [perturbed(view, 1.0, 2.0, random, np.zeros(3)) for view in views]
    wrong = tuple(replace(each, view=view) for each, view in zip(maps, given, strict=True))
    result = solve_poses(wrong)
    degrees, mm = errors(standing, views, result).T
    assert result.calibration.refined
    assert "refined" in result.calibration.words
    assert 0.1 < result.calibration.turn_deg < 3
    assert degrees.mean() < 1.0
    assert mm.mean() < 1.5
    as_given = solve_poses(wrong, refine_calibration=False)
    assert not as_given.calibration.refined
    assert degrees.mean() < errors(standing, views, as_given)[:, 0].mean()


def test_errors_lie_within_what_the_fit_states(monkeypatch):
    # networks' maps are worse than these, which is what results are widened for
    monkeypatch.setattr(posed, "_TOGETHER", 1.0)
    monkeypatch.setattr(posed, "_LEAST_MM", (0.03, 0.25))
    monkeypatch.setattr(posed, "_LEAST_DEG", (0.05, 0.15))
    scores = []
    for seed in range(5):
        standing, views, maps = scene(seed=100 + seed, levels=4 if seed else 3)
        for one in solve_poses(maps).screws:
            true = nearest(standing, views[0], one)
            u, v, along = one.frame.T
            off = one.middle - true.middle
            tilt = np.degrees(one.screw.direction - true.screw.direction)
            scores.append(np.array([u @ off, v @ off, along @ off, u @ tilt, v @ tilt]) / one.sd)
    assert len(scores) >= 36
    within = np.mean(np.abs(scores) < 1.96)
    assert 0.85 <= within <= 0.995


def test_ends_that_lie_off_widen_what_is_stated():
    case, _, _ = scene()
    result = solved()
    one = result.screws[0]
    wide = posed._widened(SimpleNamespace(residual_px=np.array([9.0]), covariance=np.eye(10)[None]), 0)
    near = posed._widened(SimpleNamespace(residual_px=np.array([1.0]), covariance=np.eye(10)[None]), 0)
    assert_allclose(wide, 9 * near)
    assert (one.sd >= (0.3, 0.3, 0.3, 0.3, 0.3)).all()


def test_an_end_that_was_guessed_is_told_and_is_not_called_a_bad_match():
    standing, views, maps = scene()
    gone = views[0].project(standing[0].screw.tip)
    rows, columns = np.indices(views[0].shape)
    tip = np.where(np.hypot(columns - gone[0], rows - gone[1]) < 9, 0, maps[0].tip).astype(np.float32)
    result = solve_poses((replace(maps[0], tip=tip), maps[1]))
    (one,) = [each for each in result.screws if any(each.seen[0].guessed_px)]
    assert "its tip is hidden in view 1 and was guessed from the other end: look at it" in one.notes
    assert not any("look at the match" in note for note in one.notes)
    others = [each for each in result.screws if each is not one]
    assert len(others) == 3 and not any("guessed" in note for each in others for note in each.notes)


def test_views_near_each_other_are_warned_of_and_less_certain():
    near = solved(first=(70.0, 3.0), second=(90.0, 0.0))
    assert any("only 2" in words and "degrees apart" in words for words in near.warnings)
    spread = [np.median([one.sd.max() for one in each.screws]) for each in (near, solved())]
    assert spread[0] > 1.5 * spread[1]


def test_given_sizes_are_used_where_they_fit():
    standing, views, maps = scene()
    sizes = [(one.screw.shape.diameter_mm, one.screw.shape.length_mm) for one in standing]
    result = solve_poses(maps, sizes[::-1])
    for one in result.screws:
        shape = nearest(standing, views[0], one).screw.shape
        assert one.sizes_given
        assert one.screw.shape.length_mm == shape.length_mm
    assert errors(standing, views, result)[:, 1].mean() < 0.4


def test_swapped_and_mirrored_images_are_told():
    _, views, maps = scene()
    swapped = replace(maps[1], view=views[0]), replace(maps[0], view=views[1])
    for wrong, words in ((swapped, "images seem to be swapped"), ((maps[0], mirrored(maps[1])), "image 2 seems to be")):
        try:
            told = " ".join(solve_poses(wrong).warnings)
        except InputError as error:
            told = str(error)
        assert words in told


def test_a_wrong_spacing_is_told_by_given_sizes():
    standing, _, maps = scene()
    sizes = [(one.screw.shape.diameter_mm, one.screw.shape.length_mm) for one in standing]

    def spread(view):
        wide = replace(view, pixel_mm=view.pixel_mm * 1.25)
        return replace(
            wide,
            detector_origin=wide.detector_origin
            + view.on_detector(view.centre_pixel)
            - wide.on_detector(view.centre_pixel),
        )

    result = solve_poses([replace(each, view=spread(each.view)) for each in maps], sizes)
    assert any("check the pixel spacing" in words for words in result.warnings)
    assert not any(one.sizes_given for one in result.screws)


def test_no_screws_and_one_view_are_refused():
    _, _, maps = scene()
    empty = replace(maps[0], **{name: np.zeros_like(maps[0].shaft) for name in ("shaft", "head", "neck", "tip")})
    with pytest.raises(InputError, match="no screw was found in view 1"):
        solve_poses((empty, maps[1]))
    with pytest.raises(InputError, match="one view"):
        solve_poses((maps[0],))


def test_metal_that_is_no_screw_is_told():
    _, _, maps = scene()
    shaft = maps[1].shaft.copy()
    shaft[20:50, 20:60] = 1
    (words,) = other_metal(replace(maps[1], shaft=shaft), [one.seen[1] for one in solved().screws], 2)
    assert "view 2 shows metal at column 4" in words or "view 2 shows metal at column 39" in words


def test_what_one_view_alone_shows_is_left_and_told():
    standing, views, maps = scene(flaws=NONE)
    fewer = simulated_maps(views[1], standing[:3])
    result = solve_poses((maps[0], fewer))
    assert len(result.screws) == 3
    assert [len(each) for each in result.unmatched] == [1, 0]
    assert any("1 screw of view 1" in words and "no match" in words for words in result.warnings)


def test_matches_are_corrected_by_hand():
    result = solved()
    pairs = [one.seen for one in result.screws]
    fewer = with_match(result, pairs[:3])
    assert len(fewer.screws) == 3
    assert fewer.unmatched[0] == (pairs[3][0],)
    assert fewer.unmatched[1] == (pairs[3][1],)
    again = with_match(fewer, pairs)
    assert [one.seen for one in again.screws] == pairs
    for one, before in zip(again.screws, result.screws, strict=True):
        assert np.linalg.norm(one.middle - before.middle) < 0.1
    with pytest.raises(InputError, match="no pair"):
        with_match(result, [])
    with pytest.raises(InputError, match="not of this result"):
        with_match(result, [(pairs[0][0], replace(pairs[0][1]))])


def test_an_axis_is_placed_by_hand():
    result = solved()
    old = result.screws[1]
    neck, tip = old.seen[1].neck + [0, -12], old.seen[1].tip + [0, -12]
    moved = with_axis(result, 2, 1, neck, tip)
    one = next(each for each in moved.screws if each.seen[0] is old.seen[0])
    assert one.seen[1].by_hand
    assert any("placed by hand" in note for note in one.notes)
    off = [moved.views[1].project(end) - seen for end, seen in ((one.screw.entry, neck), (one.screw.tip, tip))]
    before = [moved.views[1].project(end) - seen for end, seen in ((old.screw.entry, neck), (old.screw.tip, tip))]
    assert np.abs(off).max() < np.abs(before).max()
    with pytest.raises(InputError, match="no screw 9"):
        with_axis(result, 9, 0, neck, tip)


def test_a_summary_is_plain_json():
    text = json.dumps(summary(solved()), allow_nan=False)
    again = json.loads(text)
    assert [one["number"] for one in again["screws"]] == [1, 2, 3, 4]
    assert again["screws"][0]["roll_deg"] is None
    assert again["calibration"]["refined"] is False


def test_steps_are_timed_and_cancelled():
    assert {"find screws", "match screws", "fit finely"} <= set(solved().seconds)
    progress = Progress(lambda fraction, text: progress.cancel() if fraction > 0.25 else None)
    with pytest.raises(Cancelled):
        solve_poses(scene()[2], progress=progress)


def test_sizes_go_to_the_screws_they_fit():
    measured = np.array([[5.9, 40.3], [7.0, 49.6], [5.8, 45.2]])
    sizes = [(7.5, 50.0), (6.5, 45.0), (6.5, 40.0)]
    assert assigned_sizes(sizes, measured) == [sizes[2], sizes[0], sizes[1]]
    assert assigned_sizes([(6.5, 45.0)], measured)[1] == (6.5, 45.0)
    assert assigned_sizes([(6.5, 30.0)], measured) == [None] * 3
    assert spacing_doubt(sizes, measured) == ""
    assert "times as large as their given sizes" in spacing_doubt(sizes, 1.2 * measured)
    assert "as no pedicle screws are" in spacing_doubt([], 2.5 * measured)
    for wrong in ([(0.0, 40.0)], [(45.0, 6.5)]):
        with pytest.raises(InputError, match="give"):
            checked_sizes(wrong)
