"""Handles: one fiducial list with three points for every screw: its entry, its tip, and the middle for the whole.

The lines between are locked: Slicer gives a click to whatever markup is nearest, and to a hand that aims for the middle
of a screw that would nearly always be its line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Key, PlannedScrew
from spinescrew.scene.folders import file_away
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore
from spinescrew.scene.wording import long_label, short_label

Part = Literal["whole", "entry", "tip"]

ROLE = "grips"
PARTS: tuple[Part, ...] = ("whole", "entry", "tip")
_SAME_MM = 1e-7
_SHARE = 0.4


class Grips:
    """Points that move screws; the description of a point says which screw it holds, and by which part."""

    def __init__(self, scene: Any, store: PlanStore, folder: int, look: Look = PLAIN) -> None:
        self._scene, self._store, self._folder, self._look = scene, store, folder, look
        self.ensure()

    @property
    def node(self) -> Any:
        """The fiducial list, or ``None`` if someone removed it."""
        return self._store.referred(ROLE)

    def ensure(self) -> Any:
        """The fiducial list, made anew if it is gone."""
        node = self.node
        if node is None:
            node = self._scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Screws")
            self._store.refer(ROLE, node)
            node.CreateDefaultDisplayNodes()
            _dress(node.GetDisplayNode())
            file_away(self._scene, node, self._folder)
        return node

    def keys(self) -> dict[Key, int]:
        """Number of the point that holds each whole screw."""
        return {key: number for (key, part), number in self.numbers().items() if part == "whole"}

    def numbers(self) -> dict[tuple[Key, Part], int]:
        """Number of the point of each part of each screw."""
        node = self.node
        if node is None:
            return {}
        found = {}
        for n in range(node.GetNumberOfControlPoints()):
            held = part_from_text(node.GetNthControlPointDescription(n))
            if held is not None:
                found[held] = n
        return found

    def position(self, number: int) -> np.ndarray:
        """(3,) RAS of a point."""
        point = np.zeros(3)
        self.node.GetNthControlPointPositionWorld(number, point)
        return point

    def show(self, rows: Iterable[PlannedScrew], selected: Key | None, stale: frozenset[Level]) -> None:
        """Points for each of these planned screws where it stands, labelled as it is graded."""
        node = self.ensure()
        numbers = self.numbers()
        for row in rows:
            if row.screw is None:
                continue
            old, chosen = row.level in stale, row.key == selected
            label = long_label(row, old) if chosen and not self._look.brief else short_label(row, old)
            for part in PARTS:
                number = self._place(row.key, part, part_point(row.screw, part), numbers)
                text = label if part == "whole" else ""
                if node.GetNthControlPointLabel(number) != text:
                    node.SetNthControlPointLabel(number, text)
                if bool(node.GetNthControlPointLocked(number)) != row.locked:
                    node.SetNthControlPointLocked(number, row.locked)
                if bool(node.GetNthControlPointSelected(number)) != chosen:
                    node.SetNthControlPointSelected(number, chosen)

    def keep_only(self, keys: Iterable[Key]) -> None:
        """Take out the points of all other screws."""
        wanted = set(keys)
        for (key, _part), number in sorted(self.numbers().items(), key=lambda item: -item[1]):
            if key not in wanted:
                self.node.RemoveNthControlPoint(number)

    def _place(self, key: Key, part: Part, here: np.ndarray, numbers: dict[tuple[Key, Part], int]) -> int:
        number = numbers.get((key, part))
        if number is None:
            number = int(self.node.AddControlPointWorld(vtk.vtkVector3d(*here)))
            self.node.SetNthControlPointDescription(number, f"{text_from_key(key)} {part}")
        elif np.abs(self.position(number) - here).max() > _SAME_MM:
            self.node.SetNthControlPointPositionWorld(number, *here)
        return number

    def remove(self) -> None:
        """Take the list out of the scene."""
        node = self.node
        self._store.refer(ROLE, None)
        remove_node(self._scene, node)


def grip_point(screw: Screw) -> np.ndarray:
    """(3,) RAS: where a whole screw is grabbed, on its axis between the pedicle and the body."""
    return np.asarray(screw.entry + _SHARE * screw.shape.length_mm * screw.direction)


def part_point(screw: Screw, part: Part) -> np.ndarray:
    """(3,) RAS: where a part of a screw is grabbed."""
    if part == "whole":
        return grip_point(screw)
    return np.asarray(screw.entry if part == "entry" else screw.tip)


def text_from_key(key: Key) -> str:
    """``"L3 left"``."""
    return f"{key[0].name} {key[1]}"


def part_from_text(text: str) -> tuple[Key, Part] | None:
    """Key and part in a point's description; ``None`` if it is something else."""
    words = (text or "").split()
    if len(words) != 3 or words[0] not in Level.__members__ or words[1] not in ("left", "right"):
        return None
    part = next((part for part in PARTS if part == words[2]), None)
    return None if part is None else ((Level[words[0]], "left" if words[1] == "left" else "right"), part)


def _dress(display: Any) -> None:
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetOccludedVisibility(True)
    display.SetOccludedOpacity(0.6)
    display.SetPointLabelsVisibility(True)
    display.SetPropertiesLabelVisibility(False)
    display.SetGlyphType(display.Diamond2D if hasattr(display, "Diamond2D") else display.Sphere3D)
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(3.6)
    display.SetTextScale(2.2)
    display.SetColor(0.25, 0.27, 0.30)
    display.SetSelectedColor(1.0, 1.0, 1.0)
