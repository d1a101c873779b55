"""Assessments read back from a plan file."""

from __future__ import annotations

import math
from dataclasses import MISSING, Field, fields
from typing import Any

from spinescrew.grading.assessment import Assessment, Breach, ExecutionRisk, GradeRange
from spinescrew.grading.scales import NOT_GRADABLE

_PARTS: dict[str, type] = {"breach": Breach, "grade_range": GradeRange, "execution_risk": ExecutionRisk}


def assessment_from_dict(values: dict[str, Any]) -> Assessment:
    """The assessment whose :meth:`Assessment.to_dict` gave ``values``.

    Measures that an older version did not know are left empty, those of another version that this one does not know
    are left out.
    """
    known = {
        name: _record(kind, values[name]) if isinstance(values.get(name), dict) else None
        for name, kind in _PARTS.items()
    }
    assessment: Assessment = _record(Assessment, {**values, **known})
    return assessment


def _record(kind: Any, values: dict[str, Any]) -> Any:
    return kind(**{item.name: _value(item, values) for item in fields(kind)})


def _value(item: Field[Any], values: dict[str, Any]) -> Any:
    if item.name not in values:
        return _absent(item)
    value = values[item.name]
    if value is None and item.type == "float":
        return math.nan
    return tuple(value) if isinstance(value, list) else value


def _absent(item: Field[Any]) -> Any:
    """What stands for a measure that the file does not hold."""
    if item.default is not MISSING:
        return item.default
    declared = str(item.type)
    if declared.endswith("None"):
        return None
    empty: dict[str, Any] = {"dict": {}, "tuple": (), "float": math.nan}
    return next((value for start, value in empty.items() if declared.startswith(start)), NOT_GRADABLE)
