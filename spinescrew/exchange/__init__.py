"""Plans as files: ``plan.json``, ``screws.csv`` and one STL per screw. No patient identity in any of them."""

from spinescrew.exchange.plan_file import check_plan_matches, read_plan, write_plan
from spinescrew.exchange.stl import write_screw_stls
from spinescrew.exchange.table import write_screws_csv

__all__ = ["check_plan_matches", "read_plan", "write_plan", "write_screw_stls", "write_screws_csv"]
