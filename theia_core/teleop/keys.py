"""Keys of a terminal as axes and buttons, in the order of deploy/controls/keyboard.yaml."""

# Key -> axis and direction.
AXES = {
    "w": (0, 1.0),
    "s": (0, -1.0),
    "a": (1, 1.0),
    "d": (1, -1.0),
    "r": (2, 1.0),
    "f": (2, -1.0),
    "u": (3, 1.0),
    "o": (3, -1.0),
    "i": (4, 1.0),
    "k": (4, -1.0),
    "j": (5, 1.0),
    "l": (5, -1.0),
}
# Key -> button. The clutch is apart: it stays down while keys keep coming.
BUTTONS = {
    "c": 1,
    "v": 2,
    "+": 3,
    "-": 4,
    "1": 5,
    "2": 6,
    "3": 7,
    "4": 8,
    "x": 9,
    "h": 10,
    "z": 11,
    "n": 12,
}
CLUTCH_KEY, CLUTCH = " ", 0
AXIS_COUNT, BUTTON_COUNT = 6, 13
HELP = """space  clutch: press it, then keep keys coming; lets go by itself
w s    forward, back        i k    nose down, up
a d    left, right          j l    turn left, right
r f    up, down             u o    roll
c v    close, open the gripper      + -    faster, slower
1 start a take   2 keep it   3 discard it   4 undo
x e-stop   z clear   h home   n next scene (simulation)   Ctrl-C ends"""


class KeyboardState:
    """What is held at a moment; times are monotonic seconds."""

    def __init__(self, held_s: float, clutch_s: float) -> None:
        """Nothing is held.

        Args:
            held_s: how long a key counts as held after it came.
            clutch_s: the clutch lets go after so long without a key.
        """
        self._held_s, self._clutch_s = held_s, clutch_s
        self._until_s: dict[str, float] = {}
        self._clutch_until_s = float("-inf")

    def on_key(self, key: str, now_s: float) -> None:
        """Take a key; keys without a meaning do nothing, and let the clutch go."""
        key = key.lower()
        if key == CLUTCH_KEY or (key in AXES and now_s < self._clutch_until_s):
            self._clutch_until_s = now_s + self._clutch_s
        elif key not in BUTTONS:
            self._clutch_until_s = float("-inf")
        if key in AXES or key in BUTTONS:
            self._until_s[key] = now_s + self._held_s

    def joy(self, now_s: float) -> tuple[list[float], list[int]]:
        """Axes and buttons now."""
        axes, buttons = [0.0] * AXIS_COUNT, [0] * BUTTON_COUNT
        for key, until_s in self._until_s.items():
            if now_s < until_s and key in AXES:
                axis, direction = AXES[key]
                axes[axis] += direction
            elif now_s < until_s:
                buttons[BUTTONS[key]] = 1
        buttons[CLUTCH] = int(now_s < self._clutch_until_s)
        return [min(max(value, -1.0), 1.0) for value in axes], buttons
