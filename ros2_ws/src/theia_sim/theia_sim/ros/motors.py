"""The simulated arm's motors as a Dynamixel chain: registers, profiles, torque and hardware errors. No ROS.

Time is the simulation's. Whoever calls this holds the lock of the environment.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_sim.ros.motion_profile import PROFILE_ACCELERATION, PROFILE_TIME, MotionProfiles

ARM, GRIPPER, ALL = "arm", "gripper", "all"
_MODE_CHANGE_S, _REBOOT_S = 0.2, 0.5
# xs_sdk's own start-up: 2 s for a move and 0.3 s to accelerate. A reboot leaves the motors' factory value, 0.
_AT_START = {PROFILE_TIME: 2000, PROFILE_ACCELERATION: 300, "Position_P_Gain": 800}
_AFTER_REBOOT = {PROFILE_TIME: 0, PROFILE_ACCELERATION: 0, "Position_P_Gain": 800}


class Motors:
    """The six motors of the arm and the gripper's.

    Attributes:
        names: motors in the order in which they answer.
        modes: group -> (operating mode, profile type).
        registers: motor -> register -> value.
        overloaded: motors with a hardware error: without torque, silent, until they are rebooted.
    """

    def __init__(self, env: Any) -> None:
        """Take over the drives of `env`, an ArmEnv; `restart` after each of its resets."""
        self._env = env
        self._joints: tuple[str, ...] = env.profile.joint_names
        self.names = (*self._joints, GRIPPER)
        self.modes = {ARM: ("position", "time"), GRIPPER: ("pwm", "velocity")}
        self.registers = {name: dict(_AT_START) for name in self.names}
        self.overloaded: set[str] = set()
        self._torque_on_at_s: dict[str, float] = {}
        self._profiles = MotionProfiles(np.zeros(len(self._joints)))

    def restart(self) -> None:
        """Rest where the arm was put; hardware errors outlive a new scene as they outlive a new task."""
        self._torque_on_at_s.clear()
        for name in self._joints:
            self._rest(name)
        for name in self.overloaded:
            self._env.set_torque(name, False)

    def before_step(self) -> None:
        """Bring torque back where its time has come and follow the profiles; before each physics step."""
        now_s = self._env.time_s
        for name in [name for name, due_s in self._torque_on_at_s.items() if now_s >= due_s]:
            self.set_torque((name,), True)
        self._env.set_joint_targets(self._profiles.positions_rad(now_s))

    # --- goals ---

    def move(self, goals_rad: Mapping[str, float]) -> None:
        """Begin to move joints, each by the profile in its registers; goals are clipped to the joint limits.

        A motor without torque does not move, and rests where it is when its torque comes back.

        Raises:
            TheiaError: if a goal is not finite; then none is taken.
        """
        bad = [f"{name} {goal}" for name, goal in goals_rad.items() if not np.isfinite(goal)]
        if bad:
            raise TheiaError(f"joint goals must be finite angles [rad], not {', '.join(bad)}")
        profile = self._env.profile
        for name, goal in goals_rad.items():
            motor = self._joints.index(name)
            limited = np.clip(goal, profile.joint_lower_rad[motor], profile.joint_upper_rad[motor])
            registers = self.registers[name]
            times_ms = registers[PROFILE_TIME], registers[PROFILE_ACCELERATION]
            self._profiles.go(motor, float(limited), self._env.time_s, *times_ms)

    def push_gripper(self, pwm: float) -> None:
        """PWM of the gripper's motor [counts], until told otherwise.

        Raises:
            TheiaError: if it is not finite.
        """
        self._env.set_gripper_pwm(pwm)

    # --- registers and modes ---

    def write(self, motors: Iterable[str], register: str, value: int) -> None:
        """Write a register; times of a profile count from the next goal on."""
        if register in (PROFILE_TIME, PROFILE_ACCELERATION) and value < 0:
            raise TheiaError(f"{register} is a time in ms and cannot be {value}")
        for name in motors:
            self.registers[name][register] = value

    def read(self, motor: str, register: str) -> int:
        """A register's value, 0 where it was never written; Torque_Enable says whether there is torque."""
        if register == "Torque_Enable":
            return int(self._env.torque_is_on(motor))
        return self.registers[motor].get(register, 0)

    def set_mode(
        self, motors: tuple[str, ...], mode: str, profile_type: str, time_ms: int, acceleration_ms: int
    ) -> None:
        """Change the operating mode, which drops the torque for 0.2 s even if the mode stays the same.

        Raises:
            TheiaError: for a mode or profile that is not simulated; then nothing changes.
        """
        for group in self.groups(motors):
            if mode != self.modes[group][0]:
                raise TheiaError(f"{group} is simulated in mode {self.modes[group][0]} only, not {mode}")
            if group == ARM and profile_type != "time":
                raise TheiaError(f"the arm is simulated with profile_type time only, not {profile_type!r}")
        self.write(motors, PROFILE_TIME, time_ms)
        self.write(motors, PROFILE_ACCELERATION, acceleration_ms)
        for group in self.groups(motors):
            self.modes[group] = mode, profile_type
        self._drop_torque(motors, _MODE_CHANGE_S)

    def groups(self, motors: Iterable[str]) -> tuple[str, ...]:
        """The groups, arm and gripper, that `motors` belong to."""
        return tuple(sorted({GRIPPER if name == GRIPPER else ARM for name in motors}))

    # --- torque and errors ---

    def set_torque(self, motors: Iterable[str], on: bool) -> None:
        """Switch torque; a motor that gets it back rests where it is, an overloaded one does not get it."""
        for name in motors:
            self._torque_on_at_s.pop(name, None)
            was_on = self._env.torque_is_on(name)
            self._env.set_torque(name, on and name not in self.overloaded)
            if on and not was_on:
                self._rest(name)

    def reboot(self, motors: Iterable[str], *, enable: bool, only_overloaded: bool) -> None:
        """Restart motors: torque off, errors and profile times gone, torque back after 0.5 s if `enable`."""
        chosen = tuple(name for name in motors if name in self.overloaded or not only_overloaded)
        for name in chosen:
            self.registers[name].update(_AFTER_REBOOT)
        self.overloaded -= set(chosen)
        self._drop_torque(chosen, _REBOOT_S if enable else None)

    def overload(self, motor: str) -> None:
        """Give a motor the hardware error of an overload: its torque goes, and it answers no more.

        Raises:
            TheiaError: if there is no such motor.
        """
        if motor not in self.names:
            raise TheiaError(f"there is no motor {motor!r}; choose one of {', '.join(self.names)}")
        self.overloaded.add(motor)
        self.set_torque((motor,), False)

    def answering(self) -> int | None:
        """How many motors answer before the first silent one, None if all do."""
        silent = [self.names.index(name) for name in self.overloaded]
        return min(silent) if silent else None

    def _drop_torque(self, motors: Iterable[str], seconds: float | None) -> None:
        """Torque off, and on again after `seconds` unless None."""
        for name in motors:
            self.set_torque((name,), False)
            if seconds is not None:
                self._torque_on_at_s[name] = self._env.time_s + seconds

    def _rest(self, motor: str) -> None:
        if motor != GRIPPER:
            place = self._joints.index(motor)
            self._profiles.rest(place, float(self._env.joint_state().position[place]))
