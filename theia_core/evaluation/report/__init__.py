"""The report of evaluations as one self-contained HTML page, which reads on a phone and prints on A4."""

from theia_core.evaluation.report.page import report_page

__all__ = ["report_page"]
