// Light and dark, the table of results, and what else is not a plot. It loads nothing and keeps nothing.
"use strict";

const PAGE = 100; // rows at a time

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const lines = [...document.querySelectorAll("#table tbody tr")]; // one for each of data.rows
const texts = lines.map((line) => [...line.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
const state = { sort: null, descending: false, first: 0, shown: data.rows.map((_, i) => i) };

for (const element of document.querySelectorAll(".live")) element.hidden = false;

// --- Light and dark -------------------------------------------------------------------------

function setUpTheme() {
  const button = byId("theme");
  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const name = () => { button.textContent = dark() ? "Light colours" : "Dark colours"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    name();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
}

// --- The table ------------------------------------------------------------------------------

const label = (row) => data.columns[row.column][0];
const model = (row) => data.columns[row.column][1];

function setUpTable() {
  fill(byId("by-model"), data.rows.map(model));
  fill(byId("by-status"), data.rows.map((row) => row.status));
  fill(byId("by-verdict"), data.rows.map((row) => row.verdict));
  for (const id of ["search", "by-model", "by-status", "by-verdict"]) {
    byId(id).addEventListener("input", refilter);
  }
  byId("reset").addEventListener("click", () => {
    for (const id of ["search", "by-model", "by-status", "by-verdict"]) byId(id).value = "";
    refilter();
  });
  for (const head of document.querySelectorAll("#table thead [data-key]")) makeSortable(head);
  byId("previous").addEventListener("click", () => turn(-PAGE));
  byId("next").addEventListener("click", () => turn(PAGE));
  showPage();
}

function fill(select, values) {
  const known = [...new Set(values.filter((value) => value !== undefined))].sort();
  for (const value of known) select.append(new Option(value, value));
  select.closest("label").hidden = known.length < 2;
}

function makeSortable(head) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  head.setAttribute("aria-sort", "none");
  button.addEventListener("click", () => {
    state.descending = state.sort === head.dataset.key && !state.descending;
    state.sort = head.dataset.key;
    for (const other of document.querySelectorAll("#table thead [aria-sort]")) {
      other.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
    state.first = 0;
    refilter();
  });
}

function refilter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = [[model, "by-model"], [(r) => r.status, "by-status"], [(r) => r.verdict, "by-verdict"]]
    .map(([of, id]) => [of, byId(id).value])
    .filter(([, value]) => value);
  state.shown = data.rows
    .map((_, i) => i)
    .filter((i) => words.every((word) => texts[i].includes(word)))
    .filter((i) => wanted.every(([of, value]) => of(data.rows[i]) === value));
  sort();
  state.first = 0;
  showPage();
  redraw();
}

function sort() {
  if (!state.sort) return;
  const value = (i) => (state.sort === "label" ? label(data.rows[i]) : data.rows[i][state.sort]);
  const sign = state.descending ? -1 : 1;
  state.shown.sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (one === undefined || other === undefined) {
      return (one === undefined) - (other === undefined) || a - b; // what is unknown comes last
    }
    const order = typeof one === "string" ? one.localeCompare(other) : one - other;
    return sign * order || a - b;
  });
}

function turn(by) {
  state.first += by;
  showPage();
}

function showPage() {
  const total = state.shown.length;
  const last = Math.min(state.first + PAGE, total);
  show(state.shown.slice(state.first, last));
  const of = total === lines.length ? `${total}` : `${total} of ${lines.length}`;
  byId("count").textContent = `${of} ${lines.length === 1 ? "workload" : "workloads"} shown.`;
  byId("pages").hidden = total <= PAGE;
  byId("page").textContent = `Rows ${state.first + 1} to ${last} of ${total}`;
  byId("previous").disabled = state.first === 0;
  byId("next").disabled = last >= total;
}

function show(places) {
  document.querySelector("#table tbody").replaceChildren(...places.map((i) => lines[i]));
}

/** Paper has no pages to turn, and nothing to unfold; of many remarks it has the first. */
function setUpPrinting() {
  const folds = document.querySelectorAll("details:not(.long *)");
  let opened = [];
  const buttons = [...document.querySelectorAll("#table thead button")];
  const heads = buttons.map((button) => button.parentElement);
  addEventListener("beforeprint", () => {
    show(state.shown);
    opened = [...folds].filter((part) => !part.open);
    for (const part of opened) part.open = true;
    // A button is not repeated where a page begins, but text is.
    buttons.forEach((button, n) => heads[n].replaceChildren(button.textContent));
  });
  addEventListener("afterprint", () => {
    showPage();
    for (const part of opened) part.open = false;
    buttons.forEach((button, n) => heads[n].replaceChildren(button));
  });
}

/** Only what can be scrolled sideways is a stop of the keyboard. */
function setUpScrolling() {
  const see = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const part of document.querySelectorAll(".scroll, pre")) see.observe(part);
}

setUpTheme();
setUpTable();
setUpPrinting();
setUpScrolling();
