"""Values as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """``value`` in dicts, lists, words and numbers, at full precision; ``None`` for what is no finite number.

    Of a path only the file's name is kept: folders are often named after patients.
    """
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return _file_name(str(value))


def _file_name(text: str) -> str:
    """The last part of a text that is a path, any other text as it is."""
    kind = PureWindowsPath if "\\" in text else PurePosixPath
    path = kind(text)
    looks_like_one = "/" in text or "\\" in text
    return path.name if looks_like_one and (path.is_absolute() or path.suffix) else text
