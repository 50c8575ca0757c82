"""Numbered jobs in this process: results in order, and what a job opened is closed."""

import pytest

from theia_core.errors import TheiaError
from theia_sim.parallel import run_parallel


class Job:
    """Divides 12 by its item, and says when it was closed."""

    closed = 0

    def __init__(self, options):
        self.options = options

    def __call__(self, item):
        return self.options // item

    def close(self):
        type(self).closed += 1


@pytest.fixture(autouse=True)
def none_closed(monkeypatch):
    monkeypatch.setattr(Job, "closed", 0)


def test_results_come_in_the_order_of_the_items_and_the_job_is_closed():
    assert run_parallel(Job, 12, [1, 4, 3], workers=1, label="test") == [12, 3, 4]
    assert Job.closed == 1


def test_a_job_that_fails_is_closed_too():
    with pytest.raises(ZeroDivisionError):
        run_parallel(Job, 12, [1, 0], workers=1, label="test")
    assert Job.closed == 1


def test_a_job_that_has_nothing_to_close_needs_no_close():
    assert run_parallel(lambda options: lambda item: options * item, 2, [1, 2], workers=1, label="test") == [
        2,
        4,
    ]


def failing_job(options):
    raise TheiaError(f"no {options} here")


@pytest.mark.timeout(60)
def test_a_job_that_cannot_be_made_in_a_process_is_an_error_here():
    with pytest.raises(TheiaError, match="no simulator here"):
        run_parallel(failing_job, "simulator", [1, 2], workers=2, label="test")
