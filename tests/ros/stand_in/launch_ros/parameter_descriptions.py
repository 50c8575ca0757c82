class ParameterValue:
    def __init__(self, value, *, value_type=None):
        self._value, self._type = value, value_type

    def evaluate(self, context):
        text = self._value.perform(context)
        return {"true": True, "false": False}[text] if self._type is bool else self._type(text)
