"""screws.csv and one STL per screw."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.exchange import write_screw_stls, write_screws_csv
from spinescrew.exchange.table import COLUMNS
from spinescrew.planning.edits import delete, resize, set_locked


def read_stl(path):
    """Points and volume of an STL file as another library reads it, and its header."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkMassProperties
    from vtkmodules.vtkIOGeometry import vtkSTLReader

    reader = vtkSTLReader()
    reader.SetFileName(str(path))
    reader.Update()
    mass = vtkMassProperties()
    mass.SetInputConnection(reader.GetOutputPort())
    points = vtk_to_numpy(reader.GetOutput().GetPoints().GetData()).astype(float)
    return points, mass.GetVolume(), reader.GetHeader()


def test_the_table_has_one_row_per_screw_and_the_reason_of_the_unplanned(plan, tmp_path):
    with write_screws_csv(plan, tmp_path / "screws.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    bare, left, right = rows
    assert (bare["level"], bare["verse_id"], bare["status"]) == ("T13", "28", "not_planned")
    assert bare["reason"] == "the pedicle is 3.1 mm wide, 4.0 mm are needed" and bare["diameter_mm"] == ""
    assert (left["item"], left["diameter_mm"], left["length_mm"]) == ("generic 6.5 x 45", "6.5", "45")
    assert (left["entry_r_mm"], left["entry_s_mm"]) == ("-31.123", "1404")
    assert (left["gertzbein_robbins"], left["breach_mm"], left["breach_direction"]) == ("B", "1.25", "lateral")
    assert (left["facet_grade"], left["facet_gap_mm"], left["psa_deg"]) == ("not gradable", "", "")
    assert (left["reviewed"], left["locked"], left["notes"]) == ("yes", "no", "shifted for the rod")
    assert (right["planned_by"], right["locked"], right["gertzbein_robbins"]) == ("edited", "yes", "")


def test_every_figure_of_the_table_names_its_unit():
    words = {"level", "verse_id", "side", "status", "reason", "item"}
    words |= {"planned_by", "led_by", "locked", "reviewed", "notes"}
    scales = {"gertzbein_robbins", "breach_direction", "facet_grade", "zdichavsky", "ravi", "heary"}
    for column in set(COLUMNS) - words - scales:
        assert column.endswith(("_mm", "_deg", "_percent", "_hu")), column


def test_one_stl_per_planned_screw_named_by_level_side_and_size(plan, tmp_path):
    files = write_screw_stls(plan, tmp_path / "stl")
    assert [path.name for path in files] == ["L3_left_6.5x45.stl", "L3_right_6.2x43.7.stl"]
    assert sorted(files) == sorted((tmp_path / "stl").iterdir())


def test_an_stl_is_in_lps_and_says_so_and_is_not_inside_out(plan, tmp_path):
    path = write_screw_stls(plan, tmp_path)[0]
    points, volume, header = read_stl(path)
    assert header.startswith("SPACE=LPS") and path.read_bytes()[:5] != b"solid"
    screw = plan.get(Level.L3, "left").screw
    in_ras = points * [-1, -1, 1]
    depth = (in_ras - screw.entry) @ screw.direction
    assert depth.max() == pytest.approx(45.0, abs=1e-3) and depth.min() == pytest.approx(-15.0, abs=1e-3)
    beside = np.linalg.norm(np.cross(in_ras - screw.entry, screw.direction), axis=1)
    assert beside[depth > 0.1].max() == pytest.approx(3.25, abs=0.02)
    facets = np.frombuffer(path.read_bytes()[84:], dtype=[("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")])
    corners = (facets["p"] - facets["p"].mean(axis=(0, 1))).astype(float)
    signed = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert signed == pytest.approx(volume, rel=1e-3) and signed > 1000
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((outward * facets["n"]).sum(axis=1) > 0).mean() > 0.999


def test_a_new_export_removes_old_screws_of_ours_and_nothing_else(plan, tmp_path):
    theirs = tmp_path / "bone.stl"
    theirs.write_bytes(b"SPACE=LPS".ljust(84, b"\0"))
    write_screw_stls(plan, tmp_path)
    edited = delete(resize(plan, Level.L3, "left", length_mm=40.0), Level.L3, "left")
    edited = resize(set_locked(edited, Level.L3, "right", locked=False), Level.L3, "right", length_mm=40.0)
    write_screw_stls(edited, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["L3_right_6.2x40.stl", "bone.stl"]


def test_an_export_that_fails_leaves_the_old_screws(plan, tmp_path, monkeypatch):
    write_screw_stls(plan, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    longer = resize(plan, Level.L3, "left", length_mm=50.0)
    with pytest.raises(Exception, match="No space left on device"):
        write_screw_stls(longer, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_output_tells_where_the_images_lay(plan, tmp_path):
    named = replace(plan, parameters={"labels": "/data/Doe^Jane/labels.nii.gz"})
    files = [write_screws_csv(named, tmp_path / "screws.csv"), *write_screw_stls(named, tmp_path)]
    for path in files:
        assert b"Doe" not in path.read_bytes() and "Doe" not in path.name
