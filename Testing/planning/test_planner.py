"""Planning on a phantom, whose reference screws come from its analytic axes."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.errors import InputError
from spinescrew.evaluation.plans import by_level, compare_plan, markdown_table, summarise
from spinescrew.phantoms import make_spine_phantom, reference_screws
from spinescrew.planning.construct import align_heads, rod_deviation_mm
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import heads
from spinescrew.planning.planner import grade_plan, plan_spine
from spinescrew.planning.search import choices
from spinescrew.progress import Cancelled, Progress

LEVELS = parse_levels("L1-S1")


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(21)


@pytest.fixture(scope="module")
def spine(phantom):
    return build_spine(phantom.labels, phantom.ct, LEVELS)


@pytest.fixture(scope="module")
def plan(spine):
    return plan_spine(spine, LEVELS)


def test_every_pedicle_gets_a_screw_by_the_rules(plan, spine):
    assert len(plan.planned) == 12
    for row in plan.planned:
        found = row.assessment
        assert found.gertzbein_robbins == "A"
        assert found.facet_grade == 0
        assert found.depth_percent <= 80.01
        assert found.psa_deg == pytest.approx(0.0, abs=0.1)
        pedicle = spine.vertebrae[row.level].pedicles[row.side]
        assert row.screw.shape.diameter_mm <= 0.8 * min(pedicle.width_mm, pedicle.height_mm) + 1e-6
        assert row.screw.shape.item.startswith("generic")
        assert found.mean_hu is not None


def test_screws_are_where_the_analytic_axes_put_them(phantom, spine, plan):
    references = {key: screw for key, screw in reference_screws(phantom).items() if key[0] in LEVELS}
    compared = compare_plan(plan, references, spine)
    mean = summarise([compared])
    assert mean["screws"] == 12
    assert mean["pta_deg"] <= 1.6
    assert mean["psa_deg"] <= 1.6
    assert mean["entry_mm"] <= 2.5
    assert mean["tip_mm"] <= 2.5
    assert mean["dice"] >= 0.70
    assert set(by_level([compared])) == set(LEVELS)


def test_anatomic_screws_follow_the_pedicle(phantom, spine):
    plan = plan_spine(spine, (Level.L2, Level.L3), PlanningOptions(trajectory="anatomic"))
    for row in plan.planned:
        truth = phantom.truth[row.level].pedicles[row.side]
        assert row.assessment.psa_deg == pytest.approx(truth.psa_deg, abs=4.0)
    assert plan.parameters["trajectory"] == "anatomic"


def test_heads_lie_where_a_rod_can_follow(plan):
    for side in ("left", "right"):
        assert rod_deviation_mm(heads(plan, side)) < 8.0


def test_a_pedicle_that_is_too_narrow_is_not_planned_and_says_so(spine):
    vertebra = spine.vertebrae[Level.L2]
    thin = {side: replace(pedicle, width_mm=5.0) for side, pedicle in vertebra.pedicles.items()}
    answer = choices(replace(vertebra, pedicles=thin), "left", PlanningOptions())
    assert (
        answer == "the pedicle is too narrow: its isthmus is 5.0 mm, the smallest catalogue screw (5.5 mm) needs 6.9 mm"
    )


def test_a_cut_vertebra_is_not_planned_and_says_so(spine):
    cut = replace(spine.vertebrae[Level.L2], cut=("superior",))
    other = replace(spine, vertebrae={**spine.vertebrae, Level.L2: cut})
    plan = plan_spine(other, (Level.L2,))
    assert [row.status for row in plan.screws] == ["not_planned", "not_planned"]
    assert "cut by the field of view (superior)" in plan.screws[0].reason


def test_a_pedicle_that_was_not_found_keeps_its_reason(spine):
    vertebra = spine.vertebrae[Level.L2]
    one = replace(vertebra, pedicles={"right": vertebra.pedicles["right"]}, missing={"left": "hidden by metal"})
    plan = plan_spine(replace(spine, vertebrae={**spine.vertebrae, Level.L2: one}), (Level.L2,))
    assert plan.get(Level.L2, "left").reason == "hidden by metal"
    assert plan.get(Level.L2, "right").status == "planned"


def test_a_level_that_is_not_there_has_a_row_of_its_own(spine):
    plan = plan_spine(spine, (Level.T9, Level.L2))
    assert [row.level.name for row in plan.screws] == ["T9", "T9", "L2", "L2"]
    assert "not in the label map" in plan.get(Level.T9, "left").reason


def test_a_thicker_limit_and_another_depth_are_followed(spine):
    options = PlanningOptions(maximum_diameter_mm=5.5, depth_percent=70.0)
    for row in plan_spine(spine, (Level.L3,), options).planned:
        assert row.screw.shape.diameter_mm == 5.5
        assert row.assessment.depth_percent <= 70.01


def test_a_plan_can_be_graded_again(spine, plan):
    again = grade_plan(plan, spine)
    for before, after in zip(plan.screws, again.screws, strict=True):
        assert after.assessment.breach.margin_mm == pytest.approx(before.assessment.breach.margin_mm)


def test_planning_stops_when_asked(spine):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        plan_spine(spine, LEVELS, progress=progress)


def test_the_same_case_gives_the_same_plan(spine, plan):
    again = plan_spine(spine, LEVELS)
    for before, after in zip(plan.screws, again.screws, strict=True):
        assert np.array_equal(before.screw.entry, after.screw.entry)


def test_alignment_keeps_every_screw_near_its_best(spine):
    found = [choices(spine.vertebrae[level], "left", PlanningOptions()) for level in LEVELS]
    for choice, row in zip(found, align_heads(found), strict=True):
        assert choice.cost[row] <= choice.cost[0] + 0.4


@pytest.mark.parametrize("wrong", [{"trajectory": "up"}, {"depth_percent": 150}, {"margin_mm": -1}])
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        PlanningOptions(**wrong)


def test_the_table_names_every_screw(plan):
    table = markdown_table(plan)
    assert table.count("\n") == 14
    assert "| S1 (26) | right | generic" in table


@pytest.mark.slow
def test_fifty_phantoms():
    compared = []
    for seed in range(100, 150):
        made = make_spine_phantom(seed, with_ct=False)
        measured = build_spine(made.labels, None, LEVELS)
        planned = plan_spine(measured, LEVELS)
        assert all(row.assessment.gertzbein_robbins == "A" for row in planned.planned)
        references = {key: screw for key, screw in reference_screws(made).items() if key[0] in LEVELS}
        compared.append(compare_plan(planned, references, measured))
    mean = summarise(compared)
    assert mean["pta_deg"] <= 1.6
    assert mean["psa_deg"] <= 1.6
    assert mean["entry_mm"] <= 2.5
    assert mean["tip_mm"] <= 2.5
    assert mean["dice"] >= 0.70
