"""Where nothing honest can be said, the grade says so and why."""

from __future__ import annotations

import builders
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.grading.grade import assess, execution_risk
from spinescrew.grading.options import GradingOptions


def grade(case, screw, side="right"):
    return assess(screw, case.spine, case.level, side)


def refused(found):
    """The reason, after checking that every scale was withheld."""
    assert found.gertzbein_robbins == found.zdichavsky == found.ravi == found.heary == "not gradable"
    assert found.breach is None
    assert found.grade_range is None
    assert found.zone_mm is None
    return found.reasons["gertzbein_robbins"]


def test_a_shaft_cut_by_the_field_of_view_is_not_gradable():
    case = builders.make_case(builders.tube, high=(17, 24, 2.0))
    assert "field of view" in refused(grade(case, case.screw((0, -20, 0))))


def test_a_pedicle_cut_beside_the_shaft_is_not_gradable():
    case = builders.make_case(builders.tube, high=(17, 24, 3.6))
    reason = refused(grade(case, case.screw((0, -20, -1.0))))
    assert "pedicle" in reason
    assert "field of view" in reason


def test_a_cut_beyond_the_pedicle_leaves_its_grade_and_withholds_the_rest():
    case = builders.make_case(builders.tube, high=(17, 14, 14))
    found = grade(case, case.screw((0, -20, 0)))
    assert found.gertzbein_robbins == "A"
    assert found.channel_mm is None
    assert found.depth_percent is None
    assert found.bone_contact_percent is None
    assert found.body_breaches == {}
    for measure in ("channel_mm", "depth_percent", "bone_contact_percent", "body_breaches"):
        assert "field of view" in found.reasons[measure]


def test_a_missing_pedicle_gives_its_own_reason():
    case = builders.make_case(builders.tube, missing={"left": "no bone where the left pedicle should be"})
    found = grade(case, case.screw((0, -20, 0)), "left")
    assert refused(found) == "no bone where the left pedicle should be"
    assert found.channel_mm == pytest.approx(40.0, abs=0.3)


@pytest.mark.parametrize(
    ("entry", "direction", "length", "reason"),
    [
        ((0, -20, 0), (0, 1, 0), 2.5, "ends before"),
        ((0, 13, 0), (0, 1, 0), 20.0, "in front of"),
        ((0, 0, 12), (0, 0, -1), 20.0, "along the pedicle"),
        ((0, 30, 0), (0, -1, 0), 20.0, "along the pedicle"),
    ],
)
def test_an_empty_zone_is_not_gradable(entry, direction, length, reason):
    case = builders.make_case(builders.tube)
    assert reason in refused(grade(case, case.screw(entry, direction, length=length)))


def test_a_tip_short_of_the_body_has_no_zdichavsky_class():
    case = builders.make_case(builders.tube)
    found = grade(case, case.screw((0, -20, 0), length=20))
    assert found.gertzbein_robbins == "A"
    assert found.zdichavsky == "not gradable"
    assert "does not reach" in found.reasons["zdichavsky"]


def test_an_unknown_level_is_refused_in_one_line():
    case = builders.make_case(builders.tube)
    with pytest.raises(InputError, match=r"T4.*not in the label map"):
        assess(case.screw((0, -20, 0)), case.spine, Level.T4, "right")
    case.spine.skipped[Level.T4] = "only a fragment is in view"
    with pytest.raises(InputError, match="only a fragment"):
        assess(case.screw((0, -20, 0)), case.spine, Level.T4, "right")


def test_options_out_of_range_are_refused_by_name():
    with pytest.raises(InputError, match="step_mm"):
        GradingOptions(step_mm=0)
    with pytest.raises(InputError, match="angles"):
        GradingOptions(angles=3)


def test_an_ungradable_screw_has_no_execution_risk_but_says_so():
    case = builders.make_case(builders.tube, high=(17, 24, 2.0))
    risk = execution_risk(case.screw((0, -20, 0)), case.spine, case.level, "right", draws=10)
    assert risk.probabilities["not gradable"] == 1.0
    assert sum(risk.probabilities.values()) == 1.0


def test_an_assessment_is_json_ready():
    case = builders.make_case(builders.tube, high=(17, 24, 2.0))
    for screw in (case.screw((0, -20, 0)), case.screw((0, -20, -8))):
        values = grade(case, screw).to_dict()
        assert values["breach_mm"] is None
        assert values["reasons"]["gertzbein_robbins"]
