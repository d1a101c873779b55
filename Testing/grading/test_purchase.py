"""Contact and density by depth and by angle."""

from __future__ import annotations

import builders
import numpy as np
import pytest

from spinescrew.anatomy.vertebra import Spine
from spinescrew.geometry.volume import Volume
from spinescrew.grading.grade import assess, shaft_points
from spinescrew.grading.options import GradingOptions

WHOLE = (-14.0, -24.0, -14.0), (14.0, 24.0, 14.0)


def with_ct(case, hu, spacing=1.3, low=WHOLE[0], high=WHOLE[1]):
    """The case with a CT on an oblique grid of its own, ``hu`` a function of local points."""
    corners = case.frame.to_ras(np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T)
    affine, shape = builders.grid_around(corners.min(axis=0), corners.max(axis=0), spacing)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    volume = Volume(np.zeros(shape, np.int16), affine)
    values = hu(case.frame.to_local(volume.index_to_ras(index)).reshape(-1, 3)).reshape(shape)
    ct = volume.with_array(np.round(values).astype(np.int16))
    return builders.Case(Spine(case.spine.vertebrae, case.spine.labels, ct), case.frame)


def grade(case, screw, side="right", **options):
    return assess(screw, case.spine, case.level, side, (), GradingOptions(**options))


@pytest.fixture(scope="module", params=[0, 2])
def case(request):
    return builders.make_case(builders.tube, turn=request.param)


def test_density_by_depth_follows_a_gradient_along_the_screw(case):
    found = grade(with_ct(case, lambda p: 300 + 10 * p[:, 1]), case.screw((0, -20, 0), length=40))
    middles = -20 + 4 * (np.arange(10) + 0.5)
    assert found.hu_by_depth[1:-1] == pytest.approx(list(300 + 10 * middles[1:-1]), abs=3.0)
    assert found.mean_hu == pytest.approx(300, abs=4.0)
    assert found.min_hu == pytest.approx(100, abs=8.0)


def test_density_by_angle_starts_medially_and_goes_on_superiorly(case):
    """On the right side medial is towards -x: HU grows medially, so the first and the last bin are the densest."""
    found = grade(with_ct(case, lambda p: 300 - 40 * p[:, 0]), case.screw((0, -20, 0), length=40))
    edges = np.radians(30 * np.arange(13))
    expected = 300 + 40 * 3.0 * np.diff(np.sin(edges)) / np.diff(edges)
    assert found.hu_by_angle == pytest.approx(list(expected), abs=6.0)
    superior = grade(with_ct(case, lambda p: 300 + 40 * p[:, 2]), case.screw((0, -20, 0), length=40))
    assert np.argmax(superior.hu_by_angle) in (2, 3)
    assert np.argmin(superior.hu_by_angle) in (8, 9)


def test_only_bone_that_is_in_the_ct_is_read(case):
    half = with_ct(case, lambda p: 300 + 0 * p[:, 0])
    found = grade(half, case.screw((0, -32, 0), length=40), view_margin_mm=0.0)
    assert found.mean_hu is None or found.mean_hu == pytest.approx(300)
    proud = grade(half, case.screw((0, -23, 0), length=40))
    assert proud.hu_by_depth[0] is None or proud.contact_by_depth[0] > 0
    assert proud.mean_hu == pytest.approx(300, abs=1e-6)


def test_without_a_ct_densities_are_none(case):
    found = grade(case, case.screw((0, -20, 0)))
    assert found.mean_hu is None
    assert found.min_hu is None
    assert found.hu_by_depth == (None,) * 10
    assert found.hu_by_angle == (None,) * 12
    assert "no CT" in found.reasons["mean_hu"]


def test_contact_counts_the_surface_in_bone(case):
    inside = grade(case, case.screw((0, -20, 0), length=38))
    assert inside.bone_contact_percent == pytest.approx(100, abs=1)
    out = grade(case, case.screw((0, 0, 0), length=24))
    assert out.contact_by_depth[:8] == pytest.approx([1.0] * 8)
    assert out.contact_by_depth[9] == pytest.approx(0.0)
    assert out.bone_contact_percent == pytest.approx(100 * 20 / 24, abs=2)


def test_contact_by_angle_shows_the_side_that_is_out(case):
    found = grade(case, case.screw((4.0, -20, 0), length=40))
    assert found.contact_by_angle[5:7] == pytest.approx([0.0, 0.0], abs=0.02)
    assert (found.contact_by_angle[0], found.contact_by_angle[11]) == pytest.approx((1.0, 1.0), abs=0.05)


def test_a_densities_bin_without_bone_is_none(case):
    found = grade(with_ct(case, lambda p: 300 + 0 * p[:, 0]), case.screw((4.0, -20, 0), length=40))
    assert found.hu_by_angle[5] is None
    assert found.hu_by_angle[0] == pytest.approx(300)


def test_the_sampled_points_lie_on_the_shaft():
    case = builders.make_case(builders.tube)
    screw = case.screw((0, -20, 0), (0.2, 1, -0.1), diameter=6.5, length=44.7, taper=5.0)
    points = shaft_points(screw, GradingOptions(), case.frame, "right")
    assert points.shape[1:] == (72, 3)
    along = (points - screw.entry) @ screw.direction
    away = np.linalg.norm(points - screw.entry - along[..., None] * screw.direction, axis=-1)
    assert along[0] == pytest.approx(0.0, abs=1e-9)
    assert along[-1] == pytest.approx(44.7)
    assert np.diff(along[:, 0]).max() <= 0.5
    assert away == pytest.approx(screw.shape.radius_at(along), abs=1e-9)
    first, quarter = points[0, 0] - screw.entry, points[0, 18] - screw.entry
    assert first @ -case.frame.right > 3.1
    assert quarter @ case.frame.superior > 3.1
