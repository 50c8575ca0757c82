"""Which trial a record is of: of whom, in which evaluation, and which one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# Trials that agree in all of these belong to one evaluation of one policy.
RUN_KEYS = (
    "task",
    "policy",
    "encoder",
    "protocol_hash",
    "eval_seed",
    "simulated",
    "execution",
    "latency_s",
    "noise_mm",
)


def run_key(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells evaluations apart: the record's values of `RUN_KEYS`."""
    return tuple(map(record.get, RUN_KEYS))


def trial_id(record: Mapping[str, Any]) -> str:
    """10 hexadecimal digits that name a trial: its evaluation, its index and its attempt.

    What happened in the trial does not change them, so they need not be stored.
    """
    values = [*run_key(record), record.get("index"), record.get("attempt", 1)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:10]
