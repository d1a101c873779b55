"""A case opened in a scene, written as one file, and opened again."""

import zipfile

import numpy as np
import pytest
import slicer
import vtk

import spinescrew.scene.bundle
from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.planning import edits
from spinescrew.planning.plan import Plan
from spinescrew.scene.bundle import bundle_problem, inputs_of, refer_inputs, write_bundle
from spinescrew.scene.open_case import (
    OpenCase,
    as_segmentation,
    check_same_image,
    discard,
    kept_plan,
    recoverable,
    rename_levels,
)
from spinescrew.scene.standalone import quiet
from spinescrew.scene.store import PlanStore
from spinescrew.scene.terminology import colour, terminology_entry
from spinescrew.scene.volumes import (
    add_segmentation,
    add_volume,
    labels_from_node,
    level_from_name,
    segments_by_level,
    volume_from_node,
)
from spinescrew.scene.wording import COLUMNS

L3L = (Level.L3, "left")


@pytest.fixture
def nodes(case, scene):
    """(CT, segmentation) in the scene."""
    return add_volume(scene, case.spine.ct, "CT"), add_segmentation(scene, case.spine.labels, "Bones", surface=False)


@pytest.fixture
def open_case(case, scene, nodes):
    """Opens the case's plan in the scene, any number of times; closes what is left open."""
    made = []

    def function(**wishes):
        made.append(OpenCase(scene, case.plan, case.spine, ct_node=nodes[0], labels_node=nodes[1], **wishes))
        return made[-1]

    yield function
    for opened in made:
        opened.close()


@pytest.fixture(scope="module")
def bundle(case, tmp_path_factory):
    return write_bundle(case.plan, case.spine, tmp_path_factory.mktemp("bundle") / "case.mrb")


@pytest.fixture
def loaded(bundle, scene):
    """A fresh scene that the bundle was read into."""
    with quiet():
        assert scene.ReadFromMRB(str(bundle), True)
    return scene


def slide(opened, mm=2.0):
    opened.session.edit("slide", lambda plan: edits.slide(plan, *L3L, mm))


def names_of(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetSegment(identifier).GetName() for identifier in segmentation.GetSegmentIDs()]


def ends_of(plan):
    return {row.key: (*row.screw.entry, *row.screw.tip) for row in plan.planned}


def assert_same_screws(one, other, within_mm=1e-6):
    assert ends_of(one).keys() == ends_of(other).keys()
    for key, ends in ends_of(one).items():
        np.testing.assert_allclose(ends_of(other)[key], ends, atol=within_mm)
        assert one.get(*key).screw.shape == other.get(*key).screw.shape


def test_an_open_case_shows_its_plan_and_remembers_its_nodes(open_case, nodes, case):
    opened = open_case()
    assert opened.shown.nodes(L3L).node("line") is not None
    assert (opened.shown.store.referred("ct"), opened.shown.store.referred("labels")) == nodes
    assert opened.watch.node is nodes[1]
    assert opened.session.spine is case.spine
    assert opened.observer_count > opened.shown.observer_count > 0


def test_a_label_volume_is_not_watched(case, scene):
    node = add_volume(scene, case.spine.labels, "labels", label_map=True)
    opened = OpenCase(scene, case.plan, case.spine, labels_node=node)
    assert opened.watch is None
    opened.close()
    assert opened.observer_count == 0


def test_differences_are_told_from_the_automatic_plan_that_was_given(case, open_case):
    moved = edits.slide(case.plan, *L3L, 3.0)
    opened = open_case(automatic=moved)
    assert opened.session.automatic is moved
    assert opened.shown.table.cells(L3L)[COLUMNS.index("Entry moved mm")] == "3.0"


def test_a_refused_edit_is_told_to_whoever_listens(open_case):
    opened = open_case()
    lines = []
    opened.on_problem.append(lines.append)
    opened.session.edit("lock", lambda plan: edits.set_locked(plan, *L3L))
    opened.shown.scene.RemoveNode(opened.shown.nodes(L3L).node("line"))
    assert len(lines) == 1 and "locked" in lines[0]


def test_closing_keeps_the_nodes_and_takes_every_observer_away(open_case, scene):
    opened = open_case()
    line = opened.shown.nodes(L3L).node("line")
    count = scene.GetNumberOfNodes()
    opened.close()
    assert opened.closed and opened.observer_count == 0
    assert scene.GetNumberOfNodes() == count
    plan = opened.session.plan
    line.SetNthControlPointPositionWorld(1, 0.0, 0.0, 0.0)
    assert opened.session.plan is plan


def test_closing_with_removal_leaves_image_and_vertebrae_alone(open_case, scene, nodes):
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    before = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    open_case().close(remove_nodes=True)
    after = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    assert before <= after
    assert not {name for name in after - before if "Singleton" not in name}
    assert kept_plan(scene) is None


def test_closing_twice_is_closing_once(open_case):
    opened = open_case()
    opened.close()
    opened.close(remove_nodes=True)
    assert opened.observer_count == 0


def test_opening_again_takes_the_nodes_over(open_case, scene):
    opened = open_case()
    line = opened.shown.nodes(L3L).node("line")
    opened.close()
    count = scene.GetNumberOfNodes()
    again = open_case()
    assert scene.GetNumberOfNodes() == count
    assert again.shown.nodes(L3L).node("line") is line


def test_without_a_folder_there_is_no_journal(open_case):
    opened = open_case()
    slide(opened)
    assert opened.journal is None
    opened.saved()


def test_unsaved_work_is_on_the_disk_while_the_case_is_open_and_forgotten_when_it_closes(open_case, tmp_path):
    opened = open_case(journal_folder=tmp_path)
    assert not list(tmp_path.iterdir())
    slide(opened)
    assert list(tmp_path.glob("*.journal"))
    opened.close()
    assert not list(tmp_path.iterdir())


def test_saved_work_is_not_kept_twice(open_case, tmp_path):
    opened = open_case(journal_folder=tmp_path)
    slide(opened)
    opened.saved()
    assert not list(tmp_path.glob("*.journal"))
    slide(opened)
    assert list(tmp_path.glob("*.journal"))


def test_kept_work_is_offered_for_the_same_labels_only(open_case, tmp_path, case):
    labels = case.spine.labels
    opened = open_case(journal_folder=tmp_path)
    slide(opened, 2.5)
    assert recoverable(tmp_path, labels) is None, "it is still being written"
    opened.close(keep_journal=True)
    other = labels.array.copy()
    other[0, 0, 0] = 22
    assert recoverable(tmp_path, labels.with_array(other)) is None
    found = recoverable(tmp_path, labels)
    assert found.steps == 1
    assert_same_screws(found.plan, opened.session.plan)
    assert_same_screws(found.automatic, case.plan)
    discard(found)
    assert recoverable(tmp_path, labels) is None


def test_the_newest_of_several_is_offered(open_case, tmp_path, case):
    for mm in (1.0, 4.0):
        opened = open_case(journal_folder=tmp_path)
        slide(opened, mm)
        opened.close(keep_journal=True)
    assert len(list(tmp_path.glob("*.journal"))) == 2
    assert_same_screws(recoverable(tmp_path, case.spine.labels).plan, opened.session.plan)


def test_recovered_work_is_unsaved_before_its_first_edit(scene, case, nodes, open_case, tmp_path):
    opened = open_case(journal_folder=tmp_path)
    slide(opened)
    opened.close(keep_journal=True)
    found = recoverable(tmp_path, case.spine.labels)
    again = OpenCase(
        scene, found.plan, case.spine, automatic=found.automatic, journal_folder=tmp_path / "again", unsaved=True
    )
    discard(found)
    again.close(keep_journal=True)
    kept = recoverable(tmp_path / "again", case.spine.labels)
    assert_same_screws(kept.plan, opened.session.plan)
    assert_same_screws(kept.automatic, case.plan)


def test_nothing_is_recoverable_where_nothing_was_kept(case, tmp_path):
    assert recoverable(tmp_path / "nowhere", case.spine.labels) is None


def test_a_segmentation_is_worked_on_as_it_is_and_a_label_volume_becomes_one(scene, nodes, case):
    assert as_segmentation(scene, nodes[1]) is nodes[1]
    node = as_segmentation(scene, add_volume(scene, case.spine.labels, "ct-seg", label_map=True))
    assert node.GetName() == "ct-seg vertebrae"
    again = labels_from_node(scene, node)
    assert again.same_grid(case.spine.labels)
    assert np.array_equal(again.array, case.spine.labels.array)


def test_a_label_volume_in_another_numbering_becomes_the_same_vertebrae(scene, case):
    """TotalSegmentator numbers upwards: L5 is 27, T12 is 32; the sacrum is 25."""
    labels = case.spine.labels.array
    array = np.where((labels > 0) & (labels < 26), 51 - labels, 0) + np.where(labels == 26, 25, 0)
    node = add_volume(scene, case.spine.labels.with_array(array.astype(np.int16)), "total", label_map=True)
    for numbering in ("auto", "totalsegmentator-v2"):
        again = labels_from_node(scene, as_segmentation(scene, node, numbering))
        assert np.array_equal(again.array, labels)
    with pytest.raises(InputError, match="'guess' is not a numbering"):
        as_segmentation(scene, node, "guess")


def test_renaming_shifts_names_and_keeps_voxels(nodes, scene, case):
    one_up = {Level.T12: Level.T11, **{Level(n): Level(n - 1) for n in range(20, 25)}, Level.S1: Level.L5}
    rename_levels(nodes[1], one_up)
    again = labels_from_node(scene, nodes[1])
    for level, name in one_up.items():
        assert np.array_equal(again.array == name.value, case.spine.labels.array == level.value)


def test_renaming_some_leaves_the_others(nodes):
    rename_levels(nodes[1], {Level.L5: Level.L6})
    assert [level.name for level in segments_by_level(nodes[1])] == ["T12", "L1", "L2", "L3", "L4", "L6", "S1"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({Level.L2: Level.L4}, "two vertebrae would be called L4"),
        ({Level.L2: Level.L4, Level.L4: Level.L2}, "L4 would lie above L3"),
        ({Level.T12: Level.L2, Level.L1: Level.L3}, "two vertebrae would be called L2"),
    ],
)
def test_names_that_no_spine_has_are_refused_and_nothing_is_renamed(nodes, names, words):
    before = names_of(nodes[1])
    with pytest.raises(InputError, match=words):
        rename_levels(nodes[1], names)
    assert names_of(nodes[1]) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Level.T12, Level.T11),
        (Level.L5, Level.L6),
    ],
)
def test_renaming_says_the_new_level_in_name_terminology_and_colour(nodes, old, new):
    segment = nodes[1].GetSegmentation().GetSegment(segments_by_level(nodes[1])[old])
    rename_levels(nodes[1], {old: new})
    assert level_from_name(segment.GetName()) is new
    assert segment.GetColor() == pytest.approx(colour(new))
    code = vtk.reference("")
    segment.GetTag(segment.GetTerminologyEntryTagName(), code)
    assert str(code) == terminology_entry(new)


def test_a_plan_belongs_to_its_own_image(case):
    assert check_same_image(case.plan, case.spine.labels, case.spine.ct) == ()
    assert check_same_image(case.plan, case.spine.labels, None) == ()


def test_a_plan_of_other_labels_or_another_image_is_refused_until_it_is_confirmed(case):
    labels, ct = case.spine.labels, case.spine.ct
    moved = Volume(labels.array, labels.affine + np.outer([1, 0, 0, 0], [0, 0, 0, 1.0]))
    brighter = ct.with_array(ct.array + np.int16(1))
    with pytest.raises(InputError, match="other labels"):
        check_same_image(case.plan, moved, ct)
    with pytest.raises(InputError, match="another CT"):
        check_same_image(case.plan, labels, brighter)
    assert len(check_same_image(case.plan, moved, brighter, confirmed=True)) == 2


def test_a_plan_that_does_not_say_what_it_was_made_on_is_refused(case):
    with pytest.raises(InputError, match="does not say"):
        check_same_image(Plan(case.plan.screws), case.spine.labels, None)


def test_an_empty_scene_keeps_no_plan(scene):
    assert kept_plan(scene) is None


def test_a_plan_whose_vertebrae_are_gone_says_so(open_case, scene, nodes):
    open_case().close()
    assert kept_plan(scene)[2:] == nodes
    scene.RemoveNode(nodes[1])
    with pytest.raises(InputError, match="no longer"):
        kept_plan(scene)
    with pytest.raises(InputError, match="no longer"):
        inputs_of(PlanStore.find(scene))


def test_a_plan_whose_image_is_gone_is_kept_without_it(open_case, scene, nodes, case):
    open_case().close()
    scene.RemoveNode(nodes[0])
    plan, _, ct, labels = kept_plan(scene)
    assert ct is None and labels is nodes[1]
    assert_same_screws(plan, case.plan)
    assert inputs_of(PlanStore.find(scene))[0] is None


@pytest.mark.parametrize("text", ["{", "[]", '{"screws": 3}', '{"screws": [{}]}', '{"schema_version": 999}'])
def test_a_damaged_plan_is_refused_in_words(open_case, scene, text):
    opened = open_case()
    opened.close()
    opened.shown.store.node.SetParameter("plan", text)
    with pytest.raises(InputError, match="the scene's plan"):
        kept_plan(scene)


def test_edits_are_in_the_scene_when_it_is_saved(open_case, scene):
    opened = open_case()
    slide(opened, 3.0)
    plan, automatic, _, _ = kept_plan(scene)
    assert_same_screws(plan, opened.session.plan)
    assert_same_screws(automatic, opened.session.automatic)
    assert ends_of(plan)[L3L] != ends_of(automatic)[L3L]


def test_a_scene_can_be_written_here():
    assert bundle_problem() == ""


def test_a_bundle_holds_image_vertebrae_and_screws(loaded, case):
    ct, labels = inputs_of(PlanStore.find(loaded))
    assert ct.same_grid(case.spine.ct) and np.array_equal(ct.array, case.spine.ct.array)
    assert labels.same_grid(case.spine.labels) and np.array_equal(labels.array, case.spine.labels.array)
    plan, automatic, ct_node, labels_node = kept_plan(loaded)
    assert (ct_node.GetName(), labels_node.GetName()) == ("CT", "Vertebrae")
    for kept in (plan, automatic):
        assert_same_screws(kept, case.plan)
    assert check_same_image(plan, labels, ct) == ()


def test_a_bundle_goes_on_where_it_was_written(loaded, case):
    plan, automatic, ct_node, labels_node = kept_plan(loaded)
    spine = build_spine(labels_from_node(loaded, labels_node), volume_from_node(ct_node), parse_levels("L2-L4"))
    count = loaded.GetNumberOfNodes()
    opened = OpenCase(loaded, plan, spine, automatic=automatic, ct_node=ct_node, labels_node=labels_node)
    assert loaded.GetNumberOfNodes() == count, "the bundle's nodes are taken over"
    for row in case.plan.planned:
        again = opened.session.plan.get(*row.key)
        assert again.assessment.gertzbein_robbins == row.assessment.gertzbein_robbins
        assert again.assessment.breach.margin_mm == pytest.approx(row.assessment.breach.margin_mm, abs=1e-3)
    slide(opened)
    assert opened.shown.table.cells(L3L)[COLUMNS.index("Entry moved mm")] == "2.0"
    opened.close()


def test_a_mask_alone_makes_a_bundle_too(case, scene, tmp_path):
    spine = build_spine(case.spine.labels, None, parse_levels("L3"))
    with quiet():
        assert scene.ReadFromMRB(str(write_bundle(case.plan, spine, tmp_path / "new folder" / "mask.mrb")), True)
    ct, labels = inputs_of(PlanStore.find(scene))
    assert ct is None and np.array_equal(labels.array, case.spine.labels.array)


def test_a_bundle_names_no_patient(case, tmp_path):
    ct = Volume(case.spine.ct.array, case.spine.ct.affine, {"PatientName": "Doe^Jane", "source": "/home/jane/ct.nrrd"})
    spine = build_spine(case.spine.labels, ct, parse_levels("L3"))
    path = write_bundle(case.plan, spine, tmp_path / "Doe.mrb")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert "Doe" not in name and b"Doe" not in archive.read(name) and b"jane" not in archive.read(name).lower()


def test_a_bundle_replaces_an_older_one_only_when_it_is_whole(case, tmp_path, monkeypatch):
    def no(*_):
        return False

    path = tmp_path / "case.mrb"
    path.write_text("older")
    monkeypatch.setattr(spinescrew.scene.bundle, "fill_scene", lambda scene, *_: setattr(scene, "WriteToMRB", no))
    with pytest.raises(InputError, match="cannot be written"):
        write_bundle(case.plan, case.spine, path)
    assert path.read_text() == "older" and [p.name for p in tmp_path.iterdir()] == ["case.mrb"]
    monkeypatch.undo()
    write_bundle(case.plan, case.spine, path)
    assert path.read_bytes()[:2] == b"PK" and [p.name for p in tmp_path.iterdir()] == ["case.mrb"]


def test_a_folder_in_the_place_of_a_bundle_is_refused(case, tmp_path):
    with pytest.raises(InputError, match="folder"):
        write_bundle(case.plan, case.spine, tmp_path)


def test_inputs_that_are_exchanged_are_the_ones_that_are_kept(open_case, scene, nodes, case):
    opened = open_case()
    other = add_volume(scene, case.spine.ct, "other CT")
    refer_inputs(opened.shown, other, nodes[1])
    opened.close()
    assert kept_plan(scene)[2] is other


def test_a_case_whose_affine_holds_negative_zeros_is_recognised_in_its_own_bundle(case, scene):
    affine = case.spine.labels.affine.copy()
    affine[0, 1] = -0.0
    labels = Volume(case.spine.labels.array, affine)
    again = labels_from_node(scene, add_segmentation(scene, labels, "Vertebrae", surface=False))
    assert again.same_grid(labels) and np.array_equal(again.array, labels.array)
    assert again.content_hash() == labels.content_hash()
