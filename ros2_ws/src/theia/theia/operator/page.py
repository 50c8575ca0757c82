"""The operator's page: what is asked, the live image under the wanted start scene, and the emergency stop."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Theia: evaluation</title>
<style>
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; color: #1c1e21; background: #fff;
  font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header { display: flex; gap: 1rem; align-items: center; justify-content: space-between; }
h1 { font-size: 1.25rem; margin: 0; }
#status { color: #5b6068; margin: .2rem 0 1rem; min-height: 1.4em; }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
button { font: inherit; padding: .8rem 1.1rem; border: 1.5px solid #1c1e21; border-radius: .4rem;
  background: #fff; cursor: pointer; min-width: 6rem; }
button:hover { background: #eef1f4; }
button:focus-visible { outline: 3px solid #0072b2; }
#stop { background: #c62828; border-color: #c62828; color: #fff; font-weight: 700; padding: 1rem 1.4rem; }
#choices { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; }
#question { font-size: 1.15rem; font-weight: 600; margin: 0 0 .5rem; }
ol { padding-left: 1.3rem; margin: 0 0 .8rem; }
textarea { font: inherit; width: 100%; min-height: 3.5rem; padding: .5rem; }
#error { color: #c62828; min-height: 1.4em; }
.views { position: relative; background: #24262a; aspect-ratio: 4 / 3; overflow: hidden; }
.views img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.views img[hidden] { display: none; }
label { display: flex; gap: .6rem; align-items: center; margin-top: .4rem; color: #5b6068; font-size: .9rem; }
input[type=range] { flex: 1; }
#lines { list-style: none; padding: 0; margin: 1.5rem 0 0; font-size: .85rem; color: #5b6068;
  max-height: 16rem; overflow-y: auto; }
</style>
</head>
<body>
<header><h1 id="heading">Evaluation</h1><button id="stop">Emergency stop</button></header>
<p id="status"></p>
<main>
<section>
<p id="question"></p>
<ol id="steps"></ol>
<div id="choices"></div>
<label for="text">Notes</label>
<textarea id="text"></textarea>
<p id="error" role="alert"></p>
</section>
<section>
<div class="views"><img id="camera" alt="live camera image">
<img id="ghost" alt="wanted start scene" hidden></div>
<label id="blend" hidden>live <input type="range" id="opacity" min="0" max="100" value="50"> wanted</label>
</section>
</main>
<ul id="lines"></ul>
<script>
"use strict";
const at = id => document.getElementById(id);
let asked = null, heading = "";
async function post(path, values) {
  const answer = await fetch(path, {method: "POST", body: JSON.stringify(values),
    headers: {"Content-Type": "application/json", "X-Theia-Operator": "page"}});
  const said = await answer.json();
  at("error").textContent = said.error || said.said || "";
}
at("stop").onclick = () => post("/emergency_stop", {});
at("opacity").oninput = event => { at("ghost").style.opacity = event.target.value / 100; };
at("ghost").style.opacity = .5;
function show(state) {
  at("heading").textContent = state.heading || "Evaluation";
  at("status").textContent = state.status;
  const question = state.question;
  if ((question && question.number) !== asked) {
    asked = question && question.number;
    at("question").textContent = question ? question.text : "";
    at("steps").replaceChildren(...(question ? question.steps : []).map(text => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    at("choices").replaceChildren(...(question ? question.choices : []).map(choice => {
      const button = document.createElement("button");
      button.textContent = choice.label;
      button.dataset.key = choice.key;
      button.onclick = async () => {
        const text = at("text").value;
        await post("/answer", {number: question.number, choice: choice.key, text: text});
        if (!at("error").textContent) at("text").value = "";
        refresh();
      };
      return button;
    }));
  }
  if (state.heading !== heading) {
    heading = state.heading;
    at("ghost").src = state.has_ghost ? "/ghost.jpg?" + Date.now() : "data:,";
  }
  at("ghost").hidden = at("blend").hidden = !state.has_ghost;
  at("lines").replaceChildren(...state.lines.slice(-30).reverse().map(line => {
    const item = document.createElement("li");
    item.textContent = line.text;
    return item;
  }));
}
async function refresh() {
  try {
    show(await (await fetch("/state")).json());
  } catch (error) {
    at("status").textContent = "The evaluation does not answer; is it still running?";
  }
}
async function look() {
  try {
    const answer = await fetch("/camera.jpg");
    if (answer.ok) {
      const before = at("camera").src;
      at("camera").src = URL.createObjectURL(await answer.blob());
      if (before) URL.revokeObjectURL(before);
    }
  } catch (error) { /* the status line says that nobody answers */ }
  setTimeout(look, 200);
}
setInterval(refresh, 400);
refresh();
look();
</script>
</body>
</html>
"""
