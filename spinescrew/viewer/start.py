"""The state of the page before anything is open."""

from __future__ import annotations

from typing import Any

from spinescrew.scene.brand_scene import OPACITY as BRAND_OPACITY
from spinescrew.scene.c2_scene import OPACITY, THRESHOLD
from spinescrew.scene.pose_look import OVERLAY
from spinescrew.viewer import brand_shown, pose_shown
from spinescrew.viewer.c2_shown import NOTHING
from spinescrew.viewer.places import BRAND, BRAND_PANES, C2, C2_PANES, PANES, PLACES, PLANNER, POSE, POSE_PANES

WINDOWS = {"Bone": (1500.0, 150.0), "Wide": (3000.0, 500.0), "Soft tissue": (400.0, 40.0), "Metal": (6000.0, 1500.0)}
"""Width and centre in HU by name."""

START: dict[str, Any] = {
    "tab": PLANNER,
    "pane_names": {PLANNER: PANES, C2: C2_PANES, POSE: POSE_PANES, BRAND: BRAND_PANES},
    "opened": False,
    "busy": False,
    "job_text": "",
    "job_fraction": 0.0,
    "message": "",
    "problem": False,
    "case_name": "",
    "notes": [],
    "rows": [],
    "summary": "",
    "hand": {"key": "", "title": "", "planned": False, "figures": {}, "facts": [], "notes": []},
    "steps": {"undo": "", "redo": ""},
    "levels": {"rows": [], "message": "", "changed": False},
    "letters": {place.node: ["", "", "", ""] for place in PLACES},
    "adding": False,
    "unsaved": False,
    "can_save": False,
    "recover": 0,
    "exported": {},
    "aligned": True,
    "follow_image": False,
    "ghost": False,
    "snap": True,
    "pivot": "entry",
    "bone": 0.55,
    "window": "Bone",
    "theme": "dark",
    "big": "",
    "c2": NOTHING,
    "c2_side": "",
    "c2_bone": 0.8,
    "attention": True,
    "attention_surface": True,
    "attention_opacity": OPACITY,
    "attention_threshold": THRESHOLD,
    "pose": pose_shown.NOTHING,
    "pose_files": {"first": "", "second": "", "geometry": "", "sizes": ""},
    "pose_overlay": OVERLAY,
    "pose_outlines": True,
    "pose_beams": True,
    "pose_detectors": True,
    "pose_planned": True,
    "pose_compare": True,
    "pose_can_compare": False,
    "brand": brand_shown.NOTHING,
    "brand_installed": "",
    "brand_files": {"first": "", "second": ""},
    "brand_system": 0,
    "brand_crop": "",
    "brand_model": "",
    "brand_opacity": BRAND_OPACITY,
    "brand_outlines": True,
}
