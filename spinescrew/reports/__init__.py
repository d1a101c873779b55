"""Reports for people: one self-contained HTML file that prints well."""

from spinescrew.reports.document import write_report

__all__ = ["write_report"]
