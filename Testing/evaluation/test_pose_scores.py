"""Screws found in two radiographs beside the true ones: what counts as what, and what is written and drawn of it."""

from dataclasses import replace

import numpy as np
import pytest
from known_poses import solved

from spinescrew.errors import InputError
from spinescrew.evaluation.pose import PoseFigures
from spinescrew.evaluation.pose_compare import PoseTruth, missed, score_screws
from spinescrew.evaluation.pose_pixels import HEAD, SHAFT, classes_of, noise, overlap
from spinescrew.evaluation.pose_plots import kind_words, write_pose_figure
from spinescrew.evaluation.pose_score import PixelScore, PoseScore, pixels_beside, read_pose_scores, write_pose_scores
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.regrid import same_part
from spinescrew.radiographs.screw_maps import ScrewMaps

KNOWN = {
    "case": 3,
    "style": "clean",
    "setup": "usual",
    "error_deg": 0.0,
    "error_mm": 0.0,
    "between_deg": 72.0,
    "screws": 6,
    "noise": 0.01,
    "seconds": 4.0,
}


@pytest.fixture(scope="module")
def case():
    return solved()


@pytest.fixture(scope="module")
def truth(case):
    return PoseTruth(case.screws, tuple(maps.view for maps in case.result.maps), case.views)


def moved(posed, shift=(0.0, 0.0, 0.0), turn=0.0):
    """A posed screw moved, and turned about its middle."""
    old = posed.screw
    middle = (old.entry + old.tip) / 2 + np.asarray(shift)
    frame = rotation(posed.frame[:, 0], turn) @ posed.frame
    entry = middle - old.shape.length_mm / 2 * frame[:, 2]
    return replace(posed, screw=Screw(entry, frame[:, 2], old.shape), frame=frame)


def with_screws(case, *posed):
    return replace(case.result, screws=posed)


def test_what_is_right_has_no_error_and_what_is_missing_is_missed(case, truth):
    scores = score_screws(case.result, truth, KNOWN)
    assert [score.state for score in scores] == ["right"] * 5 + ["missed"]
    assert [score.number for score in scores] == [1, 2, 3, 4, 5, 6]
    assert max(score.mid_mm + score.angle_deg + score.spread for score in scores[:5]) < 1e-6
    assert all(np.isnan([scores[5].mid_mm, scores[5].angle_deg]))


def test_errors_are_those_of_the_screw_in_mm_and_degrees_and_in_its_deviations(case, truth):
    first = case.result.screws[0]
    (score,) = score_screws(with_screws(case, moved(first, 1.5 * first.frame[:, 0])), truth, KNOWN)[:1]
    assert (score.mid_mm, score.neck_mm, score.tip_mm) == pytest.approx((1.5, 1.5, 1.5))
    assert score.spread == pytest.approx((1.5 / 0.21) ** 2)
    (score,) = score_screws(with_screws(case, moved(first, turn=2.0)), truth, KNOWN)[:1]
    assert score.angle_deg == pytest.approx(2.0)
    assert score.mid_mm == pytest.approx(0.0, abs=1e-9)
    assert score.tip_mm == pytest.approx(2 * 20 * np.sin(np.radians(1.0)))
    assert score.spread == pytest.approx((2.0 / 0.45) ** 2, rel=1e-3)


def test_an_error_of_both_views_alike_does_not_count(case, truth):
    rigid = np.eye(4)
    rigid[:3, :3], rigid[:3, 3] = rotation((0.2, 1.0, 0.3), 3.0), (4.0, -2.0, 9.0)
    views = tuple(view.moved(rigid) for view in case.views)
    posed = case.result.screws[1]
    turned = replace(
        posed,
        screw=Screw(
            rigid[:3, :3] @ posed.screw.entry + rigid[:3, 3], rigid[:3, :3] @ posed.screw.direction, posed.screw.shape
        ),
        frame=rigid[:3, :3] @ posed.frame,
    )
    result = replace(case.result, views=views, screws=(turned,))
    score = score_screws(result, truth, KNOWN)[1]
    assert score.state == "right"
    assert score.mid_mm + score.angle_deg + score.spread < 1e-6


def test_parts_of_different_screws_are_wrong_and_parts_of_none_are_extra(case, truth):
    one, two = case.result.screws[:2]
    crossed = replace(one, seen=(one.seen[0], two.seen[1]))
    scores = score_screws(with_screws(case, crossed), truth, KNOWN)
    assert [score.state for score in scores].count("wrong") == 1
    away = tuple(replace(seen, neck=seen.neck + 60.0, tip=seen.tip + 60.0) for seen in one.seen)
    far = moved(replace(one, seen=away), (90.0, 0.0, 0.0))
    scores = score_screws(with_screws(case, far), truth, KNOWN)
    assert [score.state for score in scores] == ["extra"] + ["missed"] * 6
    assert scores[0].number == 0


@pytest.mark.parametrize(("apart_mm", "state"), [(0.6, "right"), (2.5, "wrong")])
def test_a_part_may_be_of_either_of_two_screws_that_lie_on_one_another(case, truth, apart_mm, state):
    first, view = case.result.screws[0], truth.views[1]
    aside = apart_mm * view.down
    behind = [view.source + 1.05 * (end - view.source) + aside for end in (first.screw.entry, first.screw.tip)]
    twin = Screw(
        behind[0], behind[1] - behind[0], replace(first.screw.shape, length_mm=np.linalg.norm(behind[1] - behind[0]))
    )
    ends = view.project(np.stack([twin.entry, twin.tip]))
    seen = (first.seen[0], replace(first.seen[1], neck=ends[0], tip=ends[1]))
    both = replace(truth, screws=(*truth.screws, twin))
    scores = score_screws(with_screws(case, replace(first, seen=seen)), both, KNOWN)
    assert scores[0].state == state


def test_the_right_one_of_two_that_claim_a_screw_is_kept(case, truth):
    one, two = case.result.screws[:2]
    crossed = moved(replace(one, seen=(one.seen[0], two.seen[1])), (0.5, 0.0, 0.0))
    for order in ((one, crossed), (crossed, one)):
        scores = score_screws(with_screws(case, *order), truth, KNOWN)
        assert [score.state for score in scores] == ["extra", "right"] + ["missed"] * 5


def test_a_screw_that_an_image_cuts_does_not_count(case, truth):
    narrow = tuple(view.cropped(0, 0, 150, 384) for view in case.views)
    cut = replace(truth, whole=narrow)
    assert 0 < sum(cut.counted) < 6
    assert len(score_screws(case.result, cut, KNOWN)) == sum(cut.counted)
    assert [score.refused for score in missed(cut, KNOWN, "no screw")] == ["no screw"] * sum(cut.counted)


def test_a_screw_whose_end_a_collimator_hides_does_not_count(case, truth):
    labels = [classes_of(maps, view) for maps, view in zip(case.result.maps, case.views, strict=True)]
    assert sum(replace(truth, labels=tuple(labels)).counted) == 6
    column, row = (round(float(value)) for value in case.views[0].project(case.screws[2].tip))
    labels[0][row - 12 : row + 12, column - 12 : column + 12] = 0
    assert replace(truth, labels=tuple(labels)).counted == (True, True, False, True, True, True)


def test_the_part_of_another_view_has_the_same_pixels(case):
    view, other = case.views
    part = view.cropped(30, 50, 200, 210).binned(3)
    same = same_part(part, view, other)
    expected = other.cropped(30, 50, 200, 210).binned(3)
    assert same.shape == expected.shape
    assert np.allclose(same.on_detector([(3.0, 7.5)]), expected.on_detector([(3.0, 7.5)]))


def test_pixels_are_compared_on_the_whole_image(case):
    view = case.views[0]
    maps = case.result.maps[0]
    true = classes_of(maps, view)
    assert true.shape == view.shape
    assert overlap(true, true, SHAFT).dice == overlap(true, true, HEAD).dice == 1.0
    half = ScrewMaps(
        maps.view, maps.shaft * 0.4, maps.head, *(getattr(maps, n) for n in ("neck", "tip", "to_tip", "to_neck"))
    )
    blind = overlap(classes_of(half, view), true, SHAFT)
    assert blind.dice == blind.recall == 0.0
    assert np.isnan(blind.precision)
    grown = np.where(np.roll(true, 2, axis=1) == SHAFT, SHAFT, true)
    found = overlap(grown, true, SHAFT)
    assert found.recall == 1.0
    assert found.precision < 1.0
    assert found.dice == pytest.approx(2 * found.precision / (1 + found.precision))


def test_noise_grows_with_the_grain_and_not_with_the_scale_of_grey(case):
    image, true = case.radiographs[0], classes_of(case.result.maps[0], case.views[0])
    plain = noise(image, true)
    assert 0.0 < plain < 0.2
    random = np.random.default_rng(1)
    grainy = replace(image, pixels=image.pixels + random.normal(0, 60, image.shape).astype(np.float32))
    assert noise(grainy, true) > 4 * plain
    assert noise(replace(image, pixels=3 * image.pixels + 7), true) == pytest.approx(plain, rel=1e-3)
    turned = replace(image, pixels=-image.pixels, bright_is_dense=True)
    assert noise(turned, true) == pytest.approx(plain, rel=1e-3)
    assert np.isnan(noise(image, np.zeros_like(true)))


def row(number=1, state="right", **values):
    return PoseScore(**{**KNOWN, "number": number, "state": state, **values})


GOOD = row(angle_deg=0.5, mid_mm=0.4, neck_mm=0.5, tip_mm=0.6, diameter_mm=-0.2, length_mm=1.0, spread=4.0)
POOR = row(2, angle_deg=2.5, mid_mm=1.0, neck_mm=1.0, tip_mm=1.0, diameter_mm=0.4, length_mm=2.0, spread=30.0)
CROSSED = row(3, "wrong", angle_deg=20.0, mid_mm=9.0, neck_mm=9.0, tip_mm=9.0)
LOST, NONE = row(4, "missed"), row(0, "extra")
WRONG_VIEWS = replace(
    GOOD, case="007", error_deg=1.0, error_mm=2.0, angle_deg=1.5, mid_mm=1.6, between_deg=30.0, setup="30"
)
NOISY = replace(GOOD, style="realistic", noise=0.05, screws=2, seconds=9.0)
PIXELS = (
    PixelScore(3, "clean", "usual", 72.0, 1, 0.1, 0.9, 0.95, 0.85, 0.8, 0.8, 0.8),
    PixelScore(3, "clean", "usual", 72.0, 2, 0.1, 0.8, 0.9, 0.72, 0.7, 0.7, 0.7),
)
ALL = PoseFigures((GOOD, POOR, CROSSED, LOST, NONE, WRONG_VIEWS, NOISY), PIXELS)


def test_figures_count_what_they_say():
    exact = ALL.by_style()["clean"].by_error()[0.0, 0.0]
    assert (exact.matched.value, exact.matched.count) == (0.5, 4)
    assert exact.matched_of_found.value == 0.5
    assert exact.well.value == 0.25
    assert (exact.missed, exact.extra) == (1, 1)
    assert exact.mean("angle_deg").value == pytest.approx(1.5)
    assert exact.mean("diameter_mm").value == pytest.approx(0.3)
    assert exact.bias("diameter_mm") == pytest.approx(0.1)
    assert exact.highest("mid_mm", 100) == 1.0
    assert exact.honest.value == 0.5
    assert exact.pixel_mean("shaft_dice").value == pytest.approx(0.85)
    assert (exact.pairs, exact.seconds) == (1, 4.0)


def test_parts_hold_each_score_once():
    assert list(ALL.by_error()) == [(0.0, 0.0), (1.0, 2.0)]
    assert {band: len(part.screws) for band, part in ALL.by_angle().items()} == {(25.0, 35.0): 1, (65.0, 75.0): 6}
    assert {band: len(part.screws) for band, part in ALL.by_count().items()} == {(1.0, 3.0): 1, (5.0, 7.0): 6}
    assert {band: len(part.screws) for band, part in ALL.by_noise().items()} == {(0.008, 0.016): 6, (0.032, 0.064): 1}


def test_pairs_at_chosen_angles_stand_apart():
    assert ALL.usual().screws == tuple(score for score in ALL.screws if score is not WRONG_VIEWS)
    assert ALL.usual().pixels == PIXELS


def test_nothing_is_claimed_of_nothing():
    empty = PoseFigures((LOST, replace(LOST, case=4, refused="no screw")))
    assert empty.matched.value == 0.0
    assert np.isnan([empty.mean("mid_mm").value, empty.highest("mid_mm"), empty.honest.value]).all()
    assert empty.refused == {"no screw": 1}


def test_scores_come_back_from_their_tables(tmp_path):
    path, beside = write_pose_scores(tmp_path / "pose.csv", ALL.screws, ALL.pixels)
    assert beside == pixels_beside(path) == tmp_path / "pose-pixels.csv"
    screws, pixels = read_pose_scores(path)
    assert repr(screws) == repr(ALL.screws)
    assert pixels == PIXELS
    path.write_text(path.read_text().replace("right", "left", 1))
    with pytest.raises(InputError, match=r"pose.csv', line 2: 'state' is 'left'"):
        read_pose_scores(path)


def test_the_picture_is_written_also_of_little_and_never_of_nothing(tmp_path):
    path = write_pose_figure(tmp_path / "pose.png", ALL)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="nothing to draw"):
        write_pose_figure(tmp_path / "none.png", PoseFigures((LOST,)))
    assert kind_words((0.0, 0.0)) == "true calibration"
    assert kind_words((1.0, 2.0)) == "calibration wrong by 1°, 2 mm"
