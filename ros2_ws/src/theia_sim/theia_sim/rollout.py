"""Fast roll-outs without ROS: simulator, guard and controller in one process, on simulated time.

The guard is the robot's own (theia_core.actions.guard); only the messages between the processes are left out.
Their latency is not: `latency_s` is how old the observation is when its chunk reaches the guard. So are all
chunks, as behind a camera and an encoder that work at the control rate but late.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.execution import ChunkExecution, ExecutionMode, SeamMeter
from theia_core.actions.guard import Guard
from theia_core.actions.hand_guard import HandGuard
from theia_core.actions.hand_profile import load_hand_profile
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile
from theia_core.tasks import get_task

STEP_S = 0.2
TICK_S = 0.02


@dataclass(frozen=True)
class Observation:
    """What a policy sees at one 5 Hz step.

    Attributes:
        stamp_s: simulated time of the image.
        image: (480, 640, 3) uint8 RGB, None where the controller asked for none.
        joints: (7,) float32, six joints [rad] and the left finger [m]; of Spot the state (17,) of
            `theia_core.actions.hand_state`.
    """

    stamp_s: float
    image: np.ndarray | None
    joints: np.ndarray


class Controller(Protocol):
    """Anything that turns observations into action chunks, and says how these are executed."""

    policy_id: str
    needs_image: bool
    execution: ExecutionMode

    def reset(self, seed: int) -> None:
        """Forget the last trial."""

    def predict(self, observation: Observation) -> np.ndarray:
        """(H, D) float32 actions of the environment's space, from the observation on."""


@dataclass
class RolloutResult:
    """Outcome of one roll-out.

    `stage_steps` holds the 5 Hz step at which a stage was first reached, `jumps` the largest changes between
    executed actions (`theia_core.actions.execution.SeamMeter`).
    """

    stages: dict[str, bool]
    stage_steps: dict[str, int]
    steps: int
    failure: str | None
    refusals: dict[str, int]
    hold_reasons: list[str] = field(default_factory=list)
    jumps: dict[str, float | None] = field(default_factory=dict)


def new_guard(task: str) -> Guard | HandGuard:
    """The guard of the task's robot, for simulated time."""
    robot = get_task(task).robot
    if robot == "spot_arm":
        return HandGuard(load_hand_profile(robot), task)
    profile = load_profile(robot)
    return Guard(profile, ArmKinematics(profile), task)


def rollout(
    env: Any,
    controller: Controller,
    guard: Guard | HandGuard,
    *,
    seed: int,
    max_steps: int,
    latency_s: float = 0.0,
    settle_steps: int = 5,
    on_step: Callable[[Observation, np.ndarray], None] | None = None,
) -> RolloutResult:
    """Run one episode in an environment that has been reset, until its last stage or `max_steps`.

    Args:
        env: environment of `theia_sim.envs`, already reset.
        controller: policy or expert.
        guard: guard of this roll-out; it is disarmed and armed anew.
        seed: handed to the controller's `reset`.
        max_steps: number of 5 Hz steps at most.
        latency_s: age of the observation when its first action may start, a multiple of 0.02 s.
        settle_steps: steps to go on after the last stage was reached, so that a recording shows the end.
        on_step: called with each 5 Hz observation and the action (D,) whose execution began before the next
            one (zeros if none did). With it every observation has the image that the controller needs;
            without, only those that are predicted from.
    """
    guard.clear(env.time_s)
    guard.disarm(env.time_s)
    controller.reset(seed)
    guard.on_joint_state(env.time_s, env.observed_state())
    if refusal := guard.arm(env.time_s):
        raise RuntimeError(f"the guard did not arm in simulation: {refusal}")
    result = RolloutResult({}, {}, 0, None, {})
    before = dict(guard.refusals)
    execution = ChunkExecution(controller.execution, controller.policy_id, STEP_S, env.action_space.name)
    late_ticks, ticks = round(latency_s / TICK_S), 0
    on_the_way: deque[tuple[int, ActionChunk]] = deque()
    prediction_of: dict[float, int] = {}  # stamp of a chunk -> number of the prediction that it was made from
    meter, last = SeamMeter(STEP_S, env.action_space), guard.executed
    stop_at = max_steps
    while result.steps < stop_at:
        # The chunk goes out late_ticks after its observation; nothing in between changes what it will be.
        sent_s = env.time_s + late_ticks * TICK_S
        predicting = execution.needs_prediction(sent_s)
        seen = controller.needs_image and (predicting or on_step is not None)
        image = env.render() if seen else None
        observation = Observation(env.time_s, image, env.observed_state().astype(np.float32))
        if predicting:
            actions = np.asarray(controller.predict(observation), np.float32)
            execution.predicted(actions, observation.stamp_s)
        chunk = execution.step(sent_s)
        prediction_of[chunk.stamp_s] = execution.predictions
        on_the_way.append((ticks + late_ticks, chunk))
        executed = np.zeros(env.action_space.dim, np.float32)
        for _ in range(round(STEP_S / TICK_S)):
            while on_the_way and on_the_way[0][0] <= ticks:
                guard.on_chunk(env.time_s, on_the_way.popleft()[1])
            guard.on_joint_state(env.time_s, env.observed_state())
            command = guard.tick(env.time_s)
            if guard.executed is not None and guard.executed is not last:
                last, executed = guard.executed, guard.executed.action
                meter.executed(last.time_s, executed, prediction_of[last.observation_s])
            if command is not None:
                env.follow(command)
            env.step(TICK_S)
            ticks += 1
        if on_step is not None:
            on_step(observation, executed)
        result.steps += 1
        for name, reached in env.stages().items():
            if reached and name not in result.stage_steps:
                result.stage_steps[name] = result.steps
        if all(env.stages().values()):
            stop_at = min(stop_at, result.stage_steps[list(env.stages())[-1]] + settle_steps)
        if guard.reason and guard.reason not in result.hold_reasons:
            result.hold_reasons.append(guard.reason)
        if env.failure():
            break
    result.jumps = meter.largest()
    result.stages, result.failure = dict(env.stages()), env.failure()
    counts = {name: count - before[name] for name, count in guard.refusals.items()}
    result.refusals = {name: count for name, count in counts.items() if count}
    return result
