"""Chunk execution: how predictions become the chunks that the guard plays, on the robot and in roll-outs."""

from theia_core.actions.execution.chunk_execution import ChunkExecution
from theia_core.actions.execution.ensemble import ensemble_weights, ensembled
from theia_core.actions.execution.mode import ExecutionMode
from theia_core.actions.execution.seams import SeamMeter

__all__ = ["ChunkExecution", "ExecutionMode", "SeamMeter", "ensemble_weights", "ensembled"]
