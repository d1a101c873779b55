"""What is wrong with two radiographs or their geometry is said in one line, before and after they are searched."""

import json
from dataclasses import replace

import numpy as np
import pytest
from known_poses import solved

from spinescrew.cohort.pose import parse_size
from spinescrew.cohort.pose_pair import checked_pair, read_pair, solve_pair
from spinescrew.errors import InputError
from spinescrew.progress import Cancelled, Progress
from spinescrew.radiographs import seen as seen_module
from spinescrew.radiographs import write_geometry, write_radiograph
from spinescrew.radiographs.regrid import with_whole_views


@pytest.fixture(scope="module")
def case():
    return solved()


@pytest.fixture(scope="module")
def files(case, tmp_path_factory):
    """Both images with their names in the headers, and the geometry."""
    folder = tmp_path_factory.mktemp("pair")
    named = [
        write_radiograph(
            folder / f"{n}.dcm", replace(image, view=name, pixel_mm=view.pixel_mm, spacing_kind="detector")
        )
        for n, (image, name, view) in enumerate(zip(case.radiographs, ("AP", "LAT"), case.views, strict=True))
    ]
    return (*named, write_geometry(folder / "geometry.json", case.views))


@pytest.fixture
def pair(case):
    return checked_pair(case.radiographs, case.views)


@pytest.fixture(autouse=True)
def sights(case, monkeypatch):
    """What is seen in maps: the known screws where there is a shaft, nothing else."""
    every = [[posed.seen[n] for posed in case.result.screws] for n in range(2)]

    def seen_screws(maps):
        return tuple(every[0]) if maps.shaft.any() else ()

    monkeypatch.setattr(seen_module, "seen_screws", seen_screws)


@pytest.fixture
def find(case):
    """A search that finds metal where the image really has it, and nothing in an image turned over."""

    def answer(image, view, *, device, progress):
        index = 0 if image.shape == case.radiographs[0].shape and np.allclose(view.source, case.views[0].source) else 1
        maps = case.result.maps[index]
        right = image.bright_is_dense == (image.pixels[0, 0] < image.pixels[190, 190])
        answer.asked.append((index, image.bright_is_dense, device))
        return maps if right else replace(maps, shaft=0 * maps.shaft, head=0 * maps.head)

    answer.asked = []
    return answer


def solve(case, **values):
    def answer(maps, sizes=None, *, progress=None):
        answer.asked.append((maps, sizes))
        return replace(case.result, **values)

    answer.asked = []
    return answer


def test_a_pair_is_read_with_its_geometry_and_doubts(files, case):
    pair = read_pair(files[:2], files[2])
    assert [image.shape for image in pair.radiographs] == [view.shape for view in case.views]
    assert not pair.radiographs[0].bright_is_dense
    assert pair.doubts == ()


def test_one_view_does_not_tell_depth(files, tmp_path):
    with pytest.raises(InputError, match="one view does not tell depth; give two radiographs"):
        read_pair(files[:1], files[2])
    told = json.loads(files[2].read_text())
    told["views"] = told["views"][:1]
    (tmp_path / "one.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"one.json holds the geometry of one view"):
        read_pair(files[:2], tmp_path / "one.json")
    with pytest.raises(InputError, match="both images are the same"):
        read_pair([files[0], files[0]], files[2])


def test_more_views_than_images_are_not_guessed_at(files, tmp_path):
    told = json.loads(files[2].read_text())
    told["views"] *= 2
    (tmp_path / "four.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="2 images and four.json with 4 views"):
        read_pair(files[:2], tmp_path / "four.json")


def test_swapped_images_are_refused_by_their_headers(files):
    with pytest.raises(InputError, match="seem to be swapped: the headers say LAT, AP, the geometry AP, LAT"):
        read_pair(files[1::-1], files[2])


def test_the_geometry_of_another_image_is_refused_with_both_sizes(case):
    cut = replace(case.radiographs[1], pixels=case.radiographs[1].pixels[:200])
    with pytest.raises(InputError, match=r"image 2 is 200 x 384 pixels .* its geometry is for 384 x 384"):
        checked_pair((case.radiographs[0], cut), case.views)


def test_a_wrong_spacing_is_told_by_the_header(case):
    other = replace(case.radiographs[0], pixel_mm=case.views[0].pixel_mm / 1.92, spacing_kind="detector")
    (doubt,) = checked_pair((other, case.radiographs[1]), case.views).doubts
    assert "image 1 has pixels of 0.403 x 0.403 mm by its header and 0.773 x 0.773 mm by its geometry" in doubt


def test_both_images_are_searched_and_solved_with_the_sizes(pair, find, case):
    own = solve(case)
    found = solve_pair(pair, [(6.5, 45.0)], device="cpu", find=find, solve=own)
    assert [asked[0] for asked in find.asked] == [0, 1]
    assert {asked[2] for asked in find.asked} == {"cpu"}
    assert own.asked[0][1] == [(6.5, 45.0)]
    assert found.result.screws is case.result.screws
    assert "run the network" in found.result.seconds


def test_notes_of_the_files_are_doubts_of_the_result(pair, find, case):
    noted = replace(pair, doubts=("image 1: text is burned into the image",))
    found = solve_pair(noted, find=find, solve=solve(case))
    assert found.result.warnings == (noted.doubts[0], *case.result.warnings)


def test_an_inverted_grey_scale_is_handled_and_told(case, find):
    wrong = replace(case.radiographs[1], bright_is_dense=True)
    pair = checked_pair((case.radiographs[0], wrong), case.views)
    found = solve_pair(pair, find=find, solve=solve(case))
    assert not found.radiographs[1].bright_is_dense
    assert "image 2: metal is dark, other than the file says; it was read that way" in found.result.warnings


def test_a_grey_scale_that_was_assumed_is_tried_both_ways(case, find):
    note = "a picture does not tell its grey scale; bone and metal were taken as bright, as on films"
    assumed = replace(case.radiographs[0], bright_is_dense=True, notes=(note,))
    pair = checked_pair((assumed, case.radiographs[1]), case.views)
    found = solve_pair(pair, find=find, solve=solve(case))
    assert not found.radiographs[0].bright_is_dense
    assert any("other than was taken for granted" in text for text in found.result.warnings)
    right = replace(case.radiographs[0], notes=(note,))
    found = solve_pair(checked_pair((right, case.radiographs[1]), case.views), find=find, solve=solve(case))
    assert not any("metal is" in text for text in found.result.warnings)


def test_an_image_without_screws_is_named(case):
    def nothing(image, view, **_options):
        maps = case.result.maps[0]
        return replace(maps, shaft=0 * maps.shaft, head=0 * maps.head)

    with pytest.raises(InputError, match="image 1 shows no pedicle screw"):
        solve_pair(checked_pair(case.radiographs, case.views), find=nothing, solve=solve(case))


def test_images_swapped_without_a_word_in_their_headers_are_refused_by_what_the_screws_say(pair, find, case):
    doubt = "the images seem to be swapped: the screws fit together so, and do not as given"
    with pytest.raises(InputError, match=f"{doubt}; give them in the order of the geometry"):
        solve_pair(pair, find=find, solve=solve(case, warnings=(doubt,)))


def test_the_poses_come_in_views_of_the_whole_images(pair, find, case):
    grids = tuple(maps.view for maps in case.result.maps)
    shift = np.eye(4)
    shift[:3, 3] = 1.0, 2.0, 3.0
    refined = (grids[0], grids[1].moved(shift))
    found = solve_pair(pair, find=find, solve=solve(case, given_views=grids, views=refined)).result
    assert [view.shape for view in found.views] == [image.shape for image in pair.radiographs]
    assert np.allclose(found.views[0].matrix, case.views[0].matrix)
    assert np.allclose(found.views[1].matrix, case.views[1].moved(shift).matrix)
    assert found.given_views == pair.views
    again = with_whole_views(found, pair.views)
    assert np.allclose(again.views[1].matrix, found.views[1].matrix)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_sizes_as_screws_or_fewer_are_handed_on(pair, find, case, count):
    own = solve(case)
    found = solve_pair(pair, [(6.5, 45.0)] * count, find=find, solve=own)
    assert len(own.asked[0][1]) == count
    assert not any("sizes" in text for text in found.result.warnings)


def test_sizes_that_no_screw_is_left_for_are_told_or_refused(pair, find, case):
    found = solve_pair(pair, [(6.5, 45.0)] * 6, find=find, solve=solve(case))
    assert "6 sizes were given and 5 screws were solved: a size is left over" in found.result.warnings
    with pytest.raises(InputError, match="7 sizes were given and no image shows more than 6 screws"):
        solve_pair(pair, [(6.5, 45.0)] * 7, find=find, solve=solve(case))


def test_it_can_be_cancelled(pair, find, case):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        solve_pair(pair, find=find, solve=solve(case), progress=progress)


@pytest.mark.parametrize(("text", "size"), [("6.5x45", (6.5, 45.0)), ("5 × 40 mm", (5.0, 40.0)), ("7X50", (7.0, 50.0))])
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["6.5", "x", "6,5x45", "45x6.5", "6.5x45x2", ""])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError, match="is no size of a"):
        parse_size(text)
