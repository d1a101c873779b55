"""Crops around single screws: always as large in the patient, turned alike."""

import numpy as np
import pytest
from brand_fakes import PIXEL_MM, drawn
from hypothesis import given, settings
from hypothesis import strategies as st

from spinescrew.brands.crop import (
    DETAIL,
    MAGNIFICATION,
    METAL,
    OVERALL,
    SIDE_MM,
    SIZE,
    Window,
    beside,
    channels,
    cut,
    lies_down,
    spread_out,
    windows_of,
)

PX = MAGNIFICATION / PIXEL_MM
NUMBERS = st.floats(-500, 500)


@settings(max_examples=50, deadline=None)
@given(st.tuples(NUMBERS, NUMBERS), st.floats(50, 900), st.floats(-180, 180), st.tuples(NUMBERS, NUMBERS))
def test_pixels_go_to_the_image_and_back(centre, side, turn, pixel):
    window = Window(0, np.array(centre), side, turn)
    assert np.allclose(window.to_crop(window.to_image(pixel)), pixel, atol=1e-6)


def test_a_crop_shows_what_is_there_at_its_scale():
    image = np.zeros((400, 400), np.float32)
    image[190:211, 150:251] = 1.0
    crop = cut(image, Window(0, np.array([200.0, 200.0]), 256.0, 0.0))
    assert crop.shape == (SIZE, SIZE)
    assert np.isclose(crop.sum(), image.sum(), rtol=0.02)
    assert crop[128, 128] == 1.0
    assert crop[100, 128] == 0.0


def test_a_crop_of_fine_pixels_is_averaged():
    image = np.indices((900, 900)).sum(axis=0).astype(np.float32) % 2
    crop = cut(image, Window(0, np.array([450.0, 450.0]), 800.0, 0.0))
    assert np.abs(crop - 0.5).max() < 0.26


def test_a_turned_crop_is_the_crop_of_the_turned_image():
    film = drawn("comb", "lat", np.random.default_rng(1))
    upright = windows_of(film.necks, film.tips, PX)[1]
    turned = np.rot90(film.pixels)
    to_turned = lambda p: np.stack([p[:, 1], film.pixels.shape[1] - 1 - p[:, 0]], axis=-1)  # noqa: E731
    again = windows_of(to_turned(film.necks), to_turned(film.tips), PX)[1]
    assert np.abs(cut(film.pixels, upright) - cut(np.ascontiguousarray(turned), again)).max() < 1e-3


def test_windows_are_as_large_in_the_patient_at_every_scale():
    film = drawn("comb", "lat", np.random.default_rng(1))
    assert all(np.isclose(w.side_px, SIDE_MM * PX) for w in windows_of(film.necks, film.tips, PX))
    doubled = windows_of(2 * film.necks, 2 * film.tips, 2 * PX)
    assert all(np.isclose(w.side_px, 2 * SIDE_MM * PX) for w in doubled)


def test_long_shafts_run_to_the_right_and_short_ones_stand_as_in_the_image():
    necks = np.array([[100.0, 100.0], [200.0, 100.0]])
    long = windows_of(necks, necks + (-60.0, -60.0), 1.0)
    for window, neck in zip(long, necks, strict=True):
        ends = window.to_crop([neck, neck + (-60.0, -60.0)])
        assert np.isclose(ends[0, 1], ends[1, 1])
        assert ends[1, 0] > ends[0, 0]
    short = windows_of(necks, necks + [[12.0, 5.0], [-12.0, 5.0]], 1.0)
    assert [w.turn_deg for w in short] == [0.0, 180.0]


def test_a_lying_image_is_told_by_the_shafts():
    necks = np.zeros((2, 2))
    assert lies_down(necks, np.array([[2.0, 30.0], [-3.0, 25.0]]))
    assert not lies_down(necks, np.array([[30.0, 2.0], [-25.0, 3.0]]))


def test_the_surest_windows_are_kept_and_twins_left_out_first():
    windows = [Window(n, np.array(c, float), 100.0, 0.0) for n, c in enumerate([(0, 0), (3, 0), (0, 80), (0, 160)])]
    assert [w.screw for w in spread_out(windows, [0.9, 0.8, 0.5, 0.4], 3)] == [0, 2, 3]
    assert [w.screw for w in spread_out(windows, [0.9, 0.8, 0.5, 0.4], 4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("gain", [1.0, 250.0])
def test_channels_do_not_depend_on_the_scale_of_grey(gain):
    film = drawn("comb", "lat", np.random.default_rng(2))
    crop = cut(film.pixels, windows_of(film.necks, film.tips, PX)[0])
    one, other = channels(crop), channels(gain * crop + 7.0)
    assert np.abs(one - other).max() < 1e-2
    assert one.shape == (3, SIZE, SIZE)
    metal = crop > 0.7
    assert one[METAL][metal].mean() > one[METAL][~metal].mean()
    assert one[OVERALL][metal].mean() > one[OVERALL][~metal].mean()
    assert abs(one[DETAIL].mean()) < 0.1


def test_two_crops_stand_beside_one_another():
    first, second = np.zeros((3, SIZE, SIZE), np.float32), np.ones((3, SIZE, SIZE), np.float32)
    both = beside(first, second)
    assert both.shape == (3, SIZE, 2 * SIZE)
    assert both[:, :, SIZE:].all()
