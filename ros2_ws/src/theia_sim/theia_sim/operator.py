"""A synthetic operator's eyes and hands: looks at a door scene, pushes sticks and buttons of a gamepad."""

import mujoco
import numpy as np

from theia_core.teleop.controls import MOTIONS, Controls
from theia_sim.scenes.door import DoorEnv, DoorParams
from theia_sim.scenes.expert import DoorExpert

_STEP_S = 0.2  # the expert's step

Joy = tuple[list[float], list[int]]


class SeenDoor(DoorEnv):
    """The scene as the operator sees it: a model that is put where the eyes say, never simulated."""

    gripped = False

    def holding(self) -> bool:
        """Whether the bar is gripped, as it was seen."""
        return self.gripped

    def look(self, joints: np.ndarray, door_rad: float, gripped: bool) -> None:
        """Take six joints [rad] and the finger [m], the door's angle, and whether the bar is gripped."""
        self.gripped = gripped
        self.data.qpos[self._arm_qpos] = joints[:6]
        self.data.qpos[self._finger_qpos] = (joints[6], -joints[6])
        self.data.qpos[self._door.qposadr[0]] = door_rad
        mujoco.mj_kinematics(self.model, self.data)


class DoorOperator:
    """Opens the fridge by hand. What it knows of the scene is what a person sees."""

    def __init__(self, controls: Controls) -> None:
        """Hold the gamepad that `controls` describe, at its middle speed."""
        self._controls = controls
        self._env, self._expert = SeenDoor(), DoorExpert()
        speed = controls.speeds[len(controls.speeds) // 2]
        self._full = speed * _STEP_S * np.repeat([controls.speed_m_s, controls.speed_rad_s], 3)
        self._gripper = 1.0

    def face(self, params: DoorParams) -> None:
        """Stand before a new scene, with the gripper open."""
        self._env.reset(params)
        self._gripper = 1.0

    def drive(self, joints: np.ndarray, door_rad: float, gripped: bool) -> Joy:
        """Axes and buttons for what is seen: the clutch is held, the sticks follow the expert's next step."""
        self._env.look(joints, door_rad, gripped)
        action = self._expert.act(self._env)
        pressed = []
        if action[6] != self._gripper:
            self._gripper = float(action[6])
            pressed = ["open" if self._gripper else "close"]
        return self.push(action[:6], ["clutch", *pressed])

    def push(self, delta: np.ndarray, buttons: list[str]) -> Joy:
        """Axes that move the hand by `delta` (6,) in 0.2 s, as far as they go, and buttons held down."""
        controls = self._controls
        axes = [0.0] * (1 + max(axis.index for axis in controls.axes.values()))
        for name, share in zip(MOTIONS, delta / self._full, strict=True):
            axis = controls.axes.get(name)
            if axis is not None and share:
                wanted = float(np.clip(share / axis.scale, -1.0, 1.0))
                beyond = controls.dead_zone + (1 - controls.dead_zone) * abs(wanted)
                axes[axis.index] = float(np.copysign(beyond, wanted))
        down = [0] * (1 + max(controls.buttons.values()))
        for name in buttons:
            down[controls.buttons[name]] = 1
        return axes, down

    def release(self) -> Joy:
        """Nothing is touched."""
        return self.push(np.zeros(6), [])
