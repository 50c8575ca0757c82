"""A guard in front of an ideal arm, what its tests send it, and forward kinematics independent of its own."""

import numpy as np

from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import Guard
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile

PROFILE = load_profile("wx250s")
KINEMATICS = ArmKinematics(PROFILE)
LIMITS = PROFILE.guard
BRAKING_S = LIMITS.max_joint_velocity_rad_s / LIMITS.max_joint_acceleration_rad_s2


def solving(solve):
    """Kinematics of the same arm whose inverse is `solve`."""
    kinematics = ArmKinematics(PROFILE)
    kinematics.ik = solve
    return kinematics


class Rig:
    """A guard with an ideal arm (measures what it was told) and a clock that the test turns."""

    def __init__(self, start_rad=PROFILE.neutral_rad, task="door", kinematics=KINEMATICS):
        self.guard, self.now_s, self.joints = (
            Guard(PROFILE, kinematics, task),
            100.0,
            np.array(start_rad, float),
        )
        self.sequence = 0
        self.driver_alive = True
        self.tick()
        assert self.guard.arm(self.now_s) is None

    def tick(self):
        self.now_s += 0.02
        if self.driver_alive:
            self.guard.on_joint_state(self.now_s, np.append(self.joints, 0.03))
        command = self.guard.tick(self.now_s)
        if command is not None:
            self.joints = command.joints_rad
        return command

    def run(self, seconds):
        for _ in range(round(seconds / 0.02)):
            self.tick()

    def send(self, actions, *, age_s=0.05, life_s=0.4, **overrides):
        self.sequence += 1
        values = dict(
            stamp_s=self.now_s - age_s,
            dt_s=0.2,
            actions=np.asarray(actions, np.float32),
            expires_at_s=self.now_s - age_s + life_s,
            sequence=self.sequence,
            policy_id="test@0",
        )
        return self.guard.on_chunk(self.now_s, ActionChunk(**(values | overrides)))

    def position(self):
        return KINEMATICS.fk(self.joints)[0]


def delta(x=0.0, y=0.0, z=0.0, rx=0.0, ry=0.0, rz=0.0, gripper=1.0):
    return [x, y, z, rx, ry, rz, gripper]


def tcp_and_low_points(joints_rad):
    """Tool centre points (n, 3) and lowest heights (n, p) of the guarded points, by matrices of its own."""
    count = len(joints_rad)
    rotation, place = np.broadcast_to(np.eye(3), (count, 3, 3)), np.zeros((count, 3))
    heights = []
    for index, link in enumerate(PROFILE.chain):
        place = place + rotation @ link.offset_m
        c, s = np.cos(joints_rad[:, index]), np.sin(joints_rad[:, index])
        turn = np.zeros((count, 3, 3))
        a = int(np.argmax(link.axis))
        b, d = (a + 1) % 3, (a + 2) % 3
        turn[:, a, a] = 1.0
        turn[:, b, b], turn[:, b, d], turn[:, d, b], turn[:, d, d] = c, -s, s, c
        rotation = rotation @ turn
        heights += [
            (place + rotation @ point.offset_m)[:, 2] - point.radius_m
            for point in PROFILE.guarded_points
            if point.joint == link.joint
        ]
    return place + rotation @ PROFILE.tool_offset_m, np.stack(heights, 1)


def outside(joints_rad):
    """How far the tool centre point is outside each face of the box, points below the floor: (n, 6 + p)."""
    box = PROFILE.workspace("door")
    tcp, heights = tcp_and_low_points(joints_rad)
    return np.maximum(
        np.concatenate([box.workspace_min_m - tcp, tcp - box.workspace_max_m, box.floor_m - heights], 1), 0
    )
