class DeclareLaunchArgument:
    def __init__(self, name, *, default_value=None, description=None, choices=None):
        if choices is not None and not all(isinstance(choice, str) for choice in choices):
            raise TypeError("choices must be texts")
        self.name, self.default_value, self.description, self.choices = (
            name,
            default_value,
            description,
            choices,
        )


class Shutdown:
    def __init__(self, *, reason="reason not given"):
        self.reason = reason
