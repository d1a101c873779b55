"""Figures of C2 pedicles that were judged: what counts, what is counted apart, and what is written."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.evaluation.feasibility import FeasibilityResult, corridor_rule, network_rule, width_rule
from spinescrew.evaluation.feasibility_plots import (
    band_name,
    write_figure,
    write_reliability,
    write_roc,
    write_width_curve,
)
from spinescrew.evaluation.pedicle_score import PedicleScore, read_scores, write_scores
from spinescrew.evaluation.readers import Reading, against_readers, read_readers

WIDE = PedicleScore(1, "left", True, 0.9, 6.0, 0.95, 0.9, 0.99, 5.8, True, 1.1, 0.9, 0.3, 1.0, network=0.4)
SLIM = PedicleScore(1, "right", False, 0.1, 4.0, 0.10, 0.0, 0.3, 4.9, False, 0.1, 0.8, 0.5, 1.0, network=0.2)
BORDER = PedicleScore(2, "left", True, 0.6, 4.9, 0.40, 0.2, 0.6, 4.6, True, 0.5, dice=0.7, slice_mm=2.0)
REFUSED = PedicleScore(3, "left", True, 0.9, 6.5, refused="metal lies in C2", slice_mm=1.0)
UNKNOWN = PedicleScore("007", "right", None, probability=0.7, low=0.6, high=0.8, own_width_mm=5.0)
ALL = (WIDE, SLIM, BORDER, REFUSED, UNKNOWN)


@pytest.fixture
def result():
    return FeasibilityResult(ALL)


def test_rates_are_over_those_answered_whose_truth_is_known(result):
    rates = result.rates()
    assert (rates.accuracy.value, rates.accuracy.count) == (pytest.approx(2 / 3), 3)
    assert (rates.sensitivity.value, rates.specificity.value) == (0.5, 1.0)
    assert result.rates(0.3).accuracy.value == 1.0
    assert result.refused == (REFUSED,) and len(result.answered) == 4


def test_calibration_is_told_of_the_answer_and_of_the_placed_screws(result):
    assert result.brier == pytest.approx((0.05**2 + 0.1**2 + 0.6**2) / 3)
    assert result.ece == pytest.approx((0.05 + 0.1 + 0.6) / 3)
    assert result.placed_ece == pytest.approx((0.05 + 0.0 + 0.2) / 3)
    assert FeasibilityResult((UNKNOWN,)).placed_reliability() == ()


def test_the_network_is_compared_with_rules_on_the_same_pedicles(result):
    width = result.against_width_rule()
    assert (width.count, width.only_first, width.only_second) == (3, 1, 0)
    assert result.against_width_rule(5.5).only_first == 0
    corridor = result.against_corridor()
    assert (corridor.only_first, corridor.only_second) == (0, 1)
    assert result.against_corridor(0.6).only_second == 0
    assert result.rates_of(width_rule()).accuracy.value == pytest.approx(1 / 3)
    unmeasured = FeasibilityResult((WIDE, replace(SLIM, own_width_mm=np.nan, corridor_fits=None)))
    assert unmeasured.against_width_rule().count == unmeasured.against_corridor().count == 1
    assert unmeasured.rates_of(corridor_rule()).accuracy.count == 1


def test_bands_hold_each_pedicle_once_and_refused_ones_too(result):
    bands = result.by_width()
    assert list(bands) == [(4.0, 4.5), (4.5, 5.0), (5.0, 5.5), (6.0, 8.0)]
    assert sum(len(part.scores) for part in bands.values()) == 5
    assert (len(bands[6.0, 8.0].judged), len(bands[6.0, 8.0].refused)) == (1, 1)
    assert [band_name(*band) for band in ((0.0, 3.0), (4.0, 4.5), (8.0, np.inf))] == ["<3", "4-4.5", "8+"]


def test_border_cases_lie_within_a_millimetre_of_the_cut_off(result):
    assert result.border().scores == (SLIM, BORDER)


def test_slices_are_told_apart_with_how_sure_the_answers_are(result):
    sure = result.confidence_by_slice()
    assert list(sure) == [1, 2]
    assert sure[1].mean == pytest.approx((0.95 + 0.9) / 2) and sure[1].count == 2
    assert sure[2].interval == pytest.approx(0.4)
    assert list(FeasibilityResult((replace(WIDE, slice_mm=1.25),)).by_slice()) == [2]


def test_the_curve_by_width_counts_a_pedicle_at_the_nearest_centre(result):
    four, five, six = result.probability_by_width((4.0, 5.0, 6.0))
    assert (four.probability, four.feasible.value) == (pytest.approx(0.1), 0.0)
    assert (five.probability, five.true_probability, five.feasible.count) == (pytest.approx(0.4), 0.6, 1)
    assert six.feasible.count == 1
    assert result.probability_by_width((1.0, 2.0)) == ()


def test_means_leave_out_what_was_not_measured(result):
    assert result.mean_dice == pytest.approx(0.8) and result.mean_wall_mm == pytest.approx(0.4)
    assert np.isnan(FeasibilityResult(()).mean_dice)


def test_the_answer_is_compared_with_the_network_alone(result):
    alone = result.against(network_rule())
    assert (alone.count, alone.only_first, alone.only_second) == (2, 1, 0)
    assert result.against(network_rule(0.1)).only_first == 1
    assert result.rates_of(network_rule(0.3)).accuracy.value == 1.0


def test_a_table_without_the_networks_own_answer_is_read(tmp_path):
    path = write_scores(tmp_path / "scores.csv", ALL)
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    found = read_scores(path)
    assert [score.probability for score in found[:2]] == [0.95, 0.1]
    assert np.isnan([score.network for score in found]).all()


def test_scores_come_back_from_their_table(tmp_path):
    path = write_scores(tmp_path / "scores.csv", ALL)
    found = read_scores(path)
    assert repr(found) == repr(ALL)
    assert found[:2] == ALL[:2]
    assert found[3].feasible is True and found[4].feasible is None and found[4].case == "007"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.95", "much", "line 2: 'probability' is 'much'; write a number"),
        ("left", "front", "line 2: 'side' is 'front'; write left or right"),
        ("yes", "maybe", "line 2: 'feasible' is 'maybe'; write yes or no"),
    ],
)
def test_a_damaged_table_of_scores_is_refused_by_its_line(tmp_path, old, new, said):
    path = write_scores(tmp_path / "scores.csv", (WIDE,))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        read_scores(path)


def readings(tmp_path, text):
    path = tmp_path / "readers.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_readers(path)


def test_readers_answers_are_read_as_people_write_them(tmp_path):
    found = readings(tmp_path, "Case;Side;Reader;Feasible\n1;Left;A;YES\n1;right;A;0\n;;;\n007;left;B;false\n")
    assert found == (
        Reading("1", "left", "A", True),
        Reading("1", "right", "A", False),
        Reading("007", "left", "B", False),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case,side,reader\n1,left,A\n", "lacks the columns feasible"),
        ("case,side,reader,feasible\n", "holds no rows"),
        ("case,side,reader,feasible\n1,left,A,perhaps\n", "line 2: 'feasible' is 'perhaps'; write yes or no"),
        ("case,side,reader,feasible\n1,left,A,yes\n1,l,A,yes\n", "line 3: 'side' is 'l'; write left or right"),
        ("case,side,reader,feasible\n1,left,,yes\n", "line 2: 'reader' is empty"),
        ("case,side,reader,feasible\n1,left\n", "line 2: 'reader' is empty"),
        ("case,side,reader,feasible\n1,left,A,yes,no\n", "line 2: more cells than the header"),
        ("case,side,reader,feasible\n1,left,A,1\n1,left,A,0\n", "line 3: A judged case 1 left in line 2 already"),
        ("", "lacks the columns case, side, reader, feasible"),
    ],
)
def test_bad_lists_of_readers_are_refused_in_words(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        readings(tmp_path, text)
    assert "readers.csv" in str(caught.value)


def test_a_list_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nobody\.csv' cannot be read"):
        read_readers(tmp_path / "nobody.csv")
    (tmp_path / "bytes.csv").write_bytes(b"case\xff\xfe")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        read_readers(tmp_path / "bytes.csv")


def test_readers_are_compared_with_truth_network_and_each_other():
    truth = [True, True, False, False]
    scores = [PedicleScore(n, "left", truth[n], probability=p) for n, p in enumerate((0.9, 0.2, 0.1, 0.3))]
    told = {"A": (1, 1, 0, 0), "B": (1, 0, 0, 1)}
    given = [Reading(str(n), "left", who, bool(said)) for who, row in told.items() for n, said in enumerate(row)]
    found = against_readers(scores, [*given, Reading("9", "left", "A", True)])
    first, second = found.readers
    assert (first.reader, first.count, first.rates.accuracy.value, first.with_truth.value) == ("A", 4, 1.0, 1.0)
    assert first.with_model.value == pytest.approx(0.5)  # 3 of 4 alike, one half by chance
    assert second.rates.sensitivity.value == 0.5 and second.with_truth.value == pytest.approx(0.0)
    assert found.between == pytest.approx(0.0) and found.unmatched == 1


def test_readings_of_other_cases_or_of_mixed_scores_are_refused():
    with pytest.raises(InputError, match="judged none of these cases"):
        against_readers([WIDE], [Reading("Jane", "left", "A", True)])
    with pytest.raises(InputError, match="one slice thickness at a time"):
        against_readers([WIDE, replace(WIDE, slice_mm=2.0)], [Reading("1", "left", "A", True)])


@pytest.mark.parametrize("write", [write_figure, write_reliability, write_roc, write_width_curve])
def test_pictures_are_written_also_of_few_pedicles(result, tmp_path, write):
    path = write(tmp_path / "new" / "picture.png", result)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [each.name for each in path.parent.iterdir()] == ["picture.png"]
    assert write(tmp_path / "unknown.png", FeasibilityResult((WIDE, replace(UNKNOWN, feasible=False)))).is_file()


def test_there_is_nothing_to_draw_where_all_were_refused(tmp_path):
    with pytest.raises(InputError, match="no pedicle was judged"):
        write_figure(tmp_path / "picture.png", FeasibilityResult((REFUSED,)))
    assert not list(tmp_path.iterdir())


def test_where_nothing_was_judged_nothing_is_claimed():
    nothing = FeasibilityResult((REFUSED,))
    assert nothing.rates().accuracy.count == nothing.against_width_rule().count == 0
    assert np.isnan([nothing.auc.value, nothing.brier, nothing.ece, nothing.mean_wall_mm]).all()
    assert nothing.reliability() == () and len(nothing.refused) == 1
