"""Radiographs of screws drawn with a pencil: systems that anyone can tell apart, and maps as a network finds them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from spinescrew.brands.crop import MAGNIFICATION
from spinescrew.brands.models import VIEWS
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.training.brand_cases import NONE, BrandPatient, Entry, image_of

PIXEL_MM = 0.6
SHAPE = (300, 340)
SYSTEMS = ("comb", "plain")


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawn film: metal bright, necks and tips (n, 2)."""

    pixels: np.ndarray
    necks: np.ndarray
    tips: np.ndarray
    heads: np.ndarray
    shafts: np.ndarray

    @property
    def radiograph(self):
        """As a file would tell it."""
        return Radiograph(self.pixels, True, np.full(2, PIXEL_MM), "detector")


def drawn(system, view, random, screws=3):
    """Shafts with a comb of teeth or without; long from the side, short from the front."""
    pixels = 0.2 + 0.02 * gaussian_filter(random.normal(size=SHAPE), 2).astype(np.float32)
    heads, shafts = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    px = MAGNIFICATION / PIXEL_MM
    long = (42.0 if view == "lat" else 14.0) * px
    necks, tips = [], []
    for n in range(screws):
        row, left = 70 + 75 * n + int(random.integers(-5, 6)), 110 + int(random.integers(-10, 11))
        necks.append((left, row))
        tips.append((left + long, row))
        across = np.arange(left, int(left + long))
        half = round(3.2 * px)
        for column in across:
            tooth = half if system != "comb" or (column - left) % 12 < 6 else half // 2
            shafts[row - tooth : row + tooth + 1, column] = True
        size = round((7.5 if system != "comb" else 6.0) * px)
        heads[row - size : row + size + 1, left - 2 * size : left] = True
    pixels[shafts] += 0.6
    pixels[heads] += 0.7
    return Drawn(pixels.astype(np.float32), np.array(necks, float), np.array(tips, float), heads, shafts)


def maps_of(film, view):
    """What a perfect network says of a drawn film, on the grid of ``view``; films are drawn at its step."""
    neck, tip = (_heat(points) for points in (film.necks, film.tips))
    to_tip, to_neck = np.zeros((2, 2, *SHAPE), np.float32)
    for one, other in zip(film.necks, film.tips, strict=True):
        for field, way, at in ((to_tip, other - one, one), (to_neck, one - other, other)):
            row, column = round(at[1]), round(at[0])
            field[:, row - 6 : row + 7, column - 6 : column + 7] = way[:, None, None]
    shaft = gaussian_filter((film.shafts & ~film.heads).astype(np.float32), 0.5)
    head = gaussian_filter(film.heads.astype(np.float32), 0.5)
    return ScrewMaps(view, shaft, head, neck, tip, to_tip, to_neck)


def _heat(points):
    row, column = np.indices(SHAPE)
    away = [((column - p[0]) ** 2 + (row - p[1]) ** 2) / (2 * 2.5**2) for p in points]
    return np.exp(-np.min(away, axis=0)).astype(np.float32)


@lru_cache
def _patient(brand, number):
    random = np.random.default_rng(number)
    films = {view: drawn(brand or "round", view, random, screws=2) for view in VIEWS}
    px = MAGNIFICATION / PIXEL_MM
    return BrandPatient(brand, {v: image_of(f.radiograph, px, f.necks, f.tips) for v, f in films.items()})


class FakeSource:
    """Patients with drawn films; the third system is none of the two."""

    generator = "sha256:fake"

    def __init__(self, count=12, systems=(*SYSTEMS, NONE)):
        self.entries = [Entry(n, systems[n % len(systems)], n % 2 == 0) for n in range(count)]

    def __getitem__(self, number):
        return _patient(self.entries[number].brand, number)

    def describe(self):
        """For the card."""
        return f"{len(self.entries)} drawn patients"
