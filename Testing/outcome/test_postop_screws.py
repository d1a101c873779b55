"""Screws found in a CT by their metal: count, axis, tip, neck and thickness."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import angle_deg
from spinescrew.outcome.metal_lines import metal_lines, metal_threshold, saturation
from spinescrew.outcome.postop import find_screws


@pytest.fixture(scope="module")
def found(postop_ct):
    return find_screws(postop_ct)


def nearest(found, screw):
    return min((each.screw for each in found), key=lambda other: np.linalg.norm(other.tip - screw.tip))


def seen_neck(screw):
    """Where the round bottom of the simulated head becomes wider than the shaft: a little behind its entry."""
    return screw.entry - (6.5 - np.sqrt(6.5**2 - screw.shape.radius_mm**2)) * screw.direction


def test_every_screw_is_found_and_no_rod(found, construct):
    assert len(found) == len(construct)
    assert [each.number for each in found] == [1, 2, 3, 4]
    assert len({id(nearest(found, screw)) for screw in construct}) == 4


def test_tips_necks_and_axes_are_where_they_are(found, construct):
    pairs = [(nearest(found, screw), screw) for screw in construct]
    assert max(np.linalg.norm(one.tip - other.tip) for one, other in pairs) < 0.4
    assert max(np.linalg.norm(one.entry - seen_neck(other)) for one, other in pairs) < 0.6
    assert max(angle_deg(one.direction, other.direction) for one, other in pairs) < 0.5


def test_thickness_is_seen_through_the_end_of_the_scale(found, construct):
    for screw in construct:
        assert nearest(found, screw).shape.diameter_mm == pytest.approx(screw.shape.diameter_mm, abs=0.5)


def test_they_count_from_the_head_down_right_to_left(found):
    necks = np.array([each.screw.entry for each in found])
    assert (necks[:2, 2] > 0).all()
    assert (necks[2:, 2] < 0).all()
    assert necks[0, 0] > necks[1, 0]


def test_an_open_scale_is_told_from_one_that_ends(postop_ct):
    assert saturation(postop_ct) == 3071
    assert metal_threshold(postop_ct) == pytest.approx(0.75 * 3071)
    open_scale = postop_ct.with_array(np.minimum(postop_ct.array, 3000) * 1)
    assert saturation(open_scale) == 3000


def test_a_screw_alone_is_found_without_rod_and_head_wide_open_scale(scan, construct):
    screw = construct[0]
    ct = scan(lambda points: np.full(len(points), 40.0), [screw], rods=False, streaks=0.0, top=12000)
    assert saturation(ct) is None
    found = find_screws(ct)
    assert len(found) == 1
    assert np.linalg.norm(found[0].screw.tip - screw.tip) < 0.4
    assert angle_deg(found[0].screw.direction, screw.direction) < 0.3


def test_rods_are_lines_but_not_shafts(postop_ct):
    lines = metal_lines(postop_ct, metal_threshold(postop_ct))
    upright = [line for line in lines if abs(line.direction[2]) > 0.9]
    assert upright
    assert len(lines) > 4


def test_axes_of_the_image_do_not_matter(postop_ct, construct):
    array = np.ascontiguousarray(postop_ct.array.transpose(2, 0, 1)[::-1])
    affine = postop_ct.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 0] * (array.shape[0] - 1)
    affine[:3, 0] *= -1
    turned = replace(postop_ct, array=array, affine=affine)
    lines = [line for line in metal_lines(turned, metal_threshold(turned)) if line.length_mm > 30]
    tips = np.array([end for line in lines for end in (line.start, line.end)])
    for screw in construct:
        assert np.linalg.norm(tips - screw.tip, axis=1).min() < 2.5


def test_no_metal_is_told(postop_ct):
    with pytest.raises(InputError, match="no metal"):
        find_screws(postop_ct.with_array(np.minimum(postop_ct.array, 1500)))
