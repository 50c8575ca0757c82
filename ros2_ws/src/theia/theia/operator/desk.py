"""Where the evaluation asks and the operator answers; knows nothing of ROS, of HTTP or of terminals."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from theia_core.errors import TheiaError

_LINES_KEPT = 200


@dataclass(frozen=True)
class Choice:
    """A possible answer.

    Attributes:
        key: what the answer is called in the program.
        label: what the button says.
        needs_text: whether it must come with words, such as a reason.
    """

    key: str
    label: str
    needs_text: bool = False


@dataclass(frozen=True)
class Question:
    """Something the operator is asked; there is never a default answer.

    Attributes:
        number: grows with each question; an answer names it, so that none goes to the wrong question.
        text: the question.
        choices: the possible answers.
        steps: what to do before answering.
    """

    number: int
    text: str
    choices: tuple[Choice, ...]
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the operator said: the key of a choice, and words that may be empty."""

    choice: str
    text: str


class Desk:
    """One question at a time; asked in one thread, answered in others.

    Attributes:
        camera: gives the newest camera picture as JPEG, None while there is none.
        emergency_stop: stops the arm; returns what the guard said.
        ghost: picture of the wanted start scene as JPEG, None where there is none.
        status: what goes on now, one line.
        heading: which trial it is, one line.
    """

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.camera: Callable[[], bytes | None] = lambda: None
        self.emergency_stop: Callable[[], str] = lambda: "there is no guard to stop"
        self.ghost: bytes | None = None
        self.status = self.heading = ""
        self._lock = threading.Lock()
        self._lines: deque[tuple[int, str]] = deque(maxlen=_LINES_KEPT)
        self._asked = self._said = 0
        self._question: Question | None = None
        self._answer: Answer | None = None

    def ask(self, text: str, choices: Sequence[Choice], steps: Sequence[str] = ()) -> Question:
        """Put a question; it takes the place of one that was not answered."""
        with self._lock:
            self._asked += 1
            self._question = Question(self._asked, text, tuple(choices), tuple(steps))
            self._answer = None
            return self._question

    def withdraw(self) -> None:
        """Ask nothing any more."""
        with self._lock:
            self._question = self._answer = None

    def answered(self) -> Answer | None:
        """The answer to the question, None while there is none."""
        with self._lock:
            return self._answer

    def answer(self, number: int, choice: str, text: str = "") -> None:
        """Answer question `number`; the first answer counts.

        Raises:
            TheiaError: if another question is asked by now, it is answered, there is no such choice, or the
                choice needs words.
        """
        with self._lock:
            question = self._question
            if question is None or question.number != number or self._answer is not None:
                raise TheiaError("this question is not asked any more; look at what is asked now")
            found = next((one for one in question.choices if one.key == choice), None)
            if found is None:
                raise TheiaError(
                    f"{choice!r} is no answer; choose {', '.join(c.key for c in question.choices)}"
                )
            if found.needs_text and not text.strip():
                raise TheiaError(f"{found.label!r} needs a reason; write it into the field for notes")
            self._answer = Answer(choice, text.strip())

    def say(self, line: str) -> None:
        """Tell the operator something."""
        with self._lock:
            self._said += 1
            self._lines.append((self._said, line))

    def state(self) -> dict[str, Any]:
        """Everything a front end shows, as JSON values; an answered question is not asked any more."""
        with self._lock:
            question = self._question if self._answer is None else None
            return {
                "heading": self.heading,
                "status": self.status,
                "has_ghost": self.ghost is not None,
                "question": None
                if question is None
                else {
                    "number": question.number,
                    "text": question.text,
                    "steps": list(question.steps),
                    "choices": [vars(choice) for choice in question.choices],
                },
                "lines": [{"number": number, "text": line} for number, line in self._lines],
            }
