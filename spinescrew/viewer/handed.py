"""Files that the browser hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spinescrew.errors import InputError

LARGEST_BYTES = 2**28


def checked_file(file: Any) -> tuple[str, bytes]:
    """Name and content of a radiograph or its calibration as the browser sends it.

    Raises
    ------
    InputError
        If it is none, or too large to be one.
    """
    content = file.get("content") if isinstance(file, dict) else None
    if isinstance(content, list):
        content = b"".join(content)
    name = Path(str(file.get("name", ""))).name if isinstance(file, dict) else ""
    if not isinstance(content, bytes | bytearray | memoryview) or not name:
        raise InputError("the browser did not hand over the file; choose it again")
    if len(content) > LARGEST_BYTES:
        raise InputError(f"{name} is larger than {LARGEST_BYTES // 2**20} MB, as no radiograph is; choose another file")
    return name, bytes(content)
