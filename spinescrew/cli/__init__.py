"""The command ``spinescrew``: plan, grade, segment, c2, pose, brand, view, train, evaluate, bench, phantom, demo."""

from spinescrew.cli import bench, brand, brand_learning, c2, c2_learning, case, learning, pose, pose_learning, view
from spinescrew.cli.app import app, main

__all__ = [
    "app",
    "bench",
    "brand",
    "brand_learning",
    "c2",
    "c2_learning",
    "case",
    "learning",
    "main",
    "pose",
    "pose_learning",
    "view",
]
