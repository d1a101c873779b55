import pytest

from spinescrew.feasibility.wording import percent, percent_range


@pytest.mark.parametrize(
    ("share", "text", "brief"),
    [
        (0.0, "under 1", "<\u202f1"),
        (0.004, "under 1", "<\u202f1"),
        (0.006, "1", "1"),
        (0.5, "50", "50"),
        (0.994, "99", "99"),
        (0.996, "over 99", ">\u202f99"),
        (1.0, "over 99", ">\u202f99"),
    ],
)
def test_nothing_is_certain(share, text, brief):
    assert percent(share) == text
    assert percent(share, brief=True) == brief


def test_an_interval_whose_ends_read_alike_is_one_figure():
    assert percent_range(0.78, 0.87) == "78 to 87"
    assert percent_range(0.0001, 0.03) == "under 1 to 3"
    assert percent_range(0.9991, 0.9999) == "over 99"
