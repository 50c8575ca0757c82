"""Encoder, neck and policy in one graph: a camera frame and the joints become a chunk of actions."""

from pathlib import Path

import numpy as np

from theia_core.engines.certificate import check_certificate
from theia_core.engines.folder import GRAPH_FILES, POLICY, read_engine
from theia_core.errors import TheiaError
from theia_core.images import check_frames
from theia_core.runtimes.onnx_session import CPU, OnnxSession, describe_session


class FramePolicy:
    """A loaded policy.onnx; get one from `load_frame_policy`. Use an instance from one thread at a time.

    Attributes:
        policy_id: name@hash of the policy in it.
        frame_size: (H, W) of the frames that it takes.
    """

    def __init__(self, policy_id: str, frame_size: tuple[int, int], session: OnnxSession) -> None:
        """Join what engine.json says and the session of the graph."""
        self.policy_id, self.frame_size, self._session = policy_id, frame_size, session

    def predict(self, frame: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Action chunk (H, D) float32 in physical units, gripper within 0..1.

        Args:
            frame: (H, W, 3) uint8 RGB of `frame_size`.
            joints: (7,) six joint angles [rad] and the left finger [m].

        Raises:
            TheiaError: if either has another shape.
        """
        batch = check_frames(frame)
        if batch.shape[:3] != (1, *self.frame_size):
            raise TheiaError(
                f"this graph takes one frame of {self.frame_size[0]}x{self.frame_size[1]} (height x width), "
                f"not {batch.shape}; export it with --frame, or set the camera to its size"
            )
        if joints.shape != (width := (int(self._session.input_shapes[1][1]),)):
            raise TheiaError(f"joints have shape {joints.shape}, policy {self.policy_id} needs {width}")
        actions = self._session.run(batch, joints[None].astype(np.float32))[0].astype(np.float32)
        actions[:, -1] = np.clip(actions[:, -1], 0.0, 1.0)
        return actions


def load_frame_policy(folder: Path, *, threads: int = 2, certified: bool = True) -> FramePolicy:
    """The policy graph of an exported engine, on the CPU.

    Args:
        folder: the engine's folder.
        threads: CPU threads of the network.
        certified: refuse it without a valid, passing certificate.

    Raises:
        TheiaError: if the engine has none, is damaged, or its certificate is absent, of something else or
            does not pass.
    """
    engine = read_engine(folder)
    name = GRAPH_FILES[POLICY]
    if name not in engine.files or engine.frame_size is None:
        raise TheiaError(f"the engine in {folder} has no policy; export it with --frame HxW --policy NAME")
    session = OnnxSession(folder / name, threads)
    if certified:
        check_certificate(folder, engine, POLICY, describe_session("onnxruntime", CPU))
    return FramePolicy(engine.policy_id, engine.frame_size, session)
