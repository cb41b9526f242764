"use strict";
// What the scripts of the pages share. Everything shown is set as text, never as HTML: it comes from strangers.
// A page's own script follows, which says what a row is: FACETS, NAMES, FIRST_VERDICTS, kind, named, fill, searched.

const data = JSON.parse(document.getElementById("data").textContent);
const { rows, totals } = data;
const n_all = Object.values(totals).reduce((a, b) => a + b, 0);
const byId = (id) => document.getElementById(id);
const MAX_SENTENCES = 4; // shown at once, the others on demand
const titles = new Map(rows.map((row) => [row.article_id, row.title]));
const cards = [];
const texts = []; // what the search looks at, made when it is first used
let chosen; // filter -> what was chosen, "" for anything

/** A new element: el("p", {class: "small"}, "text", otherElement). */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// ---- parts of a card

function picture(number, alt, size = {}) {
  const image = el("img", { alt, decoding: "async" });
  if (size.width && size.height) {
    const shrink = Math.min(1, 318 / Math.max(size.width, size.height));
    image.width = Math.max(1, Math.round(size.width * shrink));
    image.height = Math.max(1, Math.round(size.height * shrink));
  }
  const load = () => {
    const data = byId(`picture-${number}`);
    if (data) image.src = `data:image/jpeg;base64,${data.textContent}`;
    else if (document.readyState === "loading") requestAnimationFrame(load); // the file is still being read
  };
  load();
  return image;
}

function articleLine(row) {
  const link = { href: `#${new URLSearchParams({ article: FACETS.article(row) })}`, title: "Show this article only" };
  const only = el("a", link, row.title || row.article_id || "");
  const where = [row.journal, row.year].filter(Boolean).join(", ");
  const line = el("p", { class: "title" }, only, where && ` · ${where}`);
  if (row.status) line.append(" · ", el("strong", { class: "warning" }, row.status));
  return line;
}

/** Pieces of a text, every second one marked. */
const marked = (pieces) => pieces.map((part, i) => (i % 2 ? el("mark", {}, part) : part));

function sentences(context) {
  const items = context.map((pieces) => el("li", {}, ...marked(pieces)));
  const first = el("ul", {}, ...items.slice(0, MAX_SENTENCES));
  if (items.length <= MAX_SENTENCES) return [first];
  const rest = items.slice(MAX_SENTENCES);
  return [first, el("details", {}, el("summary", {}, `${rest.length} more`), el("ul", {}, ...rest))];
}

/** What is known of a row, name by name. */
function factList(all) {
  const shown = Object.entries(all).filter(([, value]) => value);
  return el("dl", {}, ...shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** A number in a few digits, anything else as it is. */
function readable(value) {
  return typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : value;
}

// ---- filters

function searchText(i) {
  return (texts[i] ??= searched(rows[i]).filter(Boolean).join("\n").toLowerCase());
}

/** Whether a row is shown; `except` names a filter that is passed over, for the numbers beside its choices. */
function fits(i, words, except) {
  const row = rows[i];
  for (const [name, value] of Object.entries(FACETS))
    if (name !== except && chosen[name] && value(row) !== chosen[name]) return false;
  return words.every((word) => searchText(i).includes(word));
}

function choose(changes) {
  chosen = { ...chosen, ...changes };
  update();
  scrollTo(0, 0);
}

function update() {
  const words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((_, i) => {
    const is = fits(i, words);
    if (cards[i].hidden === is) cards[i].hidden = !is;
    shown += is;
  });
  for (const name of Object.keys(FACETS)) count(name, words);
  byId("none").hidden = shown > 0;
  const sample = n_all > rows.length ? `, a sample of ${n_all.toLocaleString("en")}` : "";
  byId("count").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}${sample}`;
  if (byId("q").value !== chosen.q) byId("q").value = chosen.q;
  const set = Object.entries(chosen).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(set)}`);
}

/** Set the numbers beside a filter's choices to what they would show. */
function count(name, words) {
  const numbers = new Map();
  rows.forEach((row, i) => {
    if (fits(i, words, name)) numbers.set(FACETS[name](row), (numbers.get(FACETS[name](row)) || 0) + 1);
  });
  if (name === "verdict") {
    for (const label of byId("verdict").querySelectorAll("label")) {
      const input = label.querySelector("input");
      const n = input.value ? numbers.get(input.value) || 0 : [...numbers.values()].reduce((a, b) => a + b, 0);
      label.querySelector(".number").textContent = n.toLocaleString("en");
      label.classList.toggle("empty", n === 0);
      input.checked = chosen.verdict === input.value;
    }
  } else {
    const select = byId(name);
    for (const option of select.options)
      if (option.value) option.textContent = `${option.dataset.name} (${numbers.get(option.value) || 0})`;
    select.value = chosen[name];
  }
}

function verdictChoices() {
  const rank = (name) => (FIRST_VERDICTS.includes(name) ? FIRST_VERDICTS.indexOf(name) : FIRST_VERDICTS.length);
  const names = Object.keys(totals).sort((a, b) => rank(a) - rank(b) || totals[b] - totals[a] || (a < b ? -1 : 1));
  for (const name of ["", ...names]) {
    const input = el("input", { type: "radio", name: "verdict", value: name });
    input.addEventListener("change", () => choose({ verdict: name }));
    const of = name ? `${totals[name].toLocaleString("en")} of all` : "";
    byId("verdict").append(el("label", { title: of }, input, `${name || "all"} `, el("span", { class: "number" })));
  }
}

function select(name) {
  const values = [...new Set(rows.map(FACETS[name]))].sort();
  const label = (value) => (name === "article" && titles.get(value) ? `${value} ${titles.get(value)}` : value);
  const options = values.map((value) => el("option", { value, "data-name": label(value).slice(0, 80) }));
  const element = el("select", { id: name }, el("option", { value: "" }, "any"), ...options);
  element.addEventListener("change", () => choose({ [name]: element.value }));
  byId("facets").append(el("label", { class: "facet" }, NAMES[name], element));
}

const nothing = () => Object.fromEntries(["q", ...Object.keys(FACETS)].map((name) => [name, ""]));
const reset = () => choose(nothing());

/** The choice that the page's address names: preview.html#verdict=min_sharpness&source=pdf */
function linked() {
  const given = [...new URLSearchParams(location.hash.slice(1))].filter(([name]) => name in nothing());
  return { ...nothing(), ...Object.fromEntries(given) };
}

// ---- keys

function step(by) {
  const shown = [...byId("cards").querySelectorAll("article:not([hidden])")]; // in the order on the page
  const at = shown.indexOf(document.activeElement.closest("article"));
  const top = byId("cards").getBoundingClientRect().top < 0;
  const first = top ? shown.findIndex((card) => card.getBoundingClientRect().bottom > 200) : 0;
  const next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? first : at + by))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
}

const KEYS = {
  "/": () => byId("q").select(),
  j: () => step(1),
  k: () => step(-1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    document.activeElement.blur();
    reset();
  } else if (KEYS[event.key] && !event.target.matches("input[type=search], select")) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

// ---- start

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries.filter((entry) => entry.isIntersecting)) {
      near.unobserve(target);
      fill(target, rows[target.dataset.row]);
    }
  },
  { rootMargin: "1200px 0px" },
);

/** Called at the end of a page's own script. */
function start() {
  rows.forEach((row, i) => {
    cards.push(el("article", { class: kind(row), tabindex: "-1", "data-row": i, "aria-label": named(row) }));
  });
  byId("cards").append(...cards);
  verdictChoices();
  Object.keys(NAMES).forEach(select);
  chosen = linked();
  update();
  cards.forEach((card) => near.observe(card));
  byId("q").addEventListener("input", (event) => choose({ q: event.target.value }));
  byId("reset").addEventListener("click", reset);
  addEventListener("hashchange", () => choose(linked()));
  document.addEventListener("keydown", onKey);
}

