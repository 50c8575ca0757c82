"""Parquet tables as pandas and `datasets` read them, written without pandas."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theia_core.errors import MissingExtraError

_INDEX = "__index_level_0__"


def pa_table(columns: Mapping[str, Sequence[Any]]) -> Any:
    """A pyarrow table; state, action and time are float32, whole numbers int64.

    Raises:
        MissingExtraError: if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise MissingExtraError("pyarrow", "formats") from error
    single = {
        "observation.state": pa.list_(pa.float32()),
        "action": pa.list_(pa.float32()),
        "timestamp": pa.float32(),
    }
    return pa.table({name: pa.array(values, single.get(name)) for name, values in columns.items()})


def tasks_table(tasks: Mapping[str, int]) -> Any:
    """LeRobot's table of tasks: a pandas frame whose index is the sentence."""
    import pyarrow as pa

    table = pa.table({"task_index": pa.array(list(tasks.values()), pa.int64()), _INDEX: list(tasks)})
    described = {
        "index_columns": [_INDEX],
        "column_indexes": [],
        "columns": [
            {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
            | {"metadata": None},
            {"name": None, "field_name": _INDEX, "pandas_type": "unicode", "numpy_type": "object"}
            | {"metadata": None},
        ],
        "pandas_version": "2.0.0",
    }
    return table.replace_schema_metadata({"pandas": json.dumps(described)})


def write_parquet(path: Path, table: Any) -> None:
    """Write a table."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="snappy")
