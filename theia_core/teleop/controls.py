"""What the axes and buttons of an input device mean; read from deploy/controls/NAME.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import yaml

from theia_core.errors import TheiaError
from theia_core.files import deployed_file

MOTIONS = ("x", "y", "z", "rx", "ry", "rz")
# The clutch is held; the others are pressed. `gripper` opens and closes in turn.
TAKES = ("start", "keep", "discard", "undo")
SCENE = "scene"  # sets up the next scene of a simulation
BUTTONS = ("clutch", "open", "close", "gripper", "faster", "slower", "estop", "home", "clear", SCENE, *TAKES)


@dataclass(frozen=True)
class Axis:
    """One axis of the device: value = scale * (axes[index] beyond the dead zone)."""

    index: int
    scale: float = 1.0


@dataclass(frozen=True)
class Controls:
    """One input device.

    Attributes:
        name: its name.
        speed_m_s: speed of the hand at full deflection.
        speed_rad_s: turn rate at full deflection.
        speeds: factors that `faster` and `slower` step through; the middle one is the first.
        dead_zone: share of an axis' range around rest that counts as rest.
        axes: axis of each of `MOTIONS` that the device has.
        buttons: number of each button of `BUTTONS` that the device has; `clutch` must be among them.
        gripper_axis: axis that sets the gripper by itself (1 = closed), instead of buttons; None without.
    """

    name: str
    speed_m_s: float
    speed_rad_s: float
    axes: Mapping[str, Axis]
    buttons: Mapping[str, int]
    speeds: tuple[float, ...] = (0.25, 0.5, 1.0)
    dead_zone: float = 0.08
    gripper_axis: Axis | None = field(default=None)

    def __post_init__(self) -> None:
        """Refuse controls with which nobody could work safely."""
        if "clutch" not in self.buttons:
            raise TheiaError(f"controls {self.name} name no clutch; without one the arm must not be moved")
        if unknown := [n for n in (*self.axes, *self.buttons) if n not in (*MOTIONS, *BUTTONS)]:
            raise TheiaError(
                f"controls {self.name}: {unknown[0]!r} is unknown; axes are {', '.join(MOTIONS)}, buttons "
                f"{', '.join(BUTTONS)}"
            )
        if not (0 < self.speed_m_s <= 0.25 and 0 < self.speed_rad_s <= 1.25):
            raise TheiaError(
                f"controls {self.name}: {self.speed_m_s} m/s and {self.speed_rad_s} rad/s; give more "
                "than 0 and at most 0.25 m/s and 1.25 rad/s, the guard's largest steps"
            )
        if not (self.speeds and all(0 < factor <= 1 for factor in self.speeds) and 0 <= self.dead_zone < 0.9):
            raise TheiaError(f"controls {self.name}: speeds are factors up to 1, dead_zone a share below 0.9")

    def deflection(self, name: str, axes: Sequence[float]) -> float:
        """Deflection of a motion from -1 to 1, dead zone and scale applied; 0 where the device lacks it."""
        axis = self.axes.get(name)
        if axis is None or axis.index >= len(axes):
            return 0.0
        return axis.scale * self._beyond_dead_zone(float(axes[axis.index]))

    def is_down(self, name: str, buttons: Sequence[int]) -> bool:
        """Whether a button is held down; never one that the device lacks."""
        number = self.buttons.get(name)
        return number is not None and number < len(buttons) and bool(buttons[number])

    def _beyond_dead_zone(self, value: float) -> float:
        beyond = max(abs(value) - self.dead_zone, 0.0) / (1.0 - self.dead_zone)
        return min(beyond, 1.0) * (1.0 if value > 0 else -1.0)


class ButtonPresses:
    """Which buttons were pressed since the message before: edges, not levels."""

    def __init__(self, controls: Controls) -> None:
        """Nothing counts as pressed before the first message, whatever is held down by then."""
        self._controls = controls
        self._before: set[str] | None = None

    def pressed(self, buttons: Sequence[int]) -> list[str]:
        """Names of the buttons that went down with this message."""
        down = {name for name in self._controls.buttons if self._controls.is_down(name, buttons)}
        before, self._before = self._before, down
        return sorted(down - before) if before is not None else []


def load_controls(name_or_path: str) -> Controls:
    """Read controls by shipped name ("gamepad", "spacemouse", "keyboard") or from a YAML file.

    Raises:
        TheiaError: if the file cannot be read or its values make no sense.
    """
    path = deployed_file("controls", name_or_path)
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise TheiaError(
            f"cannot read controls {name_or_path}: {error.strerror}; give a shipped name (gamepad, "
            "spacemouse, keyboard) or a .yaml file"
        ) from None
    except yaml.YAMLError as error:
        raise TheiaError(f"controls {path} are not valid YAML: {error}") from None
    known = {f.name for f in fields(Controls)} - {"name"}
    if not isinstance(raw, dict) or not {"speed_m_s", "speed_rad_s", "axes", "buttons"} <= set(raw) <= known:
        raise TheiaError(f"controls {path} must have speed_m_s, speed_rad_s, axes, buttons, and only {known}")
    try:
        return _parse(path.stem, raw)
    except (TypeError, ValueError, AttributeError) as error:
        raise TheiaError(f"controls {path}: {error}; compare them with the shipped gamepad.yaml") from None


def _parse(name: str, raw: dict[str, Any]) -> Controls:
    values = dict(raw)
    values["axes"] = {motion: _axis(value) for motion, value in raw["axes"].items()}
    values["buttons"] = {button: int(number) for button, number in raw["buttons"].items()}
    if "speeds" in raw:
        values["speeds"] = tuple(map(float, raw["speeds"]))
    if raw.get("gripper_axis") is not None:
        values["gripper_axis"] = _axis(raw["gripper_axis"])
    return Controls(name=name, **values)


def _axis(value: Any) -> Axis:
    if isinstance(value, Mapping):
        return Axis(int(value["index"]), float(value.get("scale", 1.0)))
    return Axis(int(value))
