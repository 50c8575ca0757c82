"""An evaluation with an operator: the robot's bring-up, driven through the page, on the simulated arm."""

import json
import re
import sys
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("rclpy")

from theia.operator.server import OPERATOR_HEADER
from theia_core.evaluation import Ledger
from theia_core.evaluation.plan import read_plan

pytestmark = [pytest.mark.system, pytest.mark.timed, pytest.mark.slow, pytest.mark.timeout(280)]
POLICIES = ("door", "door-efficientnet-lite2-s16")


class Operator:
    """Answers what the desk asks, as `answers` says for each set of choices."""

    def __init__(self, url):
        self.url, self.seen = url.rstrip("/"), []

    def state(self):
        with urllib.request.urlopen(f"{self.url}/state", timeout=20) as answer:
            text = answer.read().decode()
        self.seen.append(text)
        return json.loads(text)

    def answer(self, number, choice, text=""):
        body = json.dumps({"number": number, "choice": choice, "text": text}).encode()
        request = urllib.request.Request(f"{self.url}/answer", body, {OPERATOR_HEADER: "test"})
        try:
            urllib.request.urlopen(request, timeout=20).close()
        except urllib.error.HTTPError as error:
            # The trial may have ended by itself meanwhile; then this is not asked any more.
            assert error.code == 409


def test_an_operator_is_walked_through_blind_trials_and_ends_for_now(system, tmp_path):
    system.start("theia_sim", "widowx_sim")
    words = ["robot:=real", f"policies:={','.join(POLICIES)}", "scenes:=2", "port:=0"]
    words += [f"output:={tmp_path / 'runs'}", f"ghosts:={tmp_path / 'ghosts'}"]
    command = [sys.executable, "-m", "theia_core.cli", "up", "evaluate", *words]
    process = system.start_command("theia up", command, cwd=tmp_path, start_new_session=True)
    system.wait_until(lambda: "operator: open http" in process.output, 120, "the operator's page")
    operator = Operator(re.search(r"open (http://\S+)", process.output).group(1))
    (run,) = (tmp_path / "runs").glob("*/plan.json")
    ledger = Ledger(run.parent / "ledger.jsonl")
    paused = repeated = False
    deadline_s = time.monotonic() + 200
    while process.popen.poll() is None:
        assert time.monotonic() < deadline_s, process.output
        system.spin(0.1)
        try:
            question = operator.state()["question"]
        except OSError:
            continue  # it has ended
        if question is None:
            continue
        counted = [record for record in ledger.read() if record["counted"]]
        number, keys = question["number"], [choice["key"] for choice in question["choices"]]
        if keys == ["ready", "pause"]:
            assert any("Close the fridge" in step for step in question["steps"])
            operator.answer(number, "ready" if paused and len(counted) < 2 else "pause")
        elif keys == ["go_on", "end"]:
            operator.answer(number, "go_on" if len(counted) < 2 else "end")
            paused = True
        elif keys == ["over"]:
            system.spin(0.5)
            operator.answer(number, "over")
        elif keys == ["yes", "no"]:
            operator.answer(number, "yes" if "stage open" in question["text"] else "no")
        else:
            assert keys == ["counts", "repeat"]
            operator.answer(number, *(("counts", "fine") if repeated else ("repeat", "a cable fell")))
            repeated = True
    assert process.popen.returncode == 0, process.output
    assert f"go on with resume:={run.parent}" in process.output

    records = ledger.read()
    counted = [record for record in records if record["counted"]]
    plan = read_plan(run)
    assert [record["turn"] for record in counted] == [0, 1]
    assert {record["policy"] for record in counted} == {one.policy_id for one in plan.contestants}
    assert {record["encoder"].partition("@")[0] for record in counted} == {
        "theia-tiny",
        "efficientnet-lite2-s16",
    }
    for record in counted:
        assert record["stages"] == {"open": True, "fully_open": False} and record["notes"] == "fine"
        assert record["plan_hash"] == plan.hash and "simulated" not in record
        assert (run.parent / record["episode"]).stat().st_size > 1000
    assert "a cable fell" in [record.get("why_not_counted") for record in records]
    assert len(plan.remaining(records)) == 2
    page = (run.parent / "report.html").read_text()
    assert "a cable fell" in page and "real-robot" in page and "film strip of" in page
    # Blind: nothing that the operator saw names a policy or an encoder.
    assert not [text for text in operator.seen if "theia-tiny" in text or "bc@" in text or "lite" in text]
    assert len(list((tmp_path / "ghosts" / "door").iterdir())) == 1
