"""What a page says while there is no case: a broken input, work that was cancelled, and another try."""

from browsed import Browsed

from spinescrew.viewer.opened import Target


def test_a_file_that_cannot_be_opened_is_named_and_can_be_tried_again(tmp_path):
    broken = tmp_path / "ct.nii.gz"
    broken.write_bytes(b"no image")
    with Browsed(Target(broken)) as browsed:
        browsed.shows("#failed", "ct.nii.gz", 120)
        broken.unlink()
        browsed.click("text=Try again")
        browsed.until(lambda: "does not exist" in browsed.planner.server.state.message, "the second try", 60)
        assert browsed.planner.desk.case is None
        assert browsed.harmful() == []


def test_planning_that_is_cancelled_leaves_nothing_behind():
    with Browsed(Target()) as browsed:
        browsed.shows("#waiting", "shape of", 60)
        browsed.click("#cancel")
        browsed.shows("#failed", "Cancelled", 60)
        assert browsed.planner.desk.case is None
        assert browsed.planner.desk.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
