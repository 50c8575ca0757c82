def _text(value, context):
    return value if isinstance(value, str) else value.perform(context)


class LaunchConfiguration:
    def __init__(self, variable_name):
        self._name = variable_name

    def perform(self, context):
        return context.launch_configurations[self._name]


class EqualsSubstitution:
    def __init__(self, left, right):
        self._left, self._right = left, right

    def perform(self, context):
        return str(_text(self._left, context) == _text(self._right, context)).lower()


class NotEqualsSubstitution(EqualsSubstitution):
    def perform(self, context):
        return str(_text(self._left, context) != _text(self._right, context)).lower()


class AndSubstitution:
    def __init__(self, left, right):
        self._left, self._right = left, right

    def perform(self, context):
        return str(all(_text(side, context).lower() == "true" for side in (self._left, self._right))).lower()


class PythonExpression:
    def __init__(self, expression):
        self._expression = expression

    def perform(self, context):
        return str(eval("".join(_text(part, context) for part in self._expression)))
