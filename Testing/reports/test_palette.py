"""Colours of grades: apart from each other, also without red-green vision."""

import itertools

import numpy as np
import pytest

from spinescrew.reports.palette import FACET_COLOURS, GRADE_COLOURS, UNGRADED, facet_colour, grade_colour, ink_on

# Linear-RGB matrices for complete dichromacy (Machado, Oliveira and Fernandes 2009).
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(to_xyz @ rgb, 1e-4, None) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("palette", [GRADE_COLOURS, FACET_COLOURS], ids=["letters", "facet grades"])
def test_grades_stay_apart_with_and_without_red_green_vision(sight, palette):
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in (*palette.values(), UNGRADED)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12.0


@pytest.mark.parametrize("colour", [*GRADE_COLOURS.values(), UNGRADED, "#FFFFFF", "#000000"])
def test_ink_on_a_colour_keeps_a_contrast_of_at_least_four_and_a_half(colour):
    weights = np.array([0.2126, 0.7152, 0.0722])
    light, dark = sorted((weights @ linear(colour), weights @ linear(ink_on(colour))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_what_is_not_graded_is_grey():
    assert {grade_colour(None), grade_colour("not gradable"), grade_colour("–")} == {UNGRADED}
    assert {facet_colour(None), facet_colour("not gradable")} == {UNGRADED}
    assert grade_colour("C") == GRADE_COLOURS["C"]
    assert facet_colour(2) == FACET_COLOURS[2]
