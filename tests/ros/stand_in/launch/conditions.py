class IfCondition:
    def __init__(self, predicate_expression):
        self._predicate = predicate_expression

    def evaluate(self, context):
        return {"true": True, "false": False}[self._predicate.perform(context).lower()]
