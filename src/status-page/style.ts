/** The style of all pages. A document allows it by its hash, so it has no part that differs from page to page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14181d);
  --soft: light-dark(#f2f5f7, #1e252c);
  --line: light-dark(#d3dbe1, #36414b);
  --ink: light-dark(#17212b, #e8edf1);
  --quiet: light-dark(#526170, #a3b1bd);
  --link: light-dark(#0b5ea8, #7cbcff);
  --good: light-dark(#0f6e56, #52d3a9);
  --good-soft: light-dark(#e3f5ee, #12332a);
  --bad: light-dark(#a8420a, #ffab73);
  --bad-soft: light-dark(#fdeee4, #3d2413);
  --wait: light-dark(#44566a, #b4c5d6);
  --wait-soft: light-dark(#e9eef3, #222d38);
}
:root:has(#theme-light:checked) { color-scheme: light }
:root:has(#theme-dark:checked) { color-scheme: dark }
* { box-sizing: border-box }
html { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; scroll-padding-top: 1rem }
body { margin: 0 auto; max-width: 84rem; padding: 1rem clamp(1rem, 4vw, 3rem) 4rem; overflow-wrap: anywhere }
h1 { font-size: 1.25rem; margin: 0 }
h2 { font-size: 1.25rem; margin: 0 0 .75rem; line-height: 1.3 }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { margin: 0 0 .75rem; max-width: 70ch }
ul { margin: 0 0 .75rem; padding-left: 1.25rem; max-width: 80ch }
li + li { margin-top: .35rem }
a { color: var(--link) }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
code, pre { font: .9em/1.5 ui-monospace, monospace }
code { background: var(--soft); border-radius: .25rem; padding: .1em .3em }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .75rem; max-height: 24rem; overflow: auto; padding: .75rem 1rem; overflow-wrap: normal }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1.5rem }
.top { align-items: center; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; justify-content: space-between; margin-bottom: 1rem }
.quiet, .when { color: var(--quiet) }
.when, .small { font-size: .875rem }
.when { white-space: nowrap }
.hidden { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px }
.skip { background: var(--paper); left: 1rem; padding: .5rem 1rem; position: absolute; top: -4rem }
.skip:focus { top: .5rem }
.theme { border: 0; color: var(--quiet); display: flex; flex-wrap: wrap; font-size: .875rem; gap: .25rem .75rem; margin: 0; padding: 0 }
.theme legend { float: left; margin-right: .75rem; padding: 0 }
.theme label { align-items: center; display: inline-flex; gap: .3rem; min-height: 1.5rem }
.state { border-left: .5rem solid; border-radius: .5rem; padding: 1rem 1.25rem }
.state > p:first-child { align-items: baseline; display: flex; font-size: clamp(1.25rem, 1rem + 1.5vw, 1.75rem); font-weight: 650; gap: .6rem; line-height: 1.3; margin: 0; max-width: none }
.state h2 { font-size: 1rem; margin: .75rem 0 .35rem }
.state ul:last-child { margin-bottom: 0 }
.good { background: var(--good-soft); border-color: var(--good) }
.bad { background: var(--bad-soft); border-color: var(--bad) }
.wait { background: var(--wait-soft); border-color: var(--wait) }
.mark { flex: none; font-weight: 700 }
.good .mark, .yes { color: var(--good) }
.bad .mark, .no { color: var(--bad) }
.wait .mark { color: var(--wait) }
.answers { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)); margin: 1rem 0 0; padding: 0 }
.answers > div { background: var(--soft); border-radius: .5rem; padding: .85rem 1rem }
.answers dt { color: var(--quiet); font-size: .9rem }
.answers dd { margin: 0 }
.answers dd:nth-of-type(1) { font-size: 1.15rem; font-weight: 650; line-height: 1.35 }
.answers dd + dd { font-size: .9rem; margin-top: .35rem }
.facts { display: grid; gap: .35rem 1.5rem; grid-template-columns: minmax(9rem, max-content) 1fr; margin: 0 0 .75rem }
.facts dt { color: var(--quiet) }
.facts dd { margin: 0 }
.scroll { margin-bottom: .75rem; overflow-x: auto }
table { border-collapse: collapse; font-size: .95rem; min-width: 100%; overflow-wrap: break-word }
th, td { border-bottom: 1px solid var(--line); padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top }
thead th { color: var(--quiet); font-size: .875rem; font-weight: 500 }
tbody th { font-weight: 600 }
.cards code { display: inline-block }
.matrix { overflow-wrap: normal }
.matrix th, .matrix td { border: 1px solid var(--line); padding: .4rem .6rem }
.matrix tbody th { font-weight: 500; min-width: 8rem }
.matrix td { min-width: 6rem }
.matrix td.open { background: var(--good-soft) }
.matrix td:not(.open) { color: var(--quiet) }
.matrix strong { display: block }
.count { font-variant-numeric: tabular-nums }
details { margin-bottom: .75rem }
summary { color: var(--link); cursor: pointer; min-height: 1.5rem; width: fit-content }
details[open] > summary { margin-bottom: .5rem }
svg.chart { border: 1px solid var(--line); display: block; height: 9rem; width: 100% }
svg .verified { fill: var(--good) }
svg .rejected { fill: var(--bad) }
svg .axis { stroke: var(--quiet); vector-effect: non-scaling-stroke }
.ends { color: var(--quiet); display: flex; font-size: .875rem; justify-content: space-between; margin-bottom: .5rem }
.key { display: flex; flex-wrap: wrap; font-size: .9rem; gap: .25rem 1.25rem; list-style: none; padding: 0 }
.key li + li { margin: 0 }
.key span { border-radius: .2rem; display: inline-block; height: .8em; margin-right: .4em; width: .8em }
.key .verified { background: var(--good) }
.key .rejected { background: var(--bad) }
form.ask { align-items: end; display: flex; flex-wrap: wrap; gap: .75rem; margin-bottom: 1rem }
form.ask > p { display: grid; gap: .25rem; margin: 0; max-width: 100%; min-width: 0 }
label { font-size: .9rem }
input[type=text], select, button { background: var(--paper); border: 1px solid var(--quiet); border-radius: .4rem; color: var(--ink); font: inherit; max-width: 100%; min-height: 2.5rem; padding: .3rem .75rem }
select { max-width: min(100%, 28rem); text-overflow: ellipsis; width: 100% }
button { background: var(--link); border-color: var(--link); color: var(--paper); cursor: pointer }
footer { border-top: 1px solid var(--line); color: var(--quiet); font-size: .875rem; margin-top: 2rem; padding-top: 1rem }
@media (max-width: 52rem) {
  table.cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; width: 100% }
  .cards thead { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; width: 1px }
  .cards tr { border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .75rem; padding: .75rem 1rem }
  .cards th, .cards td { border: 0; overflow-wrap: anywhere; padding: .15rem 0 }
  .cards td::before { color: var(--quiet); content: attr(data-label) ": "; font-size: .875rem }
  .facts { grid-template-columns: 1fr; gap: 0 }
  .facts dd { margin-bottom: .5rem }
}
@media (min-width: 120rem) { html { font-size: 1.25rem } }
@media (min-width: 200rem) { html { font-size: 1.75rem } }
@media print {
  :root { color-scheme: light !important }
  .theme, form, .skip, button, .screen { display: none }
  pre { max-height: none; white-space: pre-wrap }
  .scroll { overflow: visible }
  section, tr { break-inside: avoid }
}
`
