"""The errors a person is meant to read: one sentence that says what is wrong and what to do."""


class TheiaError(Exception):
    """A mistake in the input or the set-up; its message names the value and the remedy.

    The command line prints it without a traceback and exits with 2; a node logs it and fails its transition.
    """


class MissingExtraError(TheiaError):
    """A package that an optional extra installs is absent."""

    def __init__(self, package: str, extra: str) -> None:
        """Name the absent `package` and the `extra` that brings it."""
        super().__init__(
            f"{package} is not installed; install it with: pip install 'theia-robotics[{extra}]'"
        )
