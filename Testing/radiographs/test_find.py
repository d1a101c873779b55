"""Screws sought by a network: what it is shown, on which grid, and how large images are put together."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinescrew.errors import InputError  # noqa: E402
from spinescrew.networks.screw_net import CHANNELS, NECK, SHAFT, TO_TIP  # noqa: E402
from spinescrew.radiographs import ap  # noqa: E402
from spinescrew.radiographs.find import WORK_MM, find_screws, maps_of, resampled, screw_input  # noqa: E402
from spinescrew.radiographs.radiograph import Radiograph  # noqa: E402


class Echo(torch.nn.Module):
    """Says of each pixel what it sees there: brightness is shaft and neck, and points the way."""

    def __init__(self):
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(1))

    def forward(self, image):
        out = torch.zeros(1, CHANNELS, *image.shape[2:])
        out[:, SHAFT] = out[:, NECK] = image[:, 0] * self.one
        out[:, TO_TIP] = image[:, :1] / 4
        return out


def test_what_is_shown_does_not_depend_on_the_scale_of_grey():
    pixels = np.random.default_rng(1).normal(size=(50, 60)).astype(np.float32)
    assert np.allclose(screw_input(pixels), screw_input(700.0 * pixels + 4000.0), atol=1e-4)


@pytest.mark.parametrize("pixel_mm", [0.15, 0.194, 0.3, 0.388, 0.6, 0.9])
def test_points_stay_on_their_pixels_whatever_the_pixel_size(pixel_mm):
    side = int(240 / pixel_mm)
    view = ap(pixel_mm=pixel_mm, shape=(side, side + 10))
    rows, columns = np.indices(view.shape)
    ramp = (3.0 * rows + 2.0 * columns).astype(np.float32)
    image, coarse = resampled(ramp, view, WORK_MM)
    assert image.shape == coarse.shape
    assert coarse.pixel_mm == pytest.approx([WORK_MM, WORK_MM])
    point = np.array([20.0, 5.0, 10.0])
    column, row = coarse.project(point)
    there = image[round(float(row)), round(float(column))]
    original = view.project(coarse.on_detector((round(float(column)), round(float(row)))))
    assert there == pytest.approx(float(original @ (2.0, 3.0)), abs=0.6)


def test_a_large_image_is_answered_as_if_it_were_seen_at_once():
    view = ap(pixel_mm=0.3, shape=(900, 1400))
    pixels = np.random.default_rng(2).uniform(size=view.shape).astype(np.float32)
    maps = maps_of(Echo(), pixels, view)
    shown = screw_input(pixels)
    assert np.abs(maps.neck - 1 / (1 + np.exp(-shown))).max() < 0.01
    assert np.abs(maps.to_tip - 8.0 * shown).max() < 0.2


def test_a_geometry_of_another_image_is_refused():
    image = Radiograph(np.zeros((10, 12), np.float32), True)
    with pytest.raises(InputError, match="give the geometry of this image"):
        find_screws(image, ap(shape=(12, 10)))
