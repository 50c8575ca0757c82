"""Forward and inverse kinematics of a serial arm with mink, on a MuJoCo model made from the profile.

The only module of theia_core that touches MuJoCo, and only for its kinematics: no scene, no dynamics.
"""

import numpy as np

from theia_core.actions.profile import RobotProfile
from theia_core.errors import MissingExtraError, TheiaError

try:
    import mink
    import mujoco
except ImportError as error:  # pragma: no cover - both are ordinary dependencies
    raise MissingExtraError(error.name or "mink", "sim") from error

# The search ends when so many iterations have not brought the error down to this part of what it was.
_STAGNATION_STEPS, _STAGNATION = 5, 0.7


class IKFailure(TheiaError):
    """No joints within the limits reach the pose; `error_m` and `error_rad` say how near they came."""

    def __init__(self, error_m: float, error_rad: float) -> None:
        """Store the remaining position [m] and orientation [rad] error."""
        super().__init__(f"inverse kinematics stopped {1000 * error_m:.1f} mm and {error_rad:.3f} rad off")
        self.error_m = error_m
        self.error_rad = error_rad


class ArmKinematics:
    """Kinematics of one arm; poses are those of the tool centre point in base_link."""

    def __init__(
        self,
        profile: RobotProfile,
        *,
        tolerance_m: float = 1e-3,
        tolerance_rad: float = 1e-2,
        max_iterations: int = 50,
    ) -> None:
        """Build the model of `profile` and the solver.

        Args:
            profile: robot whose chain and joint limits are used.
            tolerance_m: position error below which a solution is accepted.
            tolerance_rad: orientation error below which a solution is accepted.
            max_iterations: solver steps before `ik` gives up.
        """
        self._dof = len(profile.joint_names)
        self._radii_m = np.array([point.radius_m for point in profile.guarded_points])
        self._model = mujoco.MjModel.from_xml_string(_chain_mjcf(profile))
        self._configuration = mink.Configuration(self._model)
        self._looked_at = mujoco.MjData(self._model)
        self._task = mink.FrameTask("tool", "site", position_cost=1.0, orientation_cost=0.1, lm_damping=1e-4)
        self._limits = [mink.ConfigurationLimit(self._model, gain=0.95, min_distance_from_limits=1e-4)]
        self._tool = self._model.site("tool").id
        self._points = [self._model.site(f"point_{point.name}").id for point in profile.guarded_points]
        self._tolerance_m = tolerance_m
        self._tolerance_rad = tolerance_rad
        self._max_iterations = max_iterations

    def fk(self, joints_rad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pose of the tool centre point for joints (6,) [rad]: position (3,) [m] and rotation (3, 3)."""
        self._configuration.update(np.asarray(joints_rad, dtype=float))
        pose = self._configuration.get_transform_frame_to_world("tool", "site")
        return pose.translation().copy(), pose.rotation().as_matrix()

    def heights(self, joints_rad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the arm is for joints (6,) [rad], cheaper than `fk`.

        Returns:
            Position (3,) of the tool centre point and lowest height (n,) of each guarded point, radius
            included, both in base_link [m].
        """
        self._looked_at.qpos[:] = joints_rad
        mujoco.mj_kinematics(self._model, self._looked_at)
        places_m = self._looked_at.site_xpos
        return places_m[self._tool].copy(), places_m[self._points, 2] - self._radii_m

    def ik(self, position_m: np.ndarray, rotation: np.ndarray, start_rad: np.ndarray) -> np.ndarray:
        """Joints (6,) [rad] within the limits that reach a pose, searched from `start_rad`.

        Args:
            position_m: (3,) wanted position in base_link.
            rotation: (3, 3) wanted orientation in base_link.
            start_rad: (6,) joints to start from; the solution stays on their branch when the pose is near.

        Raises:
            IKFailure: if the pose is not reached within the tolerances.
        """
        low, high = self._model.jnt_range.T
        self._configuration.update(np.clip(np.asarray(start_rad, dtype=float), low + 1e-4, high - 1e-4))
        target = mink.SE3.from_rotation_and_translation(
            mink.SO3.from_matrix(rotation), np.asarray(position_m, dtype=float)
        )
        self._task.set_target(target)
        error_m = error_rad = best = np.inf
        for iteration in range(self._max_iterations):
            error = self._task.compute_error(self._configuration)
            error_m, error_rad = float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))
            if iteration % _STAGNATION_STEPS == 0:  # an unreachable pose must not cost all iterations
                if error_m + 0.1 * error_rad > _STAGNATION * best:
                    break
                best = error_m + 0.1 * error_rad
            if error_m < self._tolerance_m * 0.2 and error_rad < self._tolerance_rad * 0.2:
                break
            try:
                velocity = mink.solve_ik(
                    self._configuration, [self._task], 1.0, solver="daqp", damping=1e-3, limits=self._limits
                )
            except mink.MinkError:
                break
            self._configuration.integrate_inplace(velocity, 1.0)
        if error_m > self._tolerance_m or error_rad > self._tolerance_rad:
            raise IKFailure(error_m, error_rad)
        return np.array(self._configuration.q[: self._dof])


def _chain_mjcf(profile: RobotProfile) -> str:
    """Nested bodies with one hinge each and a site at the tool centre point."""
    body = f'<site name="tool" pos="{_numbers(profile.tool_offset_m)}"/>'
    points = {link.joint: "" for link in profile.chain}
    for point in profile.guarded_points:
        points[point.joint] += f'<site name="point_{point.name}" pos="{_numbers(point.offset_m)}"/>'
    limits = list(zip(profile.joint_lower_rad, profile.joint_upper_rad, strict=True))
    for link, (low, high) in reversed(list(zip(profile.chain, limits, strict=True))):
        body = (
            f'<body pos="{_numbers(link.offset_m)}">'
            '<inertial pos="0 0 0" mass="0.1" diaginertia="1e-3 1e-3 1e-3"/>'
            f'<joint name="{link.joint}" axis="{_numbers(link.axis)}" range="{low} {high}"/>'
            f"{points[link.joint]}{body}</body>"
        )
    return f'<mujoco><compiler angle="radian" autolimits="true"/><worldbody>{body}</worldbody></mujoco>'


def _numbers(vector: np.ndarray) -> str:
    return " ".join(f"{value:.9g}" for value in vector)
