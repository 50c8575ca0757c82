"""Execution modes as an operator writes them."""

import pytest

from theia_core.actions.execution import ExecutionMode
from theia_core.errors import TheiaError


def parse(text):
    return ExecutionMode.parse(text, execute_steps=4, horizon=10)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "receding:4"),
        ("receding", "receding:4"),
        ("receding:1", "receding:1"),
        ("receding, no-latency-compensation", "receding:4,no-latency-compensation"),
        ("ensemble:0.10", "ensemble:0.1"),
        ("ensemble:-0.5,no-latency-compensation", "ensemble:-0.5,no-latency-compensation"),
        ("ensemble:-0", "ensemble:0"),
    ],
)
def test_a_mode_has_one_name_which_reads_back_as_itself(text, name):
    assert str(parse(text)) == name
    assert parse(name) == parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receding:11", "policy predicts 10; give receding:10 or less"),
        ("receding:0", "executes nothing"),
        ("receding:2.5", "is unknown; give receding"),
        ("ensemble", "is unknown; give receding"),
        ("ensemble:nan", "out of range"),
        ("ensemble:11", "out of range"),
        ("async", "is unknown"),
        ("receding:4,fast", "unknown option 'fast'"),
    ],
)
def test_what_is_no_mode_is_refused_in_one_sentence(text, message):
    with pytest.raises(TheiaError, match=message):
        parse(text)
