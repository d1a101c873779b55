"""Mouse drags on Slicer's own displayable managers, without a window: what the hand does arrives in the plan."""

import agreement
import numpy as np
import pytest
from offscreen_views import Views, views_problem

from spinescrew.anatomy.levels import Level
from spinescrew.grading.grade import assess
from spinescrew.planning.session import Session
from spinescrew.scene.aligned_slices import AlignedSlices, screw_planes
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.volumes import add_segmentation, add_volume, array_from_matrix

pytestmark = pytest.mark.skipif(bool(views_problem()), reason=views_problem() or "views can be drawn")

KEY = (Level.L3, "right")
NAMES = ("Red", "Yellow", "Green")


@pytest.fixture
def views(scene):
    with Views(scene, (400, 400)) as made:
        yield made


@pytest.fixture
def shown(case, scene, views):
    """The case with CT, opaque bone and screws in all four views, slices along one screw."""
    ct = add_volume(scene, case.spine.ct, "CT")
    for view in views.slices.values():
        view.set_background(ct)
        view.node.SetFieldOfView(100, 100, 1)
    add_segmentation(scene, case.spine.labels, "Vertebrae")
    made = PlanScene(scene, Session(case.plan, case.spine))
    made.session.snap = False
    made.session.select(KEY)
    made.watch_slices(AlignedSlices([views.slices[name].node for name in NAMES]))
    centre = case.spine.vertebrae[Level.L3].frame.origin
    views.three_d.fit(np.column_stack([centre - 45, centre + 45]).ravel())
    views.three_d.look_from((0.4, -1.0, 0.3))
    views.render()
    yield made
    made.close()


def handle(shown, part):
    screw = shown.session.plan.get(*KEY).screw
    if part == "whole":
        return shown.grips.position(shown.grips.keys()[KEY])
    return screw.entry if part == "entry" else screw.tip


def drag(view, start, by):
    """Drag from where a RAS point is seen by so many pixels."""
    at = np.array(view.ras_to_display(start))
    view.drag(tuple(at), tuple(at + by))
    return at + by


def check_everything(shown, case):
    agreement.check(shown)
    row = shown.session.plan.get(*KEY)
    others = [other.screw for other in shown.session.plan.planned if other.key != KEY]
    fresh = assess(row.screw, case.spine, *KEY, others).to_dict()
    found = row.assessment.to_dict()
    assert {**found, "execution_risk": None} == fresh
    planes = screw_planes(row.screw, case.spine.vertebrae[KEY[0]].frame)
    for node, plane in zip(shown.slices.nodes, planes, strict=True):
        np.testing.assert_allclose(array_from_matrix(node.GetSliceToRAS()), plane, atol=1e-6)


@pytest.mark.parametrize("part", ["entry", "tip", "whole"])
def test_dragging_in_3d_inside_opaque_bone(shown, case, views, part):
    before = shown.session.plan.get(*KEY).screw
    goal = drag(views.three_d, handle(shown, part), (14, 18))
    after = shown.session.plan.get(*KEY).screw
    assert np.linalg.norm(np.array(views.three_d.ras_to_display(handle(shown, part))) - goal) < 3
    if part == "whole":
        np.testing.assert_allclose(after.direction, before.direction, atol=1e-6)
        np.testing.assert_allclose(after.entry - before.entry, after.tip - before.tip, atol=1e-5)
    else:
        still = ("tip", "entry")[part == "tip"]
        np.testing.assert_allclose(getattr(after, still), getattr(before, still), atol=1e-5)
    assert shown.session.history.names == (f"{'move' if part == 'whole' else 'drag'} L3 right",)
    check_everything(shown, case)


# Entry and tip lie in the planes along the screw; across it only the whole screw can be grabbed.
IN_PLANE = [(name, part) for name in ("Red", "Yellow") for part in ("entry", "tip", "whole")] + [("Green", "whole")]


@pytest.mark.parametrize(("name", "part"), IN_PLANE)
def test_dragging_in_a_slice_along_the_screw(shown, case, views, name, part):
    view = views.slices[name]
    matrix = array_from_matrix(view.node.GetSliceToRAS())
    start = handle(shown, part).copy()
    drag(view, start, (12, -9))
    mm_per_pixel = 100 / 400
    expected = start + mm_per_pixel * (12 * matrix[:3, 0] - 9 * matrix[:3, 1])
    np.testing.assert_allclose(handle(shown, part), expected, atol=2 * mm_per_pixel)
    assert len(shown.session.history.names) == 1
    check_everything(shown, case)


@pytest.mark.parametrize("orientation", ["Axial", "Sagittal", "Coronal"])
def test_dragging_in_a_plain_slice(shown, case, views, orientation):
    """Slices that do not follow the screw: each handle is grabbed where the slice passes through it."""
    shown.watch_slices(None)
    view = views.slices["Red"]
    view.node.SetOrientation(orientation)
    for part in ("entry", "tip", "whole"):
        at = handle(shown, part).copy()
        view.node.JumpSliceByCentering(*at)
        views.render()
        drag(view, at, (8, 6))
        assert np.linalg.norm(handle(shown, part) - at) > 1.0, part
    assert len(shown.session.history.names) == 3
    agreement.check(shown)


def test_the_image_can_stay_while_the_screw_moves(shown, case, views):
    shown.slices.follow = "image"
    before = [array_from_matrix(node.GetSliceToRAS()) for node in shown.slices.nodes]
    drag(views.three_d, handle(shown, "whole"), (10, 10))
    for node, matrix in zip(shown.slices.nodes, before, strict=True):
        np.testing.assert_allclose(array_from_matrix(node.GetSliceToRAS()), matrix)
    assert shown.session.history.can_undo


def test_a_locked_screw_cannot_be_dragged(shown, case, views):
    from spinescrew.planning import edits

    shown.session.edit("lock", lambda plan: edits.set_locked(plan, *KEY))
    for part in ("entry", "tip", "whole"):
        drag(views.three_d, handle(shown, part), (12, 12))
    assert shown.session.plan.get(*KEY).screw is case.plan.get(*KEY).screw


def test_a_screw_pushed_out_of_the_bone_turns_its_colour_and_marks_the_spot(shown, case, views):
    from spinescrew.reports.palette import grade_colour
    from spinescrew.scene.screw_nodes import rgb_of

    view = views.slices["Green"]
    drag(view, handle(shown, "whole"), (-24, 0))  # to the patient's left: into the canal
    row = shown.session.plan.get(*KEY)
    assert row.assessment.gertzbein_robbins in "CDE"
    assert row.assessment.breach_direction == "medial"
    model = shown.nodes(KEY).node("model").GetDisplayNode()
    np.testing.assert_allclose(model.GetColor(), rgb_of(grade_colour(row.assessment.gertzbein_robbins)), atol=1e-6)
    breach = shown.nodes(KEY).node("breach")
    assert breach.GetDisplayNode().GetVisibility()
    bounds = np.array(breach.GetPolyData().GetBounds())
    spot = np.array(row.assessment.breach.point)
    assert (bounds[::2] <= spot).all() and (spot <= bounds[1::2]).all()
    picture = view.picture().astype(int)
    pink = (picture[..., 0] > 180) & (picture[..., 1] < 80) & (picture[..., 2] > 80)
    assert pink.sum() > 20
