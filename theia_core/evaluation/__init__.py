"""Evaluation: trials in a ledger, success rates with their uncertainty, and the result others read."""

from theia_core.evaluation.comparison import PairedCount, compare, comparison_entry
from theia_core.evaluation.intervals import clopper_pearson
from theia_core.evaluation.jumps import jump_line, summarise_jumps
from theia_core.evaluation.latency import latency_summary
from theia_core.evaluation.ledger import Ledger
from theia_core.evaluation.summary import StageCount, count_stages, summarise
from theia_core.evaluation.table import comparison_table, side_by_side_table, stage_table

__all__ = [
    "Ledger",
    "PairedCount",
    "StageCount",
    "clopper_pearson",
    "compare",
    "comparison_entry",
    "comparison_table",
    "count_stages",
    "jump_line",
    "latency_summary",
    "side_by_side_table",
    "stage_table",
    "summarise",
    "summarise_jumps",
]
