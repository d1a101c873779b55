"""From masses to grey values: every step against what it should do, and whole shots of both styles."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs import ap, lateral
from spinescrew.radiographs.beyond import beyond
from spinescrew.radiographs.canvas import Canvas
from spinescrew.radiographs.detector import Shutter, blurred, opened
from spinescrew.radiographs.exposure import Exposure, draw_exposure, expose
from spinescrew.radiographs.foreign import FOREIGN, foreign_metal
from spinescrew.radiographs.overlays import OVERLAYS, burn_in
from spinescrew.radiographs.spectrum import transmission
from spinescrew.radiographs.thickness import Thickness, thickness

SIZE = (120, 160)
PLAIN = Exposure(focus_mm=0.0, detector_mm=0.0, window=(0.0, 0.0), saturation=1e6, floor=1e-6, bits=16)


def a_patient(shape=SIZE, pixel_mm=1.8):
    """20 cm of tissue with a bar of bone up its middle."""
    soft = np.full(shape, 21.2, np.float32)
    bone = np.zeros(shape, np.float32)
    bone[:, shape[1] // 2 - 15 : shape[1] // 2 + 15] = 2.0
    return Thickness(ap(pixel_mm=pixel_mm, shape=shape), soft, bone)


def a_screw(shape=SIZE, mm=6.5):
    metal = np.zeros(shape, np.float32)
    metal[40:50, 60:100] = mm
    return metal


def a_shot(exposure, patient=None, metal=None, seed=0):
    patient = a_patient() if patient is None else patient
    return expose(
        patient, a_screw(patient.view.shape) if metal is None else metal, exposure, np.random.default_rng(seed)
    )


def test_a_logarithmic_picture_is_linear_in_the_mass_of_bone():
    patient = a_patient()
    patient.bone[:] = np.linspace(0, 1.5, SIZE[1], dtype=np.float32)
    grey = a_shot(PLAIN, patient, np.zeros(SIZE, np.float32)).pixels[0]
    assert_allclose(grey / 65535, np.linspace(0, 1, SIZE[1]), atol=0.01)


def test_metal_is_the_densest_whichever_way_the_grey_scale_goes():
    for scale in ("log", "linear"):
        bright = a_shot(replace(PLAIN, scale=scale))
        dark = a_shot(replace(PLAIN, scale=scale, bright_is_dense=False))
        assert bright.bright_is_dense
        assert not dark.bright_is_dense
        assert bright.pixels[45, 80] == 65535
        assert dark.pixels[45, 80] == 0
        assert_allclose(dark.dense_bright(), bright.pixels, atol=1.01)
        assert bright.pixels[0, 80] > bright.pixels[0, 0]


def test_the_picture_tells_its_geometry():
    image = a_shot(PLAIN)
    assert image.view == "AP"
    assert image.orientation == ("L", "F")
    assert image.spacing_kind == "detector"
    assert image.source_detector_mm == pytest.approx(1020)
    assert_allclose(image.pixel_mm, 1.8)
    patient = a_patient()
    side = Thickness(lateral(pixel_mm=1.8, shape=SIZE), patient.soft, patient.bone)
    assert a_shot(PLAIN, side).orientation == ("P", "F")


def test_the_automatic_exposure_counts_its_quanta_in_a_patient_of_any_size():
    for mass in (10.0, 30.0):
        patient = a_patient()
        patient.soft[:], patient.bone[:] = mass, 0.0
        shot = replace(PLAIN, photons_per_mm2=1000.0, scale="linear")
        patient.bone[:, :40] = 30.0  # No light comes through: the scale of the grey values begins here.
        grey = a_shot(shot, patient, np.zeros(SIZE, np.float32)).pixels
        light = grey[:, :20].mean() - grey[:, 80:]
        assert_allclose(light.std() / light.mean(), 1 / np.sqrt(1000 * 1.8**2), rtol=0.1)


def test_blur_of_the_detector_correlates_the_noise_and_blur_of_the_focus_does_not():
    patient = a_patient()
    patient.bone[:] = 0.0
    empty = np.zeros(SIZE, np.float32)
    for blur, correlation in ((("focus_mm", 1.8), 0.0), (("detector_mm", 1.8), 0.78)):
        grey = a_shot(replace(PLAIN, photons_per_mm2=1000.0, **{blur[0]: blur[1]}), patient, empty).pixels
        off = grey - grey.mean()
        assert (off[:, 1:] * off[:, :-1]).mean() / (off**2).mean() == pytest.approx(correlation, abs=0.06)


@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
def test_scatter_fills_the_shadow_of_metal_by_its_ratio(ratio):
    patient = a_patient()
    patient.bone[:] = 0.0
    light = transmission(np.linspace(10, 22, 1000), 0.0, kilovolts=PLAIN.kilovolts)
    twice = np.linspace(10, 22, 1000)[np.abs(light - 2 * transmission(21.2, 0.0, kilovolts=PLAIN.kilovolts)).argmin()]
    patient.soft[:, 110:120] = twice
    shot = replace(PLAIN, scatter_ratio=ratio, scatter_mm=200.0)
    grey = a_shot(shot, patient, a_screw(mm=300.0)).pixels / 65535
    # Shadow, tissue and the strip through which twice as much comes: log of r, 1 + r and 2 + r.
    exact = np.log((2 + ratio) / (1 + ratio)) / np.log((2 + ratio) / ratio)
    assert grey[45, 80] == pytest.approx(1.0, abs=0.02)
    assert grey[100, 20] == pytest.approx(exact, abs=0.03)


def test_the_open_beam_saturates_and_does_not_drown_the_patient():
    patient = a_patient()
    patient.soft[:, 130:] = 0.0
    patient.bone[:, 130:] = 0.0
    for scale in ("log", "linear"):
        image = a_shot(replace(PLAIN, scale=scale, saturation=4.0, floor=0.02), patient)
        grey = image.pixels / 65535
        assert grey[:, 135:].max() == 0
        assert grey[45, 80] - grey[10, 80] > 0.1
        assert grey[10, 80] - grey[10, 20] > 0.05


def test_sharpening_raises_edges_and_compression_lowers_slopes():
    patient = a_patient()
    patient.bone[:] = np.linspace(0, 4, SIZE[0], dtype=np.float32)[:, None]

    def share(**changes):
        grey = a_shot(replace(PLAIN, floor=0.01, **changes), patient).pixels
        return (grey[45, 80] - grey[45, 20]) / (grey[100, 20] - grey[10, 20])

    assert share(compression=0.6) > 1.3 * share()
    grey = a_shot(replace(PLAIN, floor=0.01, sharpening=2.0, sharpening_mm=4.0)).pixels
    assert grey[37:40, 80].min() < grey[10, 80] - 500


@pytest.mark.parametrize("shape", ["rectangle", "round", "iris"])
@pytest.mark.parametrize("leaves", ["lead", "dense", "bare", "grey"])
def test_shutters_hide_what_lies_behind_them(shape, leaves):
    shutter = Shutter(shape, (0.1, 0.0), (0.5, 0.4), 15.0, leaves)
    found = opened(SIZE, shutter)
    assert found[60, 88] == 1
    assert found[0].max() == found[-1].max() == 0
    exact = {"rectangle": 4, "round": np.pi, "iris": 8 * (np.sqrt(2) - 1)}[shape] * 0.5 * 0.4 * 80**2
    assert_allclose(found.sum(), exact, rtol=0.03)
    grey = a_shot(replace(PLAIN, shutter=shutter, floor=0.01, scatter_ratio=0.5)).pixels / 65535
    assert grey[0, 0] == pytest.approx({"lead": 1.0, "dense": 1.0, "bare": 0.0, "grey": 0.5}[leaves], abs=0.01)
    assert 0 < grey[70, 60] < 1


def test_a_wide_blur_on_a_coarse_grid_is_that_on_the_fine_one():
    values = np.random.default_rng(1).random((101, 130), dtype=np.float32)
    values[30:60, 50:90] += 5
    for sigma in (8.5, 13.0, 25.0):
        exact = gaussian_filter(values, sigma, mode="nearest")
        assert np.abs(blurred(values, sigma) - exact)[10:-10, 10:-10].max() < 0.12


def test_a_tube_is_as_long_as_its_chords_and_joints_do_not_count_twice():
    canvas = Canvas((80, 100), 0.5)
    canvas.tube([[-20, 0], [0, 0], [0, 0], [20, 0]], 3.0)
    assert_allclose(canvas.metal[39:41, 50], 2 * np.sqrt(9 - 0.25**2), rtol=1e-5)
    assert_allclose(canvas.metal[:, 30:70].sum() * 0.25, np.pi * 9 * 20, rtol=0.01)
    canvas = Canvas((80, 100), 0.5)
    canvas.tube([[-20, 0], [20, 0]], 3.0, wall=0.5)
    assert_allclose(canvas.metal[:, 30:70].sum() * 0.25, np.pi * (9 - 6.25) * 20, rtol=0.02)
    canvas = Canvas((80, 100), 0.5)
    canvas.plate([[-10, -5], [10, -5], [10, 5], [-10, 5]], 2.0)
    assert_allclose(canvas.metal.sum() * 0.25, 20 * 10 * 2, rtol=0.01)
    canvas.ball([500.0, 0.0], 3.0)


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_metal_of_every_kind_gets_into_pictures(kind):
    view = ap(pixel_mm=1.8, shape=SIZE)
    found = [foreign_metal(view, [kind], np.random.default_rng(seed)) for seed in range(12)]
    assert sum(metal.max() > 0 for metal in found) >= 7
    assert min(metal.min() for metal in found) == 0
    assert max(metal.max() for metal in found) < 120
    shot = replace(PLAIN, foreign=(kind,), floor=0.01)
    assert np.isfinite(a_shot(shot).pixels).all()


@pytest.mark.parametrize("kind", OVERLAYS)
def test_overlays_are_burned_in_bright_or_dark(kind):
    values = set()
    for seed in range(20):
        pixels = np.full((256, 256), 300, np.float32)
        burn_in(pixels, 1023.0, (kind,), np.random.default_rng(seed))
        assert 0 < (pixels != 300).mean() < 0.4
        assert (pixels == np.rint(pixels)).all()
        values |= {pixels.min(), pixels.max()}
    assert min(values) < 180  # Lines may be half transparent.
    assert max(values) > 900
    assert (a_shot(replace(PLAIN, overlays=(kind,) * 4)).pixels != a_shot(PLAIN).pixels).any()


@pytest.mark.parametrize("style", ["clean", "realistic"])
def test_shots_of_both_styles_are_whole_numbers_in_range_and_the_same_again(style):
    for seed in range(25):
        exposure = draw_exposure(np.random.default_rng(seed), style)
        assert exposure == draw_exposure(np.random.default_rng(seed), style)
        image = a_shot(exposure, seed=seed)
        assert image.pixels.dtype == np.float32
        assert image.pixels.shape == SIZE
        assert image.pixels.min() >= 0
        assert image.pixels.max() <= 2**exposure.bits - 1
        assert (image.pixels == np.rint(image.pixels)).all()
        assert image.pixels.max() > image.pixels.min()
        assert (a_shot(exposure, seed=seed).pixels == image.pixels).all()


def test_clean_shots_show_metal_apart_from_all_else():
    for seed in range(25):
        exposure = draw_exposure(np.random.default_rng(seed), "clean")
        assert not exposure.foreign
        assert not exposure.overlays
        grey = a_shot(exposure).dense_bright()
        grey = grey / (2**exposure.bits - 1)
        assert grey[41:49, 61:99].min() > np.delete(grey, np.s_[38:52], axis=0).max()


def test_realistic_shots_are_not_all_alike():
    drawn = [draw_exposure(np.random.default_rng(seed), "realistic") for seed in range(200)]
    assert {name for one in drawn for name in one.foreign} == set(FOREIGN)
    assert {name for one in drawn for name in one.overlays} == set(OVERLAYS)
    assert {one.shutter.shape if one.shutter else "none" for one in drawn} == {"none", "rectangle", "round", "iris"}
    assert {one.metal for one in drawn} == {"titanium", "steel", "cobalt-chrome"}
    assert {one.bright_is_dense for one in drawn} == {True, False}


def test_a_cut_ct_goes_on_beyond_its_faces():
    tissue = Volume(np.full((40, 30, 50), 40, np.int16), np.diag([-2.0, 3.0, 2.0, 1.0]))
    around = beyond(tissue)
    assert around.contains(tissue.index_to_ras([[0, 0, 0], [39, 29, 49]])).all()
    size = np.array(around.shape) * around.spacing
    assert_allclose(size, [330, 230, 460], atol=12)
    assert_allclose(around.array, 40, atol=1)
    whole = Volume(np.full((60, 60, 20), -1000, np.int16), np.diag([6.0, 6.0, 6.0, 1.0]))
    whole.array[10:50, 15:45] = 40
    around = beyond(whole)
    assert around.shape == (60, 60, 80)
    assert around.array[0].max() == -1000
    assert around.array[30, 30, 0] == pytest.approx(40, abs=1)


def test_beyond_a_cut_ct_the_picture_is_about_as_bright():
    tissue = Volume(np.full((30, 30, 30), 40, np.int16), np.diag([3.0, 3.0, 3.0, 1.0]))
    view = ap(tissue.index_to_ras([14.5, 14.5, 14.5]), pixel_mm=6.0, shape=(40, 40))
    cut, whole = thickness(view, tissue).soft, thickness(view, tissue, beyond=beyond(tissue)).soft
    assert cut.min() == 0
    assert whole.min() > 0.9 * whole.max()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="clean or realistic"):
        draw_exposure(np.random.default_rng(0), "lovely")
    with pytest.raises(InputError, match="retractor"):
        Exposure(foreign=("spoon",))
    with pytest.raises(InputError, match="crosshair"):
        Exposure(overlays=("poem",))
    with pytest.raises(InputError, match="bits"):
        Exposure(bits=4)
    with pytest.raises(GeometryError, match="same rays"):
        a_shot(PLAIN, metal=np.zeros((3, 3), np.float32))


def test_where_foreign_metal_lies_is_told_by_the_same_random_numbers():
    shot = replace(PLAIN, foreign=("retractor", "clamp"), floor=0.01)
    metal = foreign_metal(a_patient().view, shot.foreign, np.random.default_rng(4))
    empty = np.zeros(SIZE, np.float32)
    denser = a_shot(shot, metal=empty, seed=4).pixels - a_shot(replace(shot, foreign=()), metal=empty).pixels
    assert (denser[metal > 1.0] != 0).all()
    assert metal.max() > 0
