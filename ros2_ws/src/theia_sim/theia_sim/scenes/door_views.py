"""Views of the door task: what demonstrations show, and a margin of scenes and cameras around it."""

import colorsys
from dataclasses import replace

import numpy as np

from theia_core.actions.kinematics import ArmKinematics, IKFailure
from theia_core.actions.rotations import matrix_from_euler
from theia_core.tasks import get_task
from theia_sim.scenes.door import DoorEnv, DoorParams
from theia_sim.scenes.expert import LAST_RAD, PITCH_RAD
from theia_sim.scenes.kitchen import FRONT_X_M
from theia_sim.scenes.views import View, penetration_m

WIDE_SHARE = 0.5  # of the scenes vary more than demonstrations do
OTHER_CAMERA_SHARE = 0.3  # of the views are not the policy camera's
WIDE_BASE_HEIGHT_RANGE_M = (0.37, 0.49)
WIDE_X_POSITION_RANGE_M = (-0.10, 0.10)
_DEEPEST_M = 0.006  # the pads of a closed gripper press into the bar about as much
_TRIES = 8
_TABLE_TOP_M = 0.02
_BEFORE_FRONT_M = 0.03  # hands that go anywhere stay out of the cabinets, which have no contacts
# Shares of postures: the hand at or near the bar, on the way there, anywhere.
_AT_BAR, _ON_THE_WAY = 0.45, 0.3


class DoorViews:
    """Draws scenes, and in each the door's angle, the arm's posture, the gripper and a camera."""

    def __init__(self) -> None:
        """Compile the scene once."""
        self.env = DoorEnv()
        self._profile = self.env.profile
        self._kinematics = ArmKinematics(self._profile)
        names = (*self._profile.joint_names, "left_finger", "right_finger", "door")
        self._address = {name: int(self.env.model.joint(name).qposadr[0]) for name in names}

    def draw(self, seed: int, count: int) -> list[View]:
        """`count` views of the scene of training seed `seed`."""
        rng = np.random.default_rng([seed, 77])
        params = _scene(seed, rng)
        self.env.reset(params)
        return [self._view(params, rng) for _ in range(count)]

    def _view(self, params: DoorParams, rng: np.random.Generator) -> View:
        for _ in range(_TRIES):
            qpos = self._posture(params, rng)
            if penetration_m(self.env, qpos) <= _DEEPEST_M:
                break
        else:
            qpos = self._with(np.array(params.start_rad), params.finger_m, 0.0)
        if rng.uniform() >= OTHER_CAMERA_SHARE:
            return View(params, qpos)
        position_m, target_m = _other_camera(rng)
        return View(params, qpos, position_m, target_m, float(rng.uniform(32.0, 60.0)))

    def _posture(self, params: DoorParams, rng: np.random.Generator) -> np.ndarray:
        """Joint positions of the scene, perhaps with bodies inside each other."""
        door_rad = 0.0 if rng.uniform() < 0.4 else float(rng.uniform(0.0, LAST_RAD + 0.1))
        kind = rng.uniform()
        if kind < _AT_BAR:
            joints_rad = self._near_bar(door_rad, rng, away_m=0.08 * rng.uniform() ** 3)
        elif kind < _AT_BAR + _ON_THE_WAY:
            near_rad = self._near_bar(door_rad, rng, away_m=0.05)
            start_rad = np.array(params.start_rad) + rng.normal(0, 0.05, 6)
            joints_rad = start_rad + rng.uniform() * (near_rad - start_rad) + rng.normal(0, 0.03, 6)
        else:
            joints_rad = self._anywhere(rng)
        low_m, high_m = self._profile.finger_range_m
        closed = rng.uniform() < 0.4
        finger_m = rng.uniform(low_m, low_m + 0.006) if closed else rng.uniform(high_m - 0.006, high_m)
        return self._with(joints_rad, float(finger_m), door_rad)

    def _with(self, joints_rad: np.ndarray, finger_m: float, door_rad: float) -> np.ndarray:
        profile = self._profile
        joints_rad = np.clip(joints_rad, profile.joint_lower_rad, profile.joint_upper_rad)
        values = dict(zip(profile.joint_names, joints_rad, strict=True))
        values |= {"left_finger": finger_m, "right_finger": -finger_m, "door": door_rad}
        qpos = self.env.model.qpos0.copy()
        for name, value in values.items():
            qpos[self._address[name]] = value
        return qpos

    def _near_bar(self, door_rad: float, rng: np.random.Generator, away_m: float) -> np.ndarray:
        """Posture (6,) as the expert has it at the bar, `away_m` before it and disturbed by as much."""
        for _ in range(_TRIES):
            bar_m = self.env.bar_position(door_rad)
            yaw_rad = np.arctan2(bar_m[1], bar_m[0]) + 0.2 * door_rad + rng.normal(0, 0.06)
            rotation = matrix_from_euler(
                np.array([rng.normal(0, 0.06), PITCH_RAD + rng.normal(0, 0.08), yaw_rad])
            )
            position_m = bar_m - away_m * rotation[:, 0] + rng.normal(0, 0.003 + 0.6 * away_m, 3)
            start_rad = np.array(self._profile.neutral_rad) + rng.normal(0, 0.1, 6)
            try:
                return self._kinematics.ik(position_m, rotation, start_rad)
            except IKFailure:
                away_m += 0.02
        return np.array(self._profile.neutral_rad)

    def _anywhere(self, rng: np.random.Generator) -> np.ndarray:
        """Posture (6,) within the joint limits whose hand is over the table and before the kitchen."""
        neutral_rad = np.array(self._profile.neutral_rad)
        spread_rad = np.array([0.7, 0.8, 0.8, 0.6, 0.7, 1.0])
        for _ in range(_TRIES):
            joints_rad = neutral_rad + rng.uniform(-1, 1, 6) * spread_rad
            joints_rad = np.clip(joints_rad, self._profile.joint_lower_rad, self._profile.joint_upper_rad)
            x_m, _, z_m = self._kinematics.fk(joints_rad)[0]
            if z_m > _TABLE_TOP_M and x_m < FRONT_X_M - _BEFORE_FRONT_M:
                return joints_rad
        return neutral_rad


def _scene(seed: int, rng: np.random.Generator) -> DoorParams:
    """A demonstration's scene, or one that differs more than any demonstration's."""
    params = DoorParams.sample(seed, **get_task("door").sample_training_params(seed))
    if rng.uniform() >= WIDE_SHARE:
        return params

    def near(values: tuple[float, ...], spread: float) -> tuple[float, ...]:
        return tuple(float(value + rng.uniform(-spread, spread)) for value in values)

    return replace(
        params,
        base_height_m=float(rng.uniform(*WIDE_BASE_HEIGHT_RANGE_M)),
        x_position_m=float(rng.uniform(*WIDE_X_POSITION_RANGE_M)),
        camera_shift_m=near(params.camera_shift_m, 0.05),
        target_shift_m=near(params.target_shift_m, 0.04),
        fovy_deg=float(rng.uniform(37.0, 50.0)),
        door_rgb=colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.1, 0.9), rng.uniform(0.25, 0.95)),
        body_rgb=colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.25), rng.uniform(0.5, 0.97)),
        wall_rgb=colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.35), rng.uniform(0.5, 1.0)),
        counter_tint=float(rng.uniform(0.45, 1.15)),
        light_strength=float(rng.uniform(0.45, 1.35)),
        light_direction=near(params.light_direction, 0.3),
    )


def _other_camera(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Position and target (3,) of a camera around the robot's side of the kitchen."""
    target_m = np.array([0.36, 0.0, 0.16]) + rng.uniform(-1, 1, 3) * (0.12, 0.22, 0.10)
    azimuth_rad, elevation_rad = rng.uniform(-1.25, 1.25), rng.uniform(0.08, 1.0)
    distance_m = rng.uniform(0.35, 1.0)
    backward = np.array([-np.cos(azimuth_rad), -np.sin(azimuth_rad), np.tan(elevation_rad)])
    position_m = target_m + distance_m * backward / np.linalg.norm(backward)
    position_m[2] = max(position_m[2], 0.12)
    return position_m, target_m
