"""The node by which a scene remembers its plan, whatever its nodes are called."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.exchange.document import SCHEMA_VERSION, plan_from_document, plan_to_document
from spinescrew.planning.plan import Key, Plan

KIND = "SpineScrew.Kind"
PLAN, C2_PLAN = "plan", "C2 plan"
"""Kinds of plans that a scene can hold, one of each."""

_PREFIX = "SpineScrew."
_PLAN, _AUTOMATIC = "plan", "automatic"


class PlanStore:
    """Plan, automatic plan and the references to every node that shows them, in one ``vtkMRMLScriptedModuleNode``.

    Node names are free: everything is found by reference. Measures are not kept here, they are made again.
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    @staticmethod
    def create(scene: Any, kind: str = PLAN) -> PlanStore:
        """A new store in ``scene``; plans of different kinds live side by side."""
        node = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "SpineScrew plan")
        node.SetAttribute(KIND, kind)
        node.SetHideFromEditors(True)
        return PlanStore(node)

    @staticmethod
    def find(scene: Any, kind: str = PLAN) -> PlanStore | None:
        """The store of the plan of this kind in ``scene``, if there is one."""
        nodes = scene.GetNodesByClass("vtkMRMLScriptedModuleNode")
        nodes.UnRegister(None)
        for n in range(nodes.GetNumberOfItems()):
            node = nodes.GetItemAsObject(n)
            if node.GetAttribute(KIND) == kind:
                return PlanStore(node)
        return None

    def write(self, plan: Plan, automatic: Plan | None = None) -> None:
        """Keep the plan (and, where given, the automatic one), without their measures."""
        self.node.SetParameter(_PLAN, _text(plan))
        if automatic is not None:
            self.node.SetParameter(_AUTOMATIC, _text(automatic))

    def read(self) -> Plan:
        """The plan.

        Raises
        ------
        InputError
            If the scene's plan is damaged or comes from a newer version.
        """
        return _plan(self.node.GetParameter(_PLAN))

    def read_automatic(self) -> Plan | None:
        """The plan that differences are told from, if it was kept."""
        text = self.node.GetParameter(_AUTOMATIC)
        return _plan(text) if text else None

    def refer(self, role: str, node: Any | None) -> None:
        """Remember ``node`` under ``role``; ``None`` forgets it."""
        self.node.SetNodeReferenceID(_PREFIX + role, node.GetID() if node is not None else None)

    def referred(self, role: str) -> Any | None:
        """The node remembered under ``role``, if it is still in the scene."""
        return self.node.GetNodeReference(_PREFIX + role)

    def roles(self) -> Iterable[str]:
        """Every role that refers to a node."""
        names: list[str] = []
        self.node.GetNodeReferenceRoles(names)
        return [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]


def screw_role(key: Key, part: str) -> str:
    """Role of one part (``"line"``, ``"pose"``, ``"model"``, ``"breach"``) of a screw's nodes."""
    level, side = key
    return f"{level.name}.{side}.{part}"


def key_of_role(role: str) -> tuple[Key, str] | None:
    """(key, part) of a screw's role; ``None`` for other roles."""
    pieces = role.split(".")
    if len(pieces) != 3 or pieces[0] not in Level.__members__ or pieces[1] not in ("left", "right"):
        return None
    return (Level[pieces[0]], "left" if pieces[1] == "left" else "right"), pieces[2]


def _text(plan: Plan) -> str:
    bare = replace(plan, screws=tuple(replace(row, assessment=None) for row in plan.screws))
    return json.dumps(plan_to_document(bare), ensure_ascii=False, allow_nan=False)


def _plan(text: str | None) -> Plan:
    if not text:
        raise InputError("this scene holds no SpineScrew plan; plan the case, or open a plan file")
    try:
        document = json.loads(text)
        version = document.get("schema_version", 0)
        if version > SCHEMA_VERSION:
            raise InputError(f"the scene's plan has version {version}; update SpineScrew to open it")
        return plan_from_document(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"the scene's plan is damaged ({error}); open its plan file instead") from error
