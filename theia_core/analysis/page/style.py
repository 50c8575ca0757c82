"""The look of every page: dark on light, one column that also fits a phone, and paper."""

STYLE = """
:root { color-scheme: light; --ink: #1c1e21; --soft: #5b6068; --line: #d9dce1; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; font-weight: 650; }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .5rem; font-weight: 650; }
p { margin: 0 0 .9rem; max-width: 44rem; }
.lead { color: var(--soft); }
.note, .meaning td, .range, figcaption { color: var(--soft); font-size: .82rem; line-height: 1.4; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th { font-weight: 600; text-align: left; vertical-align: bottom; }
thead th { border-bottom: 1.5px solid var(--ink); padding: .35rem .6rem .35rem 0; font-size: .9rem;
  overflow-wrap: anywhere; }
.findings td, .findings tbody th { border-bottom: 1px solid var(--line); padding: .4rem .9rem .4rem 0;
  vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
.numbers td, .numbers tbody th { border-bottom: 1px solid var(--line); padding: .5rem .6rem .5rem 0;
  vertical-align: top; }
.numbers tr.explained > * { border-bottom: 0; padding-bottom: 0; break-after: avoid; }
.numbers td:not([colspan]), .numbers thead th:not(:first-child) { text-align: right;
  font-variant-numeric: tabular-nums;
  white-space: nowrap; padding: .5rem 0 .5rem .9rem; }
.numbers .explained td { padding-bottom: 0; }
.numbers td[colspan] { padding-top: .1rem; }
.numbers thead th:not(:first-child) { white-space: normal; min-width: 5.2rem; }
.pictures { table-layout: fixed; min-width: calc(var(--columns) * 5.2rem);
  max-width: calc(var(--columns) * 12.5rem); }
.pairs { max-width: calc(var(--columns) * 25rem - 12.5rem); }
.pictures td, .pictures tbody th { padding: .45rem .6rem .45rem 0; vertical-align: top; font-weight: 400; }
.pictures tr { break-inside: avoid; }
.pairs thead th:first-child { width: calc(100% / (2 * var(--columns) - 1)); }
.pair { display: flex; gap: .4rem; }
.pair figure { flex: 1; min-width: 0; }
figure { margin: 0; }
figcaption { overflow-wrap: anywhere; font-size: .75rem; font-weight: 400; padding-top: .15rem; }
img { display: block; width: 100%; height: auto; }
img.tokens { image-rendering: pixelated; }
.examples img { width: 6rem; margin-top: .2rem; }
.examples .range { white-space: normal; }
.charts { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.charts figure { break-inside: avoid; }
svg { display: block; width: 100%; height: auto; max-width: 34rem; }
svg text { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.listing td, .listing tbody th { border-bottom: 1px solid var(--line); padding: .4rem .8rem .4rem 0;
  vertical-align: top; font-weight: 400; font-size: .85rem; overflow-wrap: anywhere; }
.listing thead th { overflow-wrap: normal; }
.listing tr { break-inside: avoid; }
.heat svg { max-width: 30rem; }
.heat text { stroke: none; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; font-weight: 600; }
ul { margin: 0 0 .9rem; padding-left: 1.2rem; max-width: 44rem; }
li { overflow-wrap: anywhere; font-size: .9rem; }
.film { margin: 0 0 1.4rem; break-inside: avoid; }
.film video { display: block; width: 100%; max-width: 20rem; margin-top: .4rem; background: #000; }
.scale { display: flex; align-items: center; gap: .5rem; max-width: 20rem; margin: 0 0 1rem; }
.scale i { flex: 1; height: .7rem;
  background: linear-gradient(to right, #440154, #414487, #2a788e, #22a884, #7ad151, #fde725);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
@media (max-width: 40rem) { body { padding: 1rem .8rem 3rem; } h1 { font-size: 1.35rem; }
  .pairs.several thead th:first-child { width: auto; }
  .several .pair { flex-direction: column; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { break-after: avoid; }
  .wide { overflow: visible; } .film video { display: none; } .numbers tr { break-inside: avoid; } }
"""
