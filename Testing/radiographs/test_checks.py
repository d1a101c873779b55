"""What is said of views and images that do not fit."""

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.radiographs import Radiograph, ap, from_c_arm, lateral, view_doubts


def image(view="", shape=(1536, 1536), pixel_mm=None):
    return Radiograph(np.zeros(shape, np.float32), True, pixel_mm, view=view)


def test_good_views_raise_no_doubt():
    assert view_doubts((ap(), lateral())) == []
    assert view_doubts((ap(), lateral()), (image("AP"), image("LAT", pixel_mm=np.full(2, 0.194)))) == []


@pytest.mark.parametrize(("angle", "warned"), [(20, True), (39, True), (41, False), (90, False), (150, True)])
def test_views_less_than_forty_degrees_apart_are_warned_of(angle, warned):
    words = view_doubts((ap(), from_c_arm(angle, 0)))
    assert bool(words) == warned
    if warned:
        assert f"only {min(angle, 180 - angle)} degrees apart" in words[0]


def test_swapped_images_are_told_by_their_headers():
    (words,) = view_doubts((ap(), lateral()), (image("LAT"), image("AP")))
    assert "seem to be swapped" in words
    (words,) = view_doubts((ap(), lateral()), (image(), image("AP")))
    assert "seem to be swapped" in words


def test_headers_that_fit_in_no_order_are_another_matter():
    (words,) = view_doubts((ap(), lateral()), (image("LAT"), image("LAT")))
    assert "do not fit" in words


def test_swapped_images_of_two_sizes_are_told_as_swapped():
    small = lateral(shape=(700, 700))
    with pytest.raises(InputError, match="700 x 700.*seem to be swapped"):
        view_doubts((ap(), small), (image("LAT", (700, 700)), image("AP")))


def test_an_image_of_another_size_is_refused():
    with pytest.raises(InputError, match="image 2 is 768 x 768 .* 1536 x 1536"):
        view_doubts((ap(), lateral()), (image(), image(shape=(768, 768))))


def test_a_spacing_at_the_isocentre_taken_for_the_detectors_is_noticed():
    (words,) = view_doubts((ap(), lateral()), (image(), image(pixel_mm=np.full(2, 0.194 * 530 / 1020))))
    assert "image 2 has pixels of 0.101 x 0.101 mm by its header and 0.194 x 0.194 mm" in words


def test_one_view_is_refused():
    with pytest.raises(InputError, match="one view does not tell depth"):
        view_doubts((ap(),), (image(),))
    with pytest.raises(InputError, match="1 images and the geometry of 2"):
        view_doubts((ap(), lateral()), (image(),))
