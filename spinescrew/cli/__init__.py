"""The command ``spinescrew``: plan, grade, segment, view, train, evaluate, bench, phantom, demo."""

from spinescrew.cli import bench, case, learning, view
from spinescrew.cli.app import app, main

__all__ = ["app", "bench", "case", "learning", "main", "view"]
