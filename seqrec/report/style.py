"""The looks of our pages: a check's and an evaluation's; light or dark as the reader's screen is, wide or a phone's."""

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2329; --dim: #5d6771; --line: #dfe3e8; --faint: #eceff2;
  --bar: #2f6db3; --track: #eef1f4; --good: #e5f4ea; --good-ink: #17552f; --bad: #fdeaea; --bad-ink: #8c1d1d;
  --warn: #fdf0d2; --warn-ink: #7a5200; --note: #e3eefb; --note-ink: #1c4f86; }
@media (prefers-color-scheme: dark) { :root { --page: #16191d; --ink: #e4e8ec; --dim: #9aa5b0; --line: #39414a;
  --faint: #272d34; --bar: #5b9be0; --track: #262c33; --good: #17392a; --good-ink: #a8e2bf; --bad: #4a1f22;
  --bad-ink: #f6b9b9; --warn: #453512; --warn-ink: #f4d58c; --note: #1d3450; --note-ink: #a9cdf5; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto,
  "Noto Sans", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 32px 48px; }
h1 { font-size: 26px; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 12px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
p { margin: 8px 0; overflow-wrap: anywhere; }
.verdict { margin: 0; padding: 8px 14px; border-radius: 6px; font-weight: 600; overflow-wrap: anywhere; }
.good { background: var(--good); color: var(--good-ink); }
.bad { background: var(--bad); color: var(--bad-ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--dim); border-bottom: 2px solid var(--line); padding: 6px 10px; }
td { vertical-align: top; border-bottom: 1px solid var(--faint); padding: 6px 10px; overflow-wrap: anywhere;
  min-width: 40px; }
td:first-child { min-width: 84px; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.findings { table-layout: fixed; min-width: 760px; }
.findings th:nth-child(1) { width: 78px; }
.findings th:nth-child(2) { width: 170px; }
.findings th:nth-child(3) { width: 80px; }
.findings th:nth-child(4) { width: 56px; }
.findings th:nth-child(6) { width: 250px; }
ul { margin: 0; padding: 0; list-style: none; }
.findings li { font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.plain { align-self: center; }
.plain li { margin: 4px 0; }
.badge { display: inline-block; padding: 0 8px; border-radius: 10px; white-space: nowrap; font-size: 12px;
  font-weight: 600; }
.error { background: var(--bad); color: var(--bad-ink); }
.warning { background: var(--warn); color: var(--warn-ink); }
.note { background: var(--note); color: var(--note-ink); }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px 28px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(138px, 1fr)); gap: 12px; margin-top: 14px; }
.tile { background: var(--track); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tile span { display: block; color: var(--dim); font-size: 13px; }
figure { margin: 0; min-width: 0; }
figure img { width: 100%; display: block; background: #fff; border-radius: 6px; }
figcaption { font-size: 14px; margin-bottom: 4px; overflow-wrap: anywhere; }
.id { color: var(--dim); font-size: 12.5px; margin-left: 8px; }
.caption, footer { color: var(--dim); font-size: 13px; }
.symbols { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 2px 24px; }
.symbol { display: grid; grid-template-columns: minmax(22px, max-content) 1fr 62px; align-items: center; gap: 8px;
  font-size: 13.5px; }
.symbol b { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; overflow: hidden; }
.symbol i { background: var(--track); height: 9px; border-radius: 3px; overflow: hidden; }
.symbol s { display: block; height: 100%; background: var(--bar); }
.symbol span { text-align: right; font-variant-numeric: tabular-nums; color: var(--dim); }
.example { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; min-width: 0; }
.example .id { margin: 0; overflow-wrap: anywhere; }
.aligned { font: 15px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; display: flex; flex-wrap: wrap;
  gap: 4px 0; margin: 6px 0; }
.aligned span { display: inline-flex; flex-direction: column; white-space: pre; padding: 0 1px; }
.aligned .wrong { background: var(--bad); color: var(--bad-ink); border-radius: 3px; }
.letters { font-size: 17px; font-weight: 600; margin: 2px 0 0; overflow-wrap: anywhere; }
.aligned i { font-style: normal; min-height: 1.5em; }
footer { margin-top: 40px; }
@media (max-width: 720px) { main { padding: 18px 14px 32px; } .pair { grid-template-columns: minmax(0, 1fr); }
  td, th { padding: 5px 6px; } h1 { font-size: 21px; } }
"""
