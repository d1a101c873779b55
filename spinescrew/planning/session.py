"""One plan under a person's hands: the plan as it stands, its grades, and everything that can be done to it.

The session is the one source of truth while a case is open. Windows, markups and tables are views: they ask the
session for edits and are told what changed; none of them holds a plan of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.grading.grade import assess, execution_risk
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.catalog import Catalog, load_catalog
from spinescrew.implants.clearance import capsule_clearances
from spinescrew.implants.screw import Screw
from spinescrew.planning.history import History
from spinescrew.planning.plan import Key, Plan, PlannedScrew

Edit = Callable[[Plan], Plan]

MERGE_WITHIN_S = 1.5
RISK_DRAWS = 200


@dataclass(frozen=True)
class Change:
    """What listeners are told.

    Attributes
    ----------
    keys:
        Rows that differ in anything from before.
    live:
        Whether the hand is still moving: more changes follow, and no step of the history was made yet.
    step:
        Name of the edit that was finished, taken back or made again; empty for everything else.
    spine:
        Whether the vertebrae were measured anew.
    """

    keys: frozenset[Key] = frozenset()
    live: bool = False
    step: str = ""
    spine: bool = False


Listener = Callable[[Change], None]


class Session:
    """A plan that is being edited, always graded.

    Parameters
    ----------
    plan:
        To start from; rows without an assessment are graded at once.
    spine:
        What it stands in.
    automatic:
        The plan that differences are told from, and its ghost; ``plan`` when left out.
    catalog:
        Where sizes snap to while :attr:`snap` is set.
    clock:
        Seconds, rising; successive edits of the same kind within 1.5 s are one step of the history.

    Examples
    --------
    >>> session = Session(plan, spine)                                          # doctest: +SKIP
    >>> session.edit("turn L3 left", lambda p: rotate(p, L3, "left", vertebra, pta_deg=20))  # doctest: +SKIP
    >>> session.undo()                                                          # doctest: +SKIP
    """

    def __init__(
        self,
        plan: Plan,
        spine: Spine,
        *,
        automatic: Plan | None = None,
        options: GradingOptions | None = None,
        catalog: Catalog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options or GradingOptions()
        self.catalog = catalog or load_catalog()
        self.snap = True
        self._spine = spine
        self._stale: frozenset[Level] = frozenset()
        self._listeners: list[Listener] = []
        self._clock = clock
        self._merge: tuple[str, float] = ("", -1e9)
        self._gesture = ""
        self._live: Plan | None = None
        self._selected: Key | None = None
        self._history = History(self._graded(plan))
        self.automatic = automatic if automatic is not None else self._history.current
        if self.plan.planned:
            self._selected = self.plan.planned[0].key

    @property
    def plan(self) -> Plan:
        """The plan as it stands, graded as far as the image allows."""
        return self._live if self._live is not None else self._history.current

    @property
    def spine(self) -> Spine:
        """The vertebrae it stands in."""
        return self._spine

    @property
    def history(self) -> History[Plan]:
        """For its names; change it through the session only."""
        return self._history

    @property
    def stale(self) -> frozenset[Level]:
        """Levels whose segmentation was edited since their screws were graded: no grade of theirs holds."""
        return self._stale

    @property
    def selected(self) -> Key | None:
        """The row that windows work on."""
        return self._selected

    @property
    def gesture(self) -> str:
        """Name of the gesture under way; empty when the hand rests."""
        return self._gesture

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """``listener`` is called after every change; returns what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def select(self, key: Key | None) -> None:
        """Another row for windows to work on."""
        if key is not None:
            self.plan.get(*key)
        if key != self._selected:
            keys = frozenset(k for k in (key, self._selected) if k is not None)
            self._selected = key
            self._tell(Change(keys))

    def select_next(self, step: int = 1) -> None:
        """The next (or with -1 the previous) planned screw, round and round."""
        keys = [row.key for row in self.plan.planned]
        if keys:
            here = keys.index(self._selected) if self._selected in keys else -step
            self.select(keys[(here + step) % len(keys)])

    def edit(self, name: str, function: Edit, *, merge: bool = False) -> Plan:
        """``function`` of the plan becomes the plan, graded; a step of the history, or a part of the open gesture.

        ``merge`` makes one step of a run of edits with the same name, as sliders send them.

        Raises
        ------
        InputError
            What the edit refuses; the plan is then as it was.
        """
        before = self.plan
        after = self._graded(function(before), before)
        keys = _differing(before, after)
        if not keys:
            return before
        if self._gesture:
            self._live = after
            self._tell(Change(keys, live=True))
            return after
        now = self._clock()
        joined = merge and self._merge[0] == name and now - self._merge[1] < MERGE_WITHIN_S
        if joined:
            self._history.amend(after)
        else:
            self._history.do(after, name)
        self._merge = (name if merge else "", now)
        self._tell(Change(keys, step=name))
        return after

    def begin(self, name: str) -> None:
        """A gesture starts: the edits until :meth:`end` are one step called ``name``. One that is open ends first."""
        if self._gesture:
            self.end()
        self._gesture = name
        self._live = self._history.current

    def end(self) -> Plan:
        """The gesture ends and becomes a step, if it changed anything."""
        name, after = self._gesture, self._live
        self._gesture, self._live = "", None
        if name and after is not None and _edited(self._history.current, after):
            keys = _differing(self._history.current, after)
            self._history.do(after, name)
            self._merge = ("", 0.0)
            self._tell(Change(keys, step=name))
        return self.plan

    def cancel(self) -> Plan:
        """The gesture ends and everything is as it was before it."""
        after = self._live
        self._gesture, self._live = "", None
        if after is not None:
            self._tell(Change(_differing(self._history.current, after)))
        return self.plan

    def undo(self) -> Plan:
        """The last step taken back (an open gesture, if there is one)."""
        if self._gesture:
            return self.cancel()
        name = self._history.undo_name
        return self._travel(self._history.undo, name)

    def redo(self) -> Plan:
        """The step taken back last, made again."""
        if self._gesture:
            self.end()
        name = self._history.redo_name
        return self._travel(self._history.redo, name)

    def restore_automatic(self, key: Key) -> Plan:
        """The screw as the planner had placed it."""
        row = self.automatic.get(*key)

        def function(plan: Plan) -> Plan:
            if plan.get(*key).locked:
                raise InputError(f"{key[0].label} {key[1]} is locked; unlock it to change it")
            return plan.with_screw(replace(row, locked=False, reviewed=False, assessment=None))

        return self.edit(f"{key[0].name} {key[1]} back to automatic", function)

    def mark_stale(self, levels: Collection[Level]) -> None:
        """The segmentation of ``levels`` was edited: their grades no longer hold, and say so until :meth:`use_spine`.

        The joints of the levels below them are stale too.
        """
        touched = self._with_below(levels)
        if touched <= self._stale:
            return
        self._stale |= touched
        self._rewrite(touched)
        self._tell(Change(frozenset(row.key for row in self.plan.screws if row.level in touched)))

    def use_spine(self, spine: Spine, levels: Collection[Level] | None = None) -> Plan:
        """Vertebrae measured anew: everything is graded against them, at whatever step of the history.

        ``levels`` are those that changed, all when left out; their reviewed marks are cleared.
        """
        changed = {row.level for row in self.plan.screws} | set(spine.vertebrae) if levels is None else set(levels)
        touched = self._with_below(changed)
        self._spine, self._stale = spine, frozenset()
        self._rewrite(touched | self._with_below(changed), spine.labels.content_hash())
        current = self._history.current
        after = self._history.amend(self._graded(current, current))
        if self._live is not None:
            after = self._live = self._graded(self._live, self._live)
        self._tell(Change(frozenset(row.key for row in after.screws), spine=True))
        return after

    def refine(self, keys: Iterable[Key] | None = None, draws: int = RISK_DRAWS) -> None:
        """What takes too long for a moving hand: grades under execution error, for the selected screw or ``keys``."""
        wanted = list(keys) if keys is not None else [self._selected] if self._selected is not None else []
        plan, done = self.plan, set()
        for key in wanted:
            row = next((r for r in plan.planned if r.key == key), None)
            if row is None or row.screw is None or row.assessment is None or row.assessment.breach is None:
                continue
            if row.assessment.execution_risk is None:
                risk = execution_risk(row.screw, self._spine, row.level, row.side, self.options, draws=draws)
                plan = plan.with_screw(replace(row, assessment=replace(row.assessment, execution_risk=risk)))
                done.add(key)
        if done and not self._gesture:
            self._history.amend(plan)
            self._tell(Change(frozenset(done)))

    def _travel(self, go: Callable[[], Plan], name: str) -> Plan:
        before = self.plan
        after = self._history.amend(self._graded(go()))
        self._merge = ("", 0.0)
        self._tell(Change(_differing(before, after), step=name))
        return after

    def _graded(self, plan: Plan, before: Plan | None = None) -> Plan:
        """Every screw that has no assessment assessed, and the room between screws brought up to date."""
        missing = [row for row in plan.planned if row.assessment is None and row.level not in self._stale]
        for row in missing:
            note = f"not graded: {row.level.label} is not in the label map"
            if row.level not in self._spine.vertebrae:
                if note not in row.notes:
                    plan = plan.with_screw(replace(row, notes=(*row.notes, note)))
                continue
            assert row.screw is not None
            found = assess(row.screw, self._spine, row.level, row.side, (), self.options)
            notes = tuple(text for text in row.notes if text != note)
            plan = plan.with_screw(replace(row, assessment=found, notes=notes))
        return _with_clearances(plan, before)

    def _rewrite(self, levels: Collection[Level], labels_hash: str = "") -> None:
        """Assessments and reviewed marks of ``levels`` cleared in every plan of the history, which names its labels."""
        done: dict[int, tuple[PlannedScrew, PlannedScrew]] = {}

        def cleared(row: PlannedScrew) -> PlannedScrew:
            if row.level not in levels or (row.assessment is None and not row.reviewed):
                return row
            if id(row) not in done:
                done[id(row)] = (row, replace(row, assessment=None, reviewed=False))
            return done[id(row)][1]

        def function(plan: Plan) -> Plan:
            hashes = {**plan.input_hash, "labels": labels_hash} if labels_hash else plan.input_hash
            return replace(plan, screws=tuple(cleared(row) for row in plan.screws), input_hash=hashes)

        self._history.rewrite(function)
        if self._live is not None:
            self._live = function(self._live)

    def _with_below(self, levels: Collection[Level]) -> frozenset[Level]:
        below = [self._spine.below(level) for level in levels]
        return frozenset(levels) | {vertebra.level for vertebra in below if vertebra is not None}

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            listener(change)


def _differing(before: Plan, after: Plan) -> frozenset[Key]:
    """Keys of rows that are not the same object in both."""
    old = {row.key: row for row in before.screws}
    new = {row.key: row for row in after.screws}
    return frozenset(key for key in old.keys() | new.keys() if old.get(key) is not new.get(key))


def _edited(before: Plan, after: Plan) -> bool:
    """Whether anything differs that a person can change; grades alone do not count."""

    def by_hand(plan: Plan) -> dict[Key, tuple[object, ...]]:
        return {r.key: (id(r.screw), r.locked, r.reviewed, r.reason, r.planned_by) for r in plan.screws}

    return by_hand(before) != by_hand(after)


def _with_clearances(plan: Plan, before: Plan | None) -> Plan:
    """Distances to the neighbouring screws as the plan stands; rows whose distance is the same stay the same object.

    Where one screw moved, only the rows for which it is or was the nearest are measured again.
    """
    rows = plan.planned
    screws = [row.screw for row in rows if row.screw is not None]
    changed = {}
    for n in _nearest_to_change(rows, screws, before):
        row = rows[n]
        if row.assessment is None:
            continue
        others = screws[:n] + screws[n + 1 :]
        room = float(capsule_clearances(screws[n], others).min()) if others else None
        if room != row.assessment.neighbour_screw_clearance_mm:
            changed[row.key] = replace(row, assessment=replace(row.assessment, neighbour_screw_clearance_mm=room))
    if not changed:
        return plan
    return replace(plan, screws=tuple(changed.get(row.key, row) for row in plan.screws))


def _nearest_to_change(rows: Sequence[PlannedScrew], screws: list[Screw], before: Plan | None) -> Iterable[int]:
    """Numbers of the rows whose room to their neighbours may differ from before."""
    old = {row.key: row.screw for row in before.planned} if before is not None else {}
    moved = [n for n, row in enumerate(rows) if old.get(row.key) is not row.screw]
    if before is None or len(moved) > 1 or old.keys() - {row.key for row in rows}:
        return range(len(rows))
    known = [row.assessment.neighbour_screw_clearance_mm if row.assessment is not None else None for row in rows]
    if not moved:
        return [n for n, room in enumerate(known) if room is None]
    number = moved[0]
    nearest = capsule_clearances(screws[number], screws)
    was = old.get(rows[number].key)
    if was is not None:
        nearest = np.minimum(nearest, capsule_clearances(was, screws))
    return [n for n, room in enumerate(known) if n == number or room is None or nearest[n] <= room + 1e-6]
