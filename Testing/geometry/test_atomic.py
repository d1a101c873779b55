"""Files are written whole or not at all."""

import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path


def test_a_file_appears_when_all_of_it_is_written_in_folders_made_for_it(tmp_path):
    target = tmp_path / "new" / "folder" / "labels.nii.gz"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == target.parent and temporary.name.endswith(".nii.gz") and not target.exists()
    assert target.read_text() == "whole" and list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("cause", [OSError(28, "No space left on device"), ValueError("a defect")], ids=str)
def test_whatever_goes_wrong_the_older_file_stays_and_nothing_else(tmp_path, cause):
    target = tmp_path / "plan.json"
    target.write_text("older")
    with pytest.raises((InputError, ValueError), match="No space left|a defect"), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise cause
    assert target.read_text() == "older" and list(tmp_path.iterdir()) == [target]


def test_a_folder_in_the_files_place_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder; give the name of a file in it"), atomic_path(tmp_path):
        pass


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"), atomic_path(tmp_path / "out" / "plan.json"):
        pass
