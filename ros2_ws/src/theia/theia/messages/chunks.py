"""theia_msgs/ActionChunk and theia_core.actions.ActionChunk, whose times are monotonic."""

import numpy as np
from builtin_interfaces.msg import Time
from theia_msgs.msg import ActionChunk as ChunkMessage

from theia.messages.stamps import Now
from theia_core.actions.chunks import ActionChunk


def chunk_message(chunk: ActionChunk, now: Now, stamp: Time | None = None) -> ChunkMessage:
    """The message of a chunk; `stamp` is its observation's own stamp where that is at hand."""
    actions = np.ascontiguousarray(chunk.actions, dtype="<f4")
    message = ChunkMessage(
        policy_id=chunk.policy_id,
        action_space=chunk.action_space,
        dt_s=chunk.dt_s,
        horizon=chunk.horizon,
        dim=actions.shape[1] if actions.ndim == 2 else 0,
        expires_at=now.to_stamp(chunk.expires_at_s),
        sequence=chunk.sequence,
        reason=chunk.reason,
    )
    message.header.stamp = now.to_stamp(chunk.stamp_s) if stamp is None else stamp
    message.data.frombytes(actions.tobytes())
    return message


def chunk_from_message(message: ChunkMessage, now: Now) -> ActionChunk:
    """The chunk of a message received `now`.

    A message whose size contradicts its shape becomes a flat array, which the guard refuses as malformed.
    """
    actions = np.asarray(message.data, dtype=np.float32)
    if actions.size == message.horizon * message.dim:
        actions = actions.reshape(message.horizon, message.dim)
    return ActionChunk(
        stamp_s=now.to_monotonic_s(message.header.stamp),
        dt_s=float(message.dt_s),
        actions=actions,
        expires_at_s=now.to_monotonic_s(message.expires_at),
        sequence=message.sequence,
        policy_id=message.policy_id,
        action_space=message.action_space,
        reason=message.reason,
    )
