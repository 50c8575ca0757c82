"""The report page: what it says, and that a real browser shows it, on a phone and on paper."""

import base64
import json

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger
from theia_core.evaluation.identity import trial_id
from theia_core.evaluation.report import report_page
from theia_core.evaluation.report.heat_map import heat_map
from theia_core.evaluation.report.titles import run_titles
from theia_core.evaluation.runs import gather
from theia_core.tasks import get_task
from theia_core.video import VideoWriter


@pytest.fixture
def film(tmp_path):
    pytest.importorskip("av")
    with VideoWriter(tmp_path / "trial.mp4", fps=5) as video:
        for step in range(20):
            video.write(np.full((120, 160, 3), 10 * step, np.uint8))
    return "trial.mp4"


@pytest.fixture
def ledger(trials, tmp_path, film):
    """Two policies on the same trials; the worse one's first failures were filmed."""
    path = tmp_path / "ab.jsonl"
    records = trials(fully=47) + trials(fully=30, policy="<worse>@9999")
    failed = [record for record in records if not record["stages"]["fully_open"]]
    for record in failed[-3:]:
        record["video"] = film
    with path.open("w") as file:
        for record in records:
            latency = {"predict_ms": {"n": 9, "p50": 20.0, "p95": 30.0, "max": 40.0}}
            stage_steps = {"open": 20} if record["stages"]["open"] else {}
            file.write(json.dumps({**record, "latency": latency, "stage_steps": stage_steps}) + "\n")
    Ledger(path).amend(trial_id(records[0]), {"notes": "n"}, why="seen on the film")
    return path


def test_the_page_has_every_part_and_escapes_what_it_shows(ledger):
    page = report_page(gather([ledger]))
    for heading in (
        "Success",
        "Forest plots",
        "Comparisons",
        "Films",
        "Failures by start pose",
        "Failures",
        "Times",
        "Guard",
        "Deviations from the protocol",
        "Provenance",
        "What this does not show",
    ):
        assert f"<h2>{heading}</h2>" in page, heading
    assert "47/50 = 94 %" in page and "83 to 99 %" in page  # exact interval
    assert "46/50 = 92 %" in page  # the paper's
    assert "&lt;worse&gt;" in page and "<worse>" not in page
    assert "seen on the film" in page and "0.4 m" in page
    assert page.count("<video") == 3 and page.count("film strip of") == 3
    assert "simulated" in page.split("</header>")[0]


def test_two_tasks_are_apart_and_a_lost_film_is_said(trials, tmp_path):
    door, microwave = get_task("door"), get_task("microwave")
    path = tmp_path / "l.jsonl"
    other = [
        {
            "task": "microwave",
            "simulated": True,
            "index": t.index,
            "seed": t.seed,
            "cell": t.cell,
            "stages": {"pick": True, "place": t.index % 2 == 0, "close_door": False},
            "policy": "m@1",
            "protocol_hash": microwave.protocol.hash,
            "eval_seed": 3,
            "video": "lost.mp4",
        }
        for t in microwave.protocol.trials(3)
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in trials() + other))
    page = report_page(gather([path]))
    assert f"<h2>{door.title}</h2>" in page and f"<h2>{microwave.title}</h2>" in page
    assert "m, seen" in page and "m, unseen" in page
    assert "lost.mp4; keep it beside the ledger" in page


def test_a_report_of_nothing_is_refused(tmp_path, trials):
    path = tmp_path / "l.jsonl"
    path.write_text("".join(json.dumps({**r, "counted": False}) + "\n" for r in trials(3)))
    with pytest.raises(TheiaError, match="no trial counts"):
        report_page(gather([path]))


@pytest.mark.parametrize("task", ["door", "pick_place", "microwave", "drawer"])
def test_the_heat_map_has_every_cell_with_its_counts(task):
    protocol = get_task(task).protocol
    last = get_task(task).stages[-1]
    records = [{"cell": t.cell, "stages": {last: t.index > 0}} for t in protocol.trials(1)]
    svg = heat_map(get_task(task), records, "t")
    assert svg.count("<rect") == len(protocol.cells)
    per_cell = protocol.repetitions_of(protocol.trials(1)[0].cell)
    assert svg.count(f">{per_cell - 1}/{per_cell}<") == 1
    assert heat_map(get_task(task), [], "t").count(">-<") == len(protocol.cells)


def test_titles_say_what_sets_runs_apart(trials, tmp_path):
    path = tmp_path / "l.jsonl"
    runs = [trials(2), trials(2, encoder="other@1"), trials(2, execution="ensemble:0.1")]
    path.write_text("".join(json.dumps(record) + "\n" for run in runs for record in run))
    titles = run_titles(gather([path]).runs)
    assert titles == ["door-bc, on lite", "door-bc, on other", "door-bc, on lite, ensemble:0.1"]


@pytest.mark.slow
def test_a_real_browser_shows_it_on_a_desk_a_phone_and_paper(ledger, browser_page, tmp_path):
    html = tmp_path / "report.html"
    html.write_text(report_page(gather([ledger])))
    for width, mobile in ((1280, False), (390, True)):
        browser_page.open(html.as_uri(), width, 844, mobile)
        boxes = "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect())"
        charts = browser_page.evaluate(f"{boxes}.map(r => [r.width, r.height])")
        assert len(charts) == 4 and all(w > 250 and h > 100 for w, h in charts)  # 2 forests, 2 heat maps
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= width
        pictures = "[...document.images].map(i => i.naturalWidth)"
        assert min(browser_page.evaluate(pictures)) >= 600
        browser_page.wait_for("[...document.querySelectorAll('video')].every(v => v.duration > 3)")
        assert browser_page.requests == []
        assert browser_page.complaints == []
    paper = browser_page.call(
        "Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True
    )
    assert base64.b64decode(paper["data"]).startswith(b"%PDF")
    browser_page.call("Emulation.setEmulatedMedia", media="print")
    browser_page.call(
        "Emulation.setDeviceMetricsOverride", width=700, height=1000, deviceScaleFactor=1, mobile=False
    )
    ends = "[...document.querySelectorAll('table, svg, .film')].map(e => e.getBoundingClientRect().right)"
    assert max(browser_page.evaluate(ends)) <= 701
