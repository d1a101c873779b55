"""Whether everything that shows a plan shows the same one."""

from __future__ import annotations

import numpy as np
import vtk

from spinescrew.reports.palette import UNGRADED, grade_colour
from spinescrew.scene.grips import PARTS, part_point
from spinescrew.scene.screw_nodes import rgb_of
from spinescrew.scene.volumes import array_from_matrix
from spinescrew.scene.wording import long_label, short_label, table_cells


def check(shown):
    """Lines, poses, surfaces, colours, handles, labels and table agree with the session's plan."""
    session = shown.session
    plan = session.plan
    assert set(shown._screws) == {row.key for row in plan.planned}
    assert set(shown.grips.keys()) == {row.key for row in plan.planned}
    for row in plan.screws:
        stale = row.level in session.stale
        assert shown.table.cells(row.key) == table_cells(row, session.automatic, stale), row.key
        if row.screw is not None:
            _check_screw(shown, row, stale)


def _check_screw(shown, row, stale):
    nodes, screw = shown.nodes(row.key), row.screw
    entry, tip = nodes.ends()
    np.testing.assert_allclose(entry, screw.entry, atol=1e-5)
    np.testing.assert_allclose(tip, screw.tip, atol=1e-5)
    assert nodes.node("line").GetLocked(), "a line under a handle would take its clicks"
    pose = nodes.pose()
    np.testing.assert_allclose(pose[:3, 3], screw.entry, atol=1e-5)
    np.testing.assert_allclose(pose[:3, 2], screw.direction, atol=1e-6)
    model = nodes.node("model")
    assert model.GetTransformNodeID() == nodes.node("pose").GetID()
    bounds = np.array(model.GetPolyData().GetBounds())
    assert abs(bounds[5] - screw.shape.length_mm) < 1e-4, "the surface has the screw's length"
    shaft_mm = max(screw.shape.diameter_mm, screw.shape.tulip_diameter_mm)
    assert abs(bounds[1] - bounds[0] - shaft_mm) < 0.2
    graded = row.assessment if not stale else None
    colour = grade_colour(graded.gertzbein_robbins) if graded is not None else UNGRADED
    np.testing.assert_allclose(model.GetDisplayNode().GetColor(), rgb_of(colour), atol=1e-6)
    for part in PARTS:
        number = shown.grips.numbers()[row.key, part]
        np.testing.assert_allclose(shown.grips.position(number), part_point(screw, part), atol=1e-5)
        assert bool(shown.grips.node.GetNthControlPointLocked(number)) == row.locked
    number = shown.grips.keys()[row.key]
    label = long_label if row.key == shown.session.selected else short_label
    assert shown.grips.node.GetNthControlPointLabel(number) == label(row, stale)
    _check_breach(nodes, graded)


def _check_breach(nodes, graded):
    breach = nodes.node("breach")
    out = graded is not None and (
        (graded.breach is not None and graded.breach.mm > 0) or any(mm > 0 for mm in graded.body_breaches.values())
    )
    assert bool(breach.GetDisplayNode().GetVisibility()) == out
    assert bool(breach.GetPolyData().GetNumberOfPoints()) == out


def world_matrix(node):
    """4x4 of a transform node."""
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToWorld(matrix)
    return array_from_matrix(matrix)
