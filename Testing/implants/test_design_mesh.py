"""Designed screws: shafts, heads and set screws."""

from dataclasses import replace

import numpy as np
import pytest
from closed_surfaces import assert_closed, volume

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import angle_deg, rotation
from spinescrew.implants.design_mesh import head_matrix, head_mesh, set_screw_mesh, shaft_mesh
from spinescrew.implants.designs import SET_SCREWS, TIPS, TULIPS, ScrewDesign, draw_design
from spinescrew.implants.solids import placed

PLAIN = ScrewDesign()
SHAFTS = {
    "plain": PLAIN,
    "two leads": ScrewDesign(leads=2, tip="fluted"),
    "dual zone": ScrewDesign(dual_zone_mm=18.0, tip="blunt"),
    "coarse dual zone, two leads": ScrewDesign(dual_zone_mm=20.0, leads=2, pitch_mm=4.0),
    "bored": ScrewDesign(cannula_mm=1.8, tip="fluted"),
    "conical": ScrewDesign(core_share=0.78, core_taper_share=0.5, core_cone_mm=20.0, outer_taper_share=0.8),
    "fine": ScrewDesign(pitch_mm=2.0),
}
designs = pytest.mark.parametrize("design", SHAFTS.values(), ids=SHAFTS)


@designs
@pytest.mark.parametrize("size", [(6.5, 45.0), (4.0, 25.0), (8.5, 90.0)], ids=lambda size: f"{size[0]:g}x{size[1]:g}")
def test_a_shaft_is_closed_and_fills_its_sizes_and_no_more(design, size):
    points, triangles = shaft_mesh(design, *size)
    assert_closed((points, triangles))
    assert points[:, 2].min() >= -1e-9
    assert points[:, 2].max() == size[1]
    assert np.linalg.norm(points[:, :2], axis=1).max() == pytest.approx(size[0] / 2, rel=0.02)
    assert np.linalg.norm(points[:, :2], axis=1).max() <= size[0] / 2 + 1e-9
    if size == (6.5, 45.0):
        assert 3000 <= len(triangles) <= 8000


def radii_along(design, angle_deg_=0.0, size=(6.5, 45.0)):
    """Depths and radii of the shaft's points near one line along it."""
    points, _ = shaft_mesh(design, *size)
    off = np.angle(np.exp(1j * (np.arctan2(points[:, 1], points[:, 0]) - np.radians(angle_deg_))))
    line = points[(np.abs(off) < 1e-6) & (points[:, 2] > 0.1)]
    line = line[np.argsort(line[:, 2])]
    return line[:, 2], np.hypot(line[:, 0], line[:, 1])


@pytest.mark.parametrize("leads", [1, 2])
def test_crests_stand_a_pitch_apart_and_turn_right_handed(leads):
    design = ScrewDesign(pitch_mm=3.0, leads=leads, crest_share=0.1)
    crests = []
    for angle in (0, 120):
        z, radius = radii_along(design, angle)
        on_crest = z[(radius > 3.2499) & (z > 4) & (z < 36)]
        middles = (
            (on_crest[::2] + on_crest[1::2]) / 2
            if on_crest[1] - on_crest[0] < 1
            else (on_crest[1:-1:2] + on_crest[2::2]) / 2
        )
        np.testing.assert_allclose(np.diff(middles), 3.0, atol=1e-6)
        crests.append(middles[0])
    # A third of a turn, right-handed about the way to the tip, advances the thread by a third of its lead.
    ahead = (crests[1] - crests[0] - leads * 3.0 / 3) / 3.0
    assert ahead == pytest.approx(round(ahead), abs=1e-6)


def test_a_core_is_as_thick_as_designed_at_either_end():
    design = ScrewDesign(core_share=0.75, core_taper_share=0.5, tip="blunt", tip_mm=4.0)
    z, radius = radii_along(design)
    middle = (z > 4) & (z < 40)
    expected = 3.25 * (0.75 - 0.25 * z / 45)
    assert np.abs(radius - expected)[middle].min() < 1e-9
    assert (radius >= expected - 1e-9)[middle].all()


def test_a_dual_zone_has_twice_the_crests():
    z, radius = radii_along(ScrewDesign(pitch_mm=4.0, dual_zone_mm=20.0))
    crest = z[radius > 3.2499]
    assert 2 * (crest > 24).sum() / (38 - 24) == pytest.approx((crest < 18).sum() / (18 - 2), rel=0.3)


def test_a_bore_goes_through_the_whole_shaft_and_is_left_out_of_thin_ones():
    bored, solid = (shaft_mesh(replace(PLAIN, cannula_mm=bore, tip="blunt"), 6.5, 45.0) for bore in (1.8, 0.0))
    assert np.hypot(bored[0][:, 0], bored[0][:, 1]).min() == pytest.approx(0.9)
    # A bored tip is a little thicker.
    assert volume(*solid) - volume(*bored) == pytest.approx(np.pi * 0.81 * 45, rel=0.08)
    assert np.hypot(*shaft_mesh(replace(PLAIN, cannula_mm=1.8, core_taper_share=0.4), 3.5, 20.0)[0][:, :2].T).min() == 0


@pytest.mark.parametrize("tip", TIPS)
def test_tips_differ(tip):
    others = [shaft_mesh(replace(PLAIN, tip=other), 6.5, 45.0) for other in TIPS if other != tip]
    assert all(abs(volume(*shaft_mesh(replace(PLAIN, tip=tip), 6.5, 45.0)) - volume(*other)) > 3 for other in others)


@pytest.mark.parametrize("tulip", TULIPS)
@pytest.mark.parametrize("tabs", [0.0, 60.0])
def test_a_head_is_closed_and_fills_its_sizes(tulip, tabs):
    design = ScrewDesign(tulip=tulip, tabs_mm=tabs)
    points, triangles = head_mesh(design, 6.5)
    assert_closed((points, triangles))
    assert 2 * np.hypot(points[:, 0], points[:, 1]).max() == pytest.approx(13.0, abs=1e-6)
    assert points[:, 2].min() == pytest.approx(-design.top_above_pivot_mm - tabs)
    assert points[:, 2].max() == pytest.approx(design.ball_mm / 2)
    assert np.ptp(head_mesh(design, 8.5)[0][:, 1]) == pytest.approx(13.3, abs=0.02)


def test_flats_are_flat_where_the_rod_comes_out():
    points, _ = head_mesh(ScrewDesign(tulip="flats"), 6.5)
    assert np.ptp(points[:, 0]) == pytest.approx(0.8 * 13.0, abs=0.02)
    assert np.ptp(points[:, 1]) == pytest.approx(13.0, abs=0.02)


@pytest.mark.parametrize("tulip", TULIPS)
def test_the_rod_has_room_in_the_slot(tulip):
    design = ScrewDesign(tulip=tulip)
    points, triangles = head_mesh(design, 6.5)
    # No point and no middle of a triangle lies within the rod.
    for places in (points, points[triangles].mean(axis=1)):
        off = np.hypot(places[:, 1], places[:, 2] + design.rod_above_pivot_mm)
        assert off.min() > design.rod_mm / 2


@designs
@pytest.mark.parametrize("diameter", [4.0, 6.5, 8.5])
def test_a_shaft_sits_on_the_ball_of_its_head(design, diameter):
    shaft, _ = shaft_mesh(design, diameter, 45.0)
    from_pivot = np.linalg.norm(shaft + (0, 0, design.pivot_mm), axis=1)
    assert from_pivot.min() == pytest.approx(design.ball_mm / 2, abs=1e-9)
    head, _ = head_mesh(design, diameter)
    below = head[head[:, 2] > design.rim_below_pivot_mm - 1e-9]
    on_ball = np.hypot(below[:, 0], below[:, 1]) < design.opening_radius_mm + 1e-9
    np.testing.assert_allclose(np.linalg.norm(below[on_ball], axis=1), design.ball_mm / 2, atol=1e-9)


def test_a_head_tilts_about_the_middle_of_its_ball():
    stand = np.eye(4)
    stand[:3, :3], stand[:3, 3] = rotation((1, 2, 3), 40), (10, -20, 30)
    axis = rotation((1, 0, 0), 20) @ stand[:3, 2]
    matrix = head_matrix(PLAIN, stand, axis, rod=(0, 0, 1))
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)
    assert angle_deg(matrix[:3, 2], axis) < 1e-6
    np.testing.assert_allclose(matrix[:3, 3], stand[:3, 3] - PLAIN.pivot_mm * stand[:3, 2])
    assert PLAIN.range_deg == pytest.approx(28.0)
    np.testing.assert_allclose(placed((np.zeros((1, 3)), np.zeros((0, 3), int)), matrix)[0][0], matrix[:3, 3])


@pytest.mark.parametrize("kind", SET_SCREWS)
def test_a_set_screw_fits_between_rod_and_walls(kind):
    design = ScrewDesign(set_screw=kind)
    points, triangles = set_screw_mesh(design)
    if kind == "none":
        assert len(triangles) == 0
        return
    assert_closed((points, triangles))
    assert points[:, 2].max() == pytest.approx(-design.rod_above_pivot_mm - design.rod_mm / 2)
    assert np.hypot(points[:, 0], points[:, 1]).max() < design.bore_radius_mm
    assert points[:, 2].min() <= -design.top_above_pivot_mm + 1e-9


@pytest.mark.parametrize("varied", [False, True])
def test_drawn_designs_can_all_be_made_and_lie_in_the_range_of_real_ones(varied):
    random = np.random.default_rng(5)
    drawn = [draw_design(random, varied) for _ in range(40)]
    for design in drawn:
        for mesh in (shaft_mesh(design, float(random.choice([4.5, 6.5, 8.5])), 45.0), head_mesh(design, 6.5)):
            assert_closed(mesh)
        assert 1.8 <= design.pitch_mm <= 4.3
        assert 12 <= design.tulip_diameter_mm <= 14.5
        assert 14 <= design.tulip_height_mm <= 18.6
    assert len({design.tulip for design in drawn}) == len(TULIPS)
    assert {design.leads for design in drawn} == ({1, 2} if varied else {1})
    again = np.random.default_rng(5)
    assert draw_design(again, varied) == drawn[0]


def test_what_cannot_be_made_is_refused():
    with pytest.raises(InputError, match="pointed"):
        ScrewDesign(tip="pointed")
    with pytest.raises(InputError, match="tulip is too narrow"):
        ScrewDesign(tulip_diameter_mm=9.0)
    with pytest.raises(InputError, match="tulip is too low"):
        ScrewDesign(tulip_height_mm=10.0)
    with pytest.raises(InputError, match="pitch_mm"):
        ScrewDesign(pitch_mm=float("nan"))
    with pytest.raises(InputError, match="thinner than the core"):
        ScrewDesign(outer_taper_share=0.4)
    with pytest.raises(InputError, match="too short"):
        shaft_mesh(PLAIN, 6.5, 8.0)
    with pytest.raises(InputError, match="positive"):
        shaft_mesh(PLAIN, 0.0, 45.0)
    with pytest.raises(InputError, match="positive"):
        head_mesh(PLAIN, -1.0)
