"""Outlines of screws as lines on an image."""

import numpy as np
import pytest

from spinescrew.geometry.vectors import unit
from spinescrew.implants.mesh import posed_mesh
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.radiographs import ap, lateral
from spinescrew.radiographs.metal import metal_path
from spinescrew.radiographs.outlines import outline

SCREW = Screw((10.0, -20.0, 5.0), (-0.4, 1.0, 0.15), ScrewShape(6.5, 45.0))


def inside(polygon, pixels):
    from matplotlib.path import Path

    return Path(polygon).contains_points(pixels)


@pytest.mark.parametrize("make", [ap, lateral])
def test_the_outline_is_the_edge_of_what_the_metal_hides(make):
    view = make(shape=(300, 300), pixel_mm=1.0)
    drawn = outline(view, SCREW)
    shown = metal_path(view, *posed_mesh(SCREW, threaded=False)) > 0
    rows, columns = np.indices(view.shape)
    pixels = np.column_stack([columns.ravel(), rows.ravel()])
    both = (inside(drawn.shaft, pixels) | inside(drawn.head, pixels)).reshape(view.shape)
    # the tulip has a slot and a rounded shoulder, its cylinder has not
    assert (shown & ~both).sum() < 0.02 * shown.sum()
    assert (both & ~shown).sum() < 0.15 * shown.sum()


def test_the_axis_ends_where_the_screw_does():
    view = lateral()
    drawn = outline(view, SCREW)
    np.testing.assert_allclose(drawn.axis, view.project(np.stack([SCREW.entry, SCREW.tip])))
    assert inside(drawn.shaft, [drawn.axis.mean(axis=0)]).all()


def test_a_tilted_tulip_is_drawn_tilted():
    view = lateral()
    straight, tilted = outline(view, SCREW), outline(view, SCREW, unit(SCREW.direction + (0.0, 0.0, 0.5)))
    np.testing.assert_allclose(straight.shaft, tilted.shaft)
    top = [part.head.mean(axis=0)[1] for part in (straight, tilted)]
    assert top[1] - top[0] > 5.0


def test_what_lies_behind_the_source_has_no_outline():
    view = ap()
    behind = Screw(view.source - 20 * view.normal, view.normal, ScrewShape(6.5, 45.0))
    drawn = outline(view, behind)
    assert drawn.head.shape == (0, 2)
