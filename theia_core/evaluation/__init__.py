"""Evaluation: trials in a ledger, success rates with their uncertainty, and the result others read."""

from theia_core.evaluation.intervals import clopper_pearson
from theia_core.evaluation.latency import latency_summary
from theia_core.evaluation.ledger import Ledger
from theia_core.evaluation.summary import StageCount, count_stages, summarise
from theia_core.evaluation.table import stage_table

__all__ = [
    "Ledger",
    "StageCount",
    "clopper_pearson",
    "count_stages",
    "latency_summary",
    "stage_table",
    "summarise",
]
