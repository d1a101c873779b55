"""Parts of the Screw Brand ID module: logic.py knows MRML, widget.py and the sections know Qt.

Frames, timers, background jobs and the installation are Spine Planner's; all modules belong to one extension.
"""

import importlib.util
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

# Unbuilt use: the library and the other module lie beside this module's folder.
for _name, _folder in (("spinescrew", _ROOT), ("SpinePlannerLib", _ROOT / "SpinePlanner")):
    if importlib.util.find_spec(_name) is None:
        sys.path.append(str(_folder))
