"""Vertebrae that are corrected while their screws are in hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from scipy.ndimage import binary_dilation
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.grading.grade import assess
from spinescrew.planning import edits
from spinescrew.planning.session import Session
from spinescrew.scene.host import DirectHost, FrameHost
from spinescrew.scene.open_case import OpenCase
from spinescrew.scene.segmentation_watch import SegmentationWatch
from spinescrew.scene.standalone import quiet
from spinescrew.scene.volumes import (
    BINARY_LABELMAP,
    add_segmentation,
    labels_from_segmentation,
    matrix_from_array,
    segments_by_level,
)
from spinescrew.scene.wording import COLUMNS

L2L, L3L = (Level.L2, "left"), (Level.L3, "left")
LOGIC = slicer.vtkSlicerSegmentationsModuleLogic


@pytest.fixture
def opened(case, scene, host):
    segmentation = add_segmentation(scene, case.spine.labels, "Vertebrae", surface=False)
    made = OpenCase(scene, case.plan, case.spine, labels_node=segmentation, host=host)
    made.session.snap = False
    yield made
    made.close()


@pytest.fixture
def told(opened):
    lines = []
    opened.on_problem.append(lines.append)
    return lines


def segmentation_of(opened):
    return opened.watch.node.GetSegmentation()


def segment_of(opened, level):
    return segmentation_of(opened).GetSegment(segments_by_level(opened.watch.node)[level])


def voxels(image):
    """[i, j, k] view of an image's voxels."""
    flat = vtk_to_numpy(image.GetPointData().GetScalars())
    return flat.reshape(image.GetDimensions()[::-1]).transpose(2, 1, 0)


def mask_of(opened, level):
    """A segment as the Segment Editor's effects get it: an image of its own, 1 inside."""
    image = slicer.vtkOrientedImageData()
    opened.watch.node.GetBinaryLabelmapRepresentation(segments_by_level(opened.watch.node)[level], image)
    return image


def near(opened, image, centre, radius_mm=4.0):
    index = np.stack(np.meshgrid(*map(np.arange, image.GetDimensions()), indexing="ij"), axis=-1)
    points = opened.session.spine.labels.index_to_ras(index + image.GetExtent()[::2])
    return np.linalg.norm(points - centre, axis=-1) < radius_mm


def set_mask(opened, level, image):
    assert LOGIC.SetBinaryLabelmapToSegment(image, opened.watch.node, segments_by_level(opened.watch.node)[level])


def erase(opened, key):
    """A ball taken out of the pedicle on one side, as the eraser does."""
    image = mask_of(opened, key[0])
    ball = near(opened, image, opened.session.spine.vertebrae[key[0]].pedicles[key[1]].isthmus)
    assert voxels(image)[ball].any(), "there is bone to erase"
    voxels(image)[ball] = 0
    set_mask(opened, key[0], image)


def grow_over_neighbours(opened, level):
    """A segment painted thicker, overwriting what is there, as the brush does by default."""
    image, by_level = mask_of(opened, level), segments_by_level(opened.watch.node)
    voxels(image)[...] = binary_dilation(voxels(image), iterations=3)
    others = [identifier for other, identifier in by_level.items() if other is not level]
    node, extent = opened.watch.node, image.GetExtent()
    assert LOGIC.SetBinaryLabelmapToSegment(image, node, by_level[level], LOGIC.MODE_REPLACE, extent, False, others)


def grades(rows):
    """Everything measured of these rows but the risk, which comes later."""
    found = {row.key: row.assessment.to_dict() for row in rows}
    return {key: {name: value for name, value in d.items() if name != "execution_risk"} for key, d in found.items()}


def grades_from_scratch(opened):
    """Grades of the session's screws in vertebrae measured from nothing but the segmentation as it is now."""
    labels = labels_from_segmentation(opened.watch.node, opened.session.spine.labels)
    spine = build_spine(labels, opened.session.spine.ct, parse_levels("L2-L4"))
    rows = [row for row in opened.session.plan.planned if row.level in spine.vertebrae]
    screws = [row.screw for row in opened.session.plan.planned]
    found = {
        row.key: assess(row.screw, spine, *row.key, [s for s in screws if s is not row.screw]).to_dict() for row in rows
    }
    return {key: {name: value for name, value in d.items() if name != "execution_risk"} for key, d in found.items()}


def grade_shown(opened, key):
    return opened.shown.table.cells(key)[COLUMNS.index("GR")]


def test_an_edit_makes_its_level_and_the_one_below_stale_at_once(opened):
    erase(opened, L3L)
    assert opened.session.stale == {Level.L3, Level.L4}
    for row in opened.session.plan.planned:
        assert (row.assessment is None) == (row.level in (Level.L3, Level.L4))
        assert (grade_shown(opened, row.key) == "stale") == (row.level in (Level.L3, Level.L4))
    grips = opened.shown.grips
    assert grips.node.GetNthControlPointLabel(grips.keys()[L3L]).endswith("stale")


def test_when_the_hand_rests_the_grades_are_those_of_a_fresh_measurement(opened, host, told):
    first = grades(opened.session.plan.planned)
    erase(opened, L3L)
    host.run_later()
    assert not opened.session.stale and not told
    again = grades(opened.session.plan.planned)
    assert again == grades_from_scratch(opened)
    assert again[L3L] != first[L3L], "the correction is one that matters"
    assert grade_shown(opened, L3L) == again[L3L]["gertzbein_robbins"]
    now = labels_from_segmentation(opened.watch.node).content_hash()
    assert opened.session.plan.input_hash["labels"] == opened.session.spine.labels.content_hash() == now


def test_nothing_is_measured_while_the_hand_moves_and_each_stroke_starts_the_wait_anew(case, scene):
    class Recording(DirectHost):
        asked = 0

        def later(self, name, seconds, work):
            super().later(name, seconds, work)
            self.asked += name == "remeasure"

    host = Recording()
    segmentation = add_segmentation(scene, case.spine.labels, "Vertebrae", surface=False)
    opened = OpenCase(scene, case.plan, case.spine, labels_node=segmentation, host=host)
    strokes = []
    for side in ("left", "right"):
        erase(opened, (Level.L3, side))
        strokes.append(host.asked)
        assert opened.session.spine is case.spine
    assert 0 < strokes[0] < strokes[1]
    host.run_later()
    assert opened.session.spine is not case.spine
    opened.close()


def test_many_events_of_one_frame_are_one_look(case, scene):
    host = FrameHost()
    segmentation = add_segmentation(scene, case.spine.labels, "Vertebrae", surface=False)
    opened = OpenCase(scene, case.plan, case.spine, labels_node=segmentation, host=host)
    heard = []
    opened.session.subscribe(heard.append)
    before = len(host.next_frame)
    for side in ("left", "right"):
        erase(opened, (Level.L3, side))
    assert len(host.next_frame) <= before + 1 and len(heard) <= 1
    host.frame()
    assert len(heard) == 1 and opened.session.stale == {Level.L3, Level.L4}
    erase(opened, (Level.L2, "left"))
    opened.close()
    host.frame()
    assert opened.session.stale == {Level.L3, Level.L4}


def test_voxels_put_back_give_the_first_grades_back(opened, host):
    first, before = grades(opened.session.plan.planned), mask_of(opened, Level.L3)
    erase(opened, L3L)
    host.run_later()
    assert grades(opened.session.plan.planned) != first
    set_mask(opened, Level.L3, before)
    host.run_later()
    assert grades(opened.session.plan.planned) == first


def test_voxels_put_back_before_the_hand_rests_give_the_first_grades_back(opened, host, case):
    first, before = grades(opened.session.plan.planned), mask_of(opened, Level.L3)
    erase(opened, L3L)
    set_mask(opened, Level.L3, before)
    assert opened.session.stale
    host.run_later()
    assert not opened.session.stale
    assert grades(opened.session.plan.planned) == first
    assert opened.session.plan.input_hash == case.plan.input_hash


def test_undo_of_the_segment_editor_gives_the_first_grades_back(opened, host):
    first, history = grades(opened.session.plan.planned), slicer.vtkSegmentationHistory()
    history.SetSegmentation(segmentation_of(opened))
    history.SaveState()
    erase(opened, L3L)
    host.run_later()
    assert history.RestorePreviousState()
    assert opened.session.stale >= {Level.L3, Level.L4}
    host.run_later()
    assert grades(opened.session.plan.planned) == first


def test_voxels_changed_in_place_are_noticed(opened):
    image = segment_of(opened, Level.L3).GetRepresentation(BINARY_LABELMAP)
    inside = voxels(image) == segment_of(opened, Level.L3).GetLabelValue()
    inside[:, :, ::2] = False
    voxels(image)[inside] = 0
    image.Modified()
    assert opened.session.stale >= {Level.L3, Level.L4}


def test_a_cleared_segment_is_noticed(opened):
    assert LOGIC.ClearSegment(opened.watch.node, segments_by_level(opened.watch.node)[Level.L3])
    assert opened.session.stale >= {Level.L3, Level.L4}


def test_bone_painted_over_makes_the_level_that_loses_it_stale_at_once(opened):
    grow_over_neighbours(opened, Level.L4)
    assert opened.session.stale >= {Level.L3, Level.L4, Level.L5}


def test_bone_painted_over_is_measured_anew_on_both_sides(opened, host):
    grow_over_neighbours(opened, Level.L4)
    host.run_later()
    assert grades(opened.session.plan.planned) == grades_from_scratch(opened)


def test_a_vertebra_far_from_every_screw_makes_no_grade_stale(opened, host, told):
    first = grades(opened.session.plan.planned)
    image = mask_of(opened, Level.T12)
    inside = np.argwhere(voxels(image))
    voxels(image)[tuple(inside[: len(inside) // 10].T)] = 0
    set_mask(opened, Level.T12, image)
    assert not opened.session.stale
    host.run_later()
    assert not told and grades(opened.session.plan.planned) == first
    assert np.array_equal(opened.session.spine.labels.array, labels_from_segmentation(opened.watch.node).array)


def test_a_removed_segment_leaves_its_screws_ungraded_and_says_why(opened, host):
    segmentation_of(opened).RemoveSegment(segments_by_level(opened.watch.node)[Level.L3])
    assert opened.session.stale >= {Level.L3, Level.L4}
    host.run_later()
    row = opened.session.plan.get(*L3L)
    assert row.screw is not None and row.assessment is None
    assert any("L3 (22) is not in the label map" in note for note in row.notes)
    assert grade_shown(opened, L3L) == "not graded"


def test_a_segment_that_is_added_is_measured(opened, host):
    first, identifier = grades(opened.session.plan.planned), segments_by_level(opened.watch.node)[Level.L3]
    kept = slicer.vtkSegmentation()
    kept.CopySegmentFromSegmentation(segmentation_of(opened), identifier, False)
    segmentation_of(opened).RemoveSegment(identifier)
    host.run_later()
    segmentation_of(opened).AddSegment(kept.GetSegment(identifier), identifier)
    assert opened.session.stale >= {Level.L3, Level.L4}
    host.run_later()
    assert grades(opened.session.plan.planned) == first


def test_a_vertebra_that_loses_its_name_is_gone_until_it_has_one_again(opened, host, told):
    first, segment = grades(opened.session.plan.planned), segment_of(opened, Level.L3)
    segment.SetName("something")
    host.run_later()
    assert opened.session.plan.get(*L3L).assessment is None
    segment.SetName("L3")
    host.run_later()
    assert not opened.session.stale and not told
    assert grades(opened.session.plan.planned) == first
    assert opened.session.plan.get(*L3L).notes == (), "it no longer says that L3 is missing"


def test_two_segments_of_one_name_are_told_and_the_grades_stay_stale(opened, host, told):
    segment_of(opened, Level.L3).SetName("L2")
    assert opened.session.stale == {Level.L2, Level.L3, Level.L4}
    host.run_later()
    assert told == ["two segments are named L2 (21); rename one of them"]
    assert opened.session.stale == {Level.L2, Level.L3, Level.L4}
    assert grade_shown(opened, L2L) == grade_shown(opened, L3L) == "stale"


def test_the_right_name_again_gives_the_grades_back(opened, host):
    first, segment = grades(opened.session.plan.planned), segment_of(opened, Level.L3)
    segment.SetName("L2")
    host.run_later()
    segment.SetName("L3")
    host.run_later()
    assert not opened.session.stale
    assert grades(opened.session.plan.planned) == first


@pytest.mark.parametrize("name", ["C1", "L6"])
def test_a_name_that_no_spine_has_there_is_told_and_the_grades_stay_stale(opened, host, told, name):
    segment_of(opened, Level.L3).SetName(name)
    host.run_later()
    assert len(told) == 1
    assert opened.session.stale >= {Level.L3, Level.L4}


@pytest.mark.parametrize("name", ["L3", "l3", "L3 (22)", "vertebrae_L3", "L3 corrected"])
def test_another_way_to_write_the_same_level_changes_nothing(opened, host, name):
    plan = opened.session.plan
    segment_of(opened, Level.L3).SetName(name)
    segment_of(opened, Level.L3).SetColor(1.0, 0.0, 0.0)
    assert opened.session.plan is plan and not opened.session.stale
    assert "remeasure" not in host.waiting


def test_a_segment_that_is_no_vertebra_makes_no_grade_stale(opened):
    opened.session.edit("review", lambda plan: edits.set_reviewed(plan, *L2L))
    segmentation_of(opened).AddEmptySegment("tumour", "Tumour")
    assert not opened.session.stale
    assert opened.session.plan.get(*L2L).reviewed


def test_reviewed_marks_of_corrected_levels_are_cleared_and_others_kept(opened, host):
    for key in (L2L, L3L):
        opened.session.edit("review", lambda plan, key=key: edits.set_reviewed(plan, *key))
    erase(opened, L3L)
    host.run_later()
    assert not opened.session.plan.get(*L3L).reviewed
    assert opened.session.plan.get(*L2L).reviewed


def test_screws_are_undone_across_a_correction_and_graded_on_the_corrected_bone(opened, host):
    screw = opened.session.plan.get(*L3L).screw
    opened.session.edit("slide", lambda plan: edits.slide(plan, *L3L, 4.0))
    erase(opened, L3L)
    host.run_later()
    opened.session.undo()
    assert opened.session.plan.get(*L3L).screw is screw
    assert grades(opened.session.plan.planned) == grades_from_scratch(opened)


def test_a_screw_moved_while_its_level_is_stale_gets_its_grade_when_the_hand_rests(opened, host):
    erase(opened, L3L)
    opened.session.edit("slide", lambda plan: edits.slide(plan, *L3L, 2.0))
    assert grade_shown(opened, L3L) == "stale"
    host.run_later()
    assert grades(opened.session.plan.planned) == grades_from_scratch(opened)


def test_a_segmentation_under_a_transform_is_told_and_the_grades_stay_stale(opened, host, scene, told):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    shift = np.eye(4)
    shift[0, 3] = 5.0
    transform.SetMatrixTransformToParent(matrix_from_array(shift))
    opened.watch.node.SetAndObserveTransformNodeID(transform.GetID())
    erase(opened, L3L)
    host.run_later()
    assert len(told) == 1 and "harden" in told[0]
    assert opened.session.stale >= {Level.L3, Level.L4}


def test_a_segmentation_without_any_vertebra_is_told_and_the_grades_stay_stale(opened, host, told):
    for level in list(segments_by_level(opened.watch.node)):
        segment_of(opened, level).SetName(f"no {level.name}")
    host.run_later()
    assert len(told) == 1 and "named after a vertebra" in told[0]
    assert opened.session.stale >= {Level.L2, Level.L3, Level.L4}


def test_a_watch_needs_no_plan_in_the_scene(case, scene, host):
    node, lines = add_segmentation(scene, case.spine.labels, "Vertebrae", surface=False), []
    session = Session(case.plan, case.spine)
    alone = SimpleNamespace(session=session, watch=SegmentationWatch(node, session, host, lines.append))
    erase(alone, L3L)
    assert session.stale == {Level.L3, Level.L4}
    host.run_later()
    assert not session.stale and not lines and session.spine is not case.spine
    alone.watch.close()
    assert alone.watch.observer_count == 0


def test_close_leaves_no_observer_and_nothing_waiting(opened, host):
    assert opened.watch.observer_count > 0
    erase(opened, L3L)
    opened.close()
    assert opened.observer_count == 0 and not host.waiting
    spine = opened.session.spine
    erase(opened, (Level.L2, "right"))
    assert opened.session.stale == {Level.L3, Level.L4} and opened.session.spine is spine


def test_a_closed_scene_leaves_no_observer(opened, scene):
    with quiet():
        scene.Clear(False)
    assert opened.closed
    assert opened.observer_count == 0


def test_a_closed_scene_makes_nothing_stale_and_tells_nothing(opened, scene, host, told):
    with quiet():
        scene.Clear(False)
    assert not opened.session.stale and not host.waiting and not told
