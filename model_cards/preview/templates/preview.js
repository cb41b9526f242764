"use strict";
// The page's script. Everything shown is set as text, never as HTML: it comes from strangers' articles.

const { rows, totals, n_figures } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SPLITS = ["train", "validation", "test"];
const MAX_SENTENCES = 4; // shown at once, the others on demand
const FACETS = {
  verdict: (row) => row.verdict,
  split: (row) => row.split || "rejected",
  source: (row) => row.source || "unknown",
  license: (row) => row.license || "not stated",
  article: (row) => row.article_id || "unknown",
};
const NAMES = { split: "Split", source: "Source", license: "Licence", article: "Article" };
const titles = new Map(rows.map((row) => [FACETS.article(row), row.title]));
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

// ---- one figure

function fill(card, row) {
  card.append(figure(row), text(row));
  if (row.page_picture !== undefined) card.append(page(row));
  for (const part of card.querySelectorAll("[data-panel]")) {
    const alike = () => card.querySelectorAll(`[data-panel="${part.dataset.panel}"]`);
    part.addEventListener("mouseenter", () => alike().forEach((other) => other.classList.add("on")));
    part.addEventListener("mouseleave", () => alike().forEach((other) => other.classList.remove("on")));
  }
}

function figure(row) {
  const column = el("div", { class: "figure" });
  if (row.picture === undefined) {
    const why = row.filter ? "not in this page" : "no thumbnail";
    const problem = row.picture_problem && `Picture cannot be shown: ${row.picture_problem}`;
    column.append(el("div", { class: "missing" }, problem || (row.full || row.width ? `Picture ${why}` : "No picture")));
  } else {
    const panels = (row.panels || []).map((panel, i) => panelBox(panel, i, row));
    const frame = el("div", { class: "picture" }, picture(row.picture, `${row.label || "Figure"}`, row), ...panels);
    const link = { href: row.full, target: "_blank", rel: "noreferrer", title: "Open the full picture", tabindex: "-1" };
    column.append(row.full ? el("a", link, frame) : frame);
  }
  return column;
}

/** The page of the PDF with the figure's place drawn on it. */
function page(row) {
  const box = el("div", { class: "box" });
  place(box, row.page_box);
  const sheet = el("div", { class: "page" }, picture(row.page_picture, `Page ${row.page}`), box);
  return el("div", { class: "place" }, sheet, el("div", { class: "small" }, `page ${row.page}`));
}

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

function panelBox(panel, i, row) {
  const [x0, y0, x1, y1] = panel.bbox;
  const box = el("div", { class: "panel", "data-panel": i, title: panel.caption || "" }, el("b", {}, panel.label));
  place(box, [x0 / row.width, y0 / row.height, (x1 - x0) / row.width, (y1 - y0) / row.height]);
  return box;
}

/** Left, top, width, height as shares of the frame. */
function place(element, shares) {
  ["left", "top", "width", "height"].forEach((side, i) => (element.style[side] = `${100 * shares[i]}%`));
}

function text(row) {
  const column = el("div", { class: "text", lang: row.language || "", dir: "auto" });
  const why = row.filter ? [row.value, row.threshold].map(readable) : [];
  const reason = [why[0], why[1] && `threshold ${why[1]}`].filter(Boolean).join(", ");
  const badge = el("span", { class: "verdict" }, row.filter ? `rejected: ${row.filter}` : `kept: ${row.split}`);
  column.append(el("h2", {}, row.label || "(no label)", badge, reason && el("span", { class: "why" }, reason)));
  column.append(articleLine(row));
  if (row.caption) column.append(el("p", { class: "caption" }, row.caption));
  else column.append(el("p", { class: "caption small" }, "(no caption)"));
  if (row.panels?.length) column.append(el("h3", {}, "Panels"), panelList(row.panels));
  if (row.context.length) column.append(el("h3", {}, "Context"), ...sentences(row.context));
  column.append(facts(row));
  return column;
}

function articleLine(row) {
  const link = { href: `#${new URLSearchParams({ article: FACETS.article(row) })}`, title: "Show this article only" };
  const only = el("a", link, row.title || row.article_id || "");
  const where = [row.journal, row.year].filter(Boolean).join(", ");
  const line = el("p", { class: "title" }, only, where && ` · ${where}`);
  if (row.status) line.append(" · ", el("strong", { class: "warning" }, row.status));
  return line;
}

function panelList(panels) {
  const item = ({ label, caption }, i) => {
    const about = { "data-panel": i, title: caption || "" }; // long ones are cut short in the list
    return el("li", about, el("b", {}, label), caption || "(no part of the caption)");
  };
  return el("ul", { class: "panels" }, ...panels.map(item));
}

function sentences(context) {
  const items = context.map((pieces) => el("li", {}, ...pieces.map((part, i) => (i % 2 ? el("mark", {}, part) : part))));
  const first = el("ul", {}, ...items.slice(0, MAX_SENTENCES));
  if (items.length <= MAX_SENTENCES) return [first];
  const rest = items.slice(MAX_SENTENCES);
  return [first, el("details", {}, el("summary", {}, `${rest.length} more`), el("ul", {}, ...rest))];
}

function facts(row) {
  const link = row.doi ? `https://doi.org/${encodeURI(row.doi)}` : null;
  const all = {
    id: row.figure_id,
    size: row.width && `${row.width} × ${row.height} px`,
    sharpness: row.sharpness !== undefined && readable(row.sharpness),
    licence: FACETS.license(row),
    attribution: row.attribution,
    type: row.article_type,
    source: `${FACETS.source(row)}, ${row.source_file || ""}`,
    page: row.page,
    "duplicate group": row.duplicate_group,
    article: link && el("a", { href: link, target: "_blank", rel: "noreferrer noopener" }, row.doi),
  };
  const shown = Object.entries(all).filter(([, value]) => value);
  return el("dl", {}, ...shown.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** A number in a few digits, anything else as it is. */
function readable(value) {
  return typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : value;
}

// ---- filters

function searchText(i) {
  const row = rows[i];
  const context = row.context.map((pieces) => pieces.join(""));
  const about = [row.figure_id, row.label, row.title, row.journal, row.doi, row.pmcid, row.attribution];
  const more = [row.source_file, row.duplicate_group, row.status, row.article_type, row.value];
  return (texts[i] ??= [row.caption, ...about, ...more, ...context].filter(Boolean).join("\n").toLowerCase());
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
  const sample = n_figures > rows.length ? `, a sample of ${n_figures.toLocaleString("en")}` : "";
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
  const rank = (name) => (SPLITS.includes(name) ? SPLITS.indexOf(name) : 9);
  const names = Object.keys(totals).sort((a, b) => rank(a) - rank(b) || totals[b] - totals[a] || (a < b ? -1 : 1));
  for (const name of ["", ...names]) {
    const input = el("input", { type: "radio", name: "verdict", value: name });
    input.addEventListener("change", () => choose({ verdict: name }));
    const of = name ? `${totals[name].toLocaleString("en")} of all figures` : "";
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
  const shown = cards.filter((card) => !card.hidden);
  const at = shown.indexOf(document.activeElement.closest("article"));
  const top = byId("figures").getBoundingClientRect().top < 0;
  const first = top ? shown.findIndex((card) => card.getBoundingClientRect().bottom > 200) : 0;
  const next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? first : at + by))];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
}

const KEYS = {
  "/": () => byId("q").select(),
  j: () => step(1),
  k: () => step(-1),
  p: () => byId("boxes").click(),
  o: () => document.activeElement.closest("article")?.querySelector(".figure a")?.click(),
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

rows.forEach((row, i) => {
  const kind = row.filter ? "rejected" : row.split === "train" ? "kept" : "held";
  cards.push(el("article", { class: kind, tabindex: "-1", "data-row": i, "aria-label": row.figure_id || "figure" }));
});
byId("figures").append(...cards);
verdictChoices();
Object.keys(NAMES).forEach(select);
chosen = linked();
update();
cards.forEach((card) => near.observe(card));
byId("q").addEventListener("input", (event) => choose({ q: event.target.value }));
byId("boxes").addEventListener("change", (event) => document.body.classList.toggle("no-boxes", !event.target.checked));
byId("reset").addEventListener("click", reset);
addEventListener("hashchange", () => choose(linked()));
document.addEventListener("keydown", onKey);
