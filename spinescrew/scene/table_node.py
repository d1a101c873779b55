"""The screws as a table node: what Slicer's table view shows and a saved scene keeps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.planning.plan import Key, Plan
from spinescrew.scene.folders import file_away
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore
from spinescrew.scene.wording import COLUMNS, table_cells

ROLE = "table"


class ScrewTable:
    """A ``vtkMRMLTableNode`` with one row per row of the plan."""

    def __init__(self, scene: Any, store: PlanStore, folder: int) -> None:
        self._scene, self._store, self._folder = scene, store, folder
        self._cells: dict[Key, tuple[str, ...]] = {}
        self._order: list[Key] = []

    @property
    def node(self) -> Any:
        """The table node, or ``None`` if someone removed it."""
        return self._store.referred(ROLE)

    def show(self, plan: Plan, automatic: Plan, keys: Collection[Key], stale: Collection[Level]) -> None:
        """Bring the rows of ``keys`` up to date, all of them where rows came or went."""
        node = self.node
        order = [row.key for row in plan.screws]
        anew = node is None or order != self._order or node.GetNumberOfRows() != len(order)
        if anew:
            node = self._new_table(len(order))
            self._order, self._cells = order, {}
        table = node.GetTable()
        changed = False
        for number, row in enumerate(plan.screws):
            if row.key in self._cells and row.key not in keys:
                continue
            cells = table_cells(row, automatic, row.level in stale)
            if cells != self._cells.get(row.key):
                for column, text in enumerate(cells):
                    table.GetColumn(column).SetValue(number, text)
                self._cells[row.key] = cells
                changed = True
        if changed or anew:
            table.Modified()
            node.Modified()

    def cells(self, key: Key) -> tuple[str, ...]:
        """Texts of one row as the node holds them."""
        table, number = self.node.GetTable(), self._order.index(key)
        return tuple(table.GetColumn(column).GetValue(number) for column in range(len(COLUMNS)))

    def remove(self) -> None:
        """Take the table out of the scene."""
        node = self.node
        self._store.refer(ROLE, None)
        remove_node(self._scene, node)

    def _new_table(self, rows: int) -> Any:
        node = self.node
        if node is None:
            node = self._scene.AddNewNodeByClass("vtkMRMLTableNode", "Screw table")
            self._store.refer(ROLE, node)
            file_away(self._scene, node, self._folder)
        table = vtk.vtkTable()
        for name in COLUMNS:
            column = vtk.vtkStringArray()
            column.SetName(name)
            column.SetNumberOfValues(rows)
            table.AddColumn(column)
        node.SetAndObserveTable(table)
        node.SetUseColumnTitleAsColumnHeader(True)
        return node
