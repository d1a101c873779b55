"""Heat strips: means over stretches of the shaft and directions around it."""

from dataclasses import replace

from spinescrew.reports.strips import heat_strips


def strip(plan, title, **values):
    assessment = replace(plan.screws[0].assessment, **values)
    found = [s for s in heat_strips(assessment) if s.title.startswith(title)]
    return [cell.text for cell in found[0].cells] if found else None


def test_depth_cells_are_means_from_entry_to_tip(ct_plan):
    assert strip(ct_plan, "HU, entry", hu_by_depth=tuple(2.0 * n for n in range(20))) == [
        "1", "5", "9", "13", "17", "21", "25", "29", "33", "37"
    ]  # fmt: skip


def test_the_seventh_of_twelve_cells_around_the_shaft_begins_at_lateral(ct_plan):
    lateral = tuple(500.0 if 180 <= degrees < 210 else 100.0 for degrees in range(0, 360, 5))
    assert strip(ct_plan, "HU, around", hu_by_angle=lateral) == ["100"] * 6 + ["500"] + ["100"] * 5


def test_what_was_not_measured_is_a_dash_or_no_strip_at_all(ct_plan, mask_plan):
    assert strip(ct_plan, "HU, entry", hu_by_depth=(None, None, 300.0)) == ["–", "–", "300"]
    assert strip(mask_plan, "HU") is None
    assert strip(mask_plan, "% in bone, entry")[-1] == "100"
