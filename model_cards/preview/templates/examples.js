// The script of examples.html: a card an example.

const FIRST_VERDICTS = ["kept"];
const FACETS = {
  verdict: (row) => row.verdict,
  task: (row) => row.task || "unknown",
  teacher: (row) => row.teacher || "unknown",
  split: (row) => row.split || "unknown",
  support: (row) => (row.support === undefined ? "nothing to look up" : row.support < 1 ? "in part" : "in full"),
  article: (row) => row.article_id || "unknown",
};
const NAMES = { task: "Task", teacher: "Teacher", split: "Split", support: "Support", article: "Article" };
const ids = new Set(rows.map((row) => row.example_id));

// ---- one example

function fill(card, row) {
  card.append(figure(row), text(row));
}

function figure(row) {
  const problem = row.picture_problem ? `Picture cannot be shown: ${row.picture_problem}` : "No picture";
  const shown = row.picture !== undefined && el("div", { class: "picture" }, picture(row.picture, row.label || "Figure", row));
  return el("div", { class: "figure" }, shown || el("div", { class: "missing" }, problem));
}

function text(row) {
  const column = el("div", { class: "text", lang: row.language || "", dir: "auto" });
  const badge = el("span", { class: "verdict" }, row.reason ? `rejected: ${row.reason}` : `kept: ${row.split}`);
  column.append(el("h2", {}, row.task || "", badge, why(row)), articleLine(row));
  if (row.question) column.append(el("p", { class: "question" }, row.question));
  else column.append(el("h3", {}, row.task === "align" ? "The caption; nothing is asked" : "Nothing is asked"));
  column.append(el("p", { class: "answer" }, row.answer || "(no answer)"));
  column.append(...(row.caption ? evidence(row) : []), facts(row));
  return column;
}

/** What the rule saw, and its limit; a link where that is another example of this page. */
function why(row) {
  if (row.value === undefined) return null;
  const other = ids.has(row.value) && `#${new URLSearchParams({ q: row.value })}`;
  const limit = row.threshold === undefined ? "" : `, threshold ${readable(row.threshold)}`;
  return el("span", { class: "why" }, other ? el("a", { href: other }, row.value) : readable(row.value), limit);
}

function evidence(row) {
  const parts = [el("h3", {}, "Caption"), el("p", { class: "caption" }, ...(row.caption.join("") ? marked(row.caption) : ["(no caption)"]))];
  if (row.context.length) {
    const whose = row.context_of ? `Context, of ${row.context_of}` : "Context";
    parts.push(el("h3", {}, whose), ...sentences(namedFirst(row.context)));
  }
  if (row.unmarked) parts.push(el("p", { class: "small" }, `Evidence not found here, counted from 0: ${row.unmarked.join(", ")}`));
  return parts;
}

/** Where not all sentences are shown at once, those that the answer names are. */
function namedFirst(context) {
  if (context.length <= MAX_SENTENCES) return context;
  return [...context.filter((pieces) => pieces.length > 1), ...context.filter((pieces) => pieces.length === 1)];
}

function facts(row) {
  const share = row.support === undefined ? null : `${readable(100 * row.support)} % of its facts stand in the evidence`;
  const inFigures = `preview.html#${new URLSearchParams({ q: row.figure_id || "" })}`;
  const about = row.label || row.figure_id;
  return factList({
    support: share || (row.caption ? "nothing to look up" : null),
    teacher: row.teacher,
    figure: byId("other") ? el("a", { href: inFigures }, about) : about,
    id: row.example_id,
    licence: row.license || "not stated",
    rights: row.rights,
    attribution: row.attribution,
  });
}

// ---- what page.js asks of a row

const kind = (row) => (row.reason ? "rejected" : row.split === "train" ? "kept" : "held");
const named = (row) => row.example_id || "example";

function searched(row) {
  const said = [row.question, row.answer, ...(row.caption || []), ...(row.context || []).flat()];
  return [...said, row.example_id, row.label, row.title, row.reason, row.value, row.teacher];
}

start();
