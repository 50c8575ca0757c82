"""JSON objects in string fields of messages, for data whose keys the message cannot know."""

import json
from typing import Any

from theia_core.errors import TheiaError


def parse_object(text: str, field: str) -> dict[str, Any]:
    """The object in `text`; empty text stands for an empty one.

    Raises:
        TheiaError: if it is no JSON, or no object; `field` names the message's field in the sentence.
    """
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise TheiaError(f"{field} is no JSON ({error}): {text!r}") from None
    if not isinstance(value, dict):
        raise TheiaError(f'{field} must be a JSON object such as {{"key": 1}}, not {text!r}')
    return value
