"""What every simulator offers besides the robot: its view of the task, and a new scene on request."""

import json
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from rclpy.node import Node
from theia_msgs.msg import TaskState
from theia_msgs.srv import ResetScene

from theia.messages.json_object import parse_object
from theia.nodekit.qos import EVENT
from theia.topics import RESET_SCENE, TASK_STATE
from theia_core.errors import TheiaError

_TASK_STATE_PERIOD_S = 0.1


class SceneServices:
    """Publishes TaskState at 10 Hz and answers ResetScene."""

    def __init__(
        self,
        node: Node,
        task: str,
        env: Any,
        lock: AbstractContextManager[Any],
        set_up: Callable[[Any], None],
    ) -> None:
        """Offer them; nothing is published before `begin`.

        Args:
            node: node to publish from.
            task: the task's id.
            env: environment of the task; whoever uses it holds `lock`.
            lock: guards `env`.
            set_up: resets everything to a scene of the environment's `params_type`.
        """
        self._node, self._task, self._env, self._lock, self._set_up = node, task, env, lock, set_up
        self._reached_at_s: dict[str, float] = {}
        self._publisher = node.create_publisher(TaskState, TASK_STATE, EVENT)

    def begin(self) -> None:
        """Publish and answer from now on."""
        self._node.create_service(ResetScene, RESET_SCENE, self._on_reset)
        self._node.create_timer(_TASK_STATE_PERIOD_S, self._publish)

    def note_stages(self) -> None:
        """Remember when stages were reached; whoever calls it holds the lock."""
        for name, reached in self._env.stages().items():
            if reached:
                self._reached_at_s.setdefault(name, self._env.time_s)

    def reset(self, seed: int, cell: dict[str, Any]) -> None:
        """Set up the scene of a seed, with some of its values given.

        Raises:
            TheiaError: if there is no such scene.
        """
        try:
            params = type(self._env).params_type.sample(seed, **cell)
        except (TypeError, ValueError) as error:
            raise TheiaError(f"the scene cannot be made from seed {seed} and {cell}: {error}") from error
        with self._lock:
            self._set_up(params)
            self._reached_at_s.clear()

    def _on_reset(self, request: ResetScene.Request, response: ResetScene.Response) -> ResetScene.Response:
        try:
            if request.task != self._task:
                raise TheiaError(f"this simulator runs task {self._task!r}, not {request.task!r}")
            self.reset(request.seed, parse_object(request.cell_json, "cell_json"))
            response.params_json = json.dumps(asdict(self._env.params))
            response.success = True
        except TheiaError as error:
            response.success, response.message = False, str(error)
        return response

    def _publish(self) -> None:
        with self._lock:
            self.note_stages()
            stages, info = self._env.stages(), self._env.info()
            elapsed_s, failure = self._env.time_s, self._env.failure()
            seed = self._env.params.seed
            reached_at_s = [self._reached_at_s.get(name, math.nan) for name in stages]
        message = TaskState(
            task=self._task,
            stages=list(stages),
            reached=list(stages.values()),
            reached_at_s=reached_at_s,
            elapsed_s=elapsed_s,
            seed=seed,
            failure=failure or "",
            info_json=json.dumps(info),
        )
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
