// The script of answers.html: a card a question, with one answer or two beside each other.

const compared = rows.some((row) => row.answers.length > 1);
const FIRST_VERDICTS = ["gain", "loss", "same", "scored", "tuned alone", "not scored", "failed"];
const FACETS = {
  verdict: (row) => row.verdict,
  task: (row) => row.task || "unknown",
  condition: (row) => CONDITIONS[row.condition] || row.condition,
  state: (row) => row.state,
  article: (row) => row.article_id || "unknown",
};
const NAMES = { task: "Task", condition: "Picture shown", state: "Answers", article: "Article" };
const CONDITIONS = { true: "its own", blank: "an empty one", shuffled: "another article's", none: "none, the caption instead" };
const METRICS = {
  rougeL: "ROUGE-L", rouge1: "ROUGE-1", rouge2: "ROUGE-2", facts: "grounded facts", length_ratio: "length / reference",
  words: "words", hedges: "hedges", looping: "repeats itself",
};
const MORE_IS_BETTER = ["rougeL", "rouge1", "rouge2", "facts"];
const ORDERS = compared
  ? { change: "largest change", gain: "largest gain", loss: "largest loss", id: "as numbered" }
  : { loss: "lowest first", gain: "highest first", id: "as numbered" };

// ---- one question

function fill(card, row) {
  card.append(figure(row), text(row), el("div", { class: "metrics" }, metrics(row)));
}

function figure(row) {
  const shown = row.picture !== null && el("div", { class: "picture" }, picture(row.picture, `Figure ${row.figure_id}`));
  return el("div", { class: "figure" }, shown || el("div", { class: "missing" }, whyNone(row)));
}

function whyNone(row) {
  if (row.picture_problem !== "licence") return `No picture: ${row.picture_problem}`;
  const cure = data.published || data.policy === "all" || !row.is_own ? "" : " `ldrt card RUN --policy all` shows it, to you alone.";
  return `Not shown here: the licence is ${row.license}, and this page shows what the policy ${data.policy} permits.${cure}`;
}

function text(row) {
  const column = el("div", { class: "text", dir: "auto" });
  column.append(el("h2", {}, row.task || "", el("span", { class: "verdict" }, row.verdict), el("span", { class: "why" }, changeText(row))));
  if (row.condition !== "true") column.append(el("p", { class: "small warning" }, `The model was shown: ${FACETS.condition(row)}`));
  column.append(el("h3", {}, "Question"), quoted("question", row.question));
  column.append(el("h3", {}, "Reference"), quoted("reference", row.reference));
  column.append(el("div", { class: "answers" }, ...row.answers.map(answer)));
  column.append(...caption(row), facts(row));
  return column;
}

/** What an article's licence may not let a published page quote. */
function quoted(kind, words) {
  const open = words !== null && words !== undefined;
  return el("p", { class: open ? kind : "small" }, open ? words || "(empty)" : "(not quoted here: its licence does not permit it)");
}

function answer(given) {
  const state = given.state === "complete" ? null : el("span", { class: "state" }, given.state);
  const box = el("section", { class: `said by-${given.who}` }, el("h3", {}, compared ? given.who : "Answer", state));
  const none = given.error ? `no answer: ${given.error}` : "no answer";
  box.append(el("p", { class: given.text === null ? "answer small" : "answer", dir: "auto" }, given.text === null ? none : given.text || "(empty)"));
  box.append(el("h3", {}, "Judges"), judges(given));
  return box;
}

/** Each judge's points and words; where nobody judged, that. */
function judges(given) {
  if (!given.said.length) return el("p", { class: "small reply" }, "No judge has rated this answer.");
  return el("ul", {}, ...given.said.map(judged));
}

function judged(said) {
  const points = said.score === null ? `no score (${said.status})` : `${readable(said.score)} of 10`;
  const item = el("li", {}, el("span", { class: "points" }, points), el("span", { class: "small" }, ` ${said.judge}`));
  if (said.reply) item.append(el("p", { class: "reply", dir: "auto" }, said.reply));
  return item;
}

// ---- what metrics say

function metrics(row) {
  const names = [...new Set(row.answers.flatMap((given) => Object.keys(given.metrics)))];
  if (row.answers.some((given) => given.facts)) names.push("facts");
  const place = (name) => (name in METRICS ? Object.keys(METRICS).indexOf(name) : 99);
  names.sort((a, b) => place(a) - place(b));
  if (!names.length) return el("p", { class: "small" }, "Nothing was measured.");
  const head = row.answers.length > 1 ? el("thead", {}, el("tr", {}, ...["", "base", "tuned", "+/−"].map((name) => el("th", {}, name)))) : null;
  return el("div", { class: "scroll" }, el("table", {}, head, el("tbody", {}, ...names.map((name) => metric(row, name)))));
}

function metric(row, name) {
  const numbers = row.answers.map((given) => (name === "facts" ? share(given) : given.metrics[name]));
  const cells = row.answers.map((given, i) => el("td", {}, name === "facts" ? sharePart(given) : rounded(numbers[i])));
  const line = el("tr", {}, el("th", {}, METRICS[name] || name.replaceAll("_", " ")), ...cells);
  if (numbers.length > 1) line.append(difference(numbers, name));
  return line;
}

const share = (given) => (given.facts ? given.facts[0] / given.facts[1] : undefined);
const sharePart = (given) => (given.facts ? `${given.facts[0]} of ${given.facts[1]}` : "–");
const rounded = (value) => (value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: 3 }));

function difference([base, tuned], name) {
  if (base === undefined || tuned === undefined) return el("td", {}, "–");
  const by = tuned - base;
  const colour = MORE_IS_BETTER.includes(name) && by ? (by > 0 ? "up" : "down") : "";
  return el("td", { class: colour }, signed(by));
}

const signed = (value) => `${value > 0 ? "+" : ""}${rounded(value)}`.replace("-", "−");

function caption(row) {
  return row.caption ? [el("details", {}, el("summary", {}, "Caption"), el("p", { class: "caption" }, row.caption))] : [];
}

function facts(row) {
  const shown = row.condition === "shuffled" ? row.shown_figure : null;
  return factList({ figure: row.figure_id, "picture shown": shown, id: row.example_id, licence: row.license });
}

// ---- order

const measureName = (name) => {
  if (name.startsWith("judge:")) return name === "judge:mean" ? "the judges' mean" : name.slice("judge:".length);
  return { rougeL: "ROUGE-L", grounding: "grounded facts, share" }[name] || name;
};

/** Tuned − base by a measure, of a run that was compared with none its value; null where that cannot be told. */
function change(row, measure) {
  const values = row.answers.map((given) => given.quality[measure]);
  if (values.includes(undefined) || (compared && values.length < 2)) return null;
  return compared ? values[1] - values[0] : values[0];
}

function changeText(row) {
  const by = change(row, data.measures[0]);
  if (by === null) return "";
  return `${compared ? signed(by) : rounded(by)} by ${measureName(data.measures[0])}`;
}

function sort() {
  const changes = rows.map((row) => change(row, byId("measure").value));
  const order = byId("order").value;
  const rank = (i) => ({ change: Math.abs(changes[i]), gain: changes[i], loss: -changes[i] })[order];
  const place = [...rows.keys()];
  place.sort((a, b) => {
    if (order !== "id" && (changes[a] === null) !== (changes[b] === null)) return changes[a] === null ? 1 : -1;
    const first = order === "id" || changes[a] === null ? 0 : rank(b) - rank(a);
    return first || rows[a].example_id.localeCompare(rows[b].example_id, "en", { numeric: true });
  });
  byId("cards").append(...place.map((i) => cards[i]));
}

function fillSelect(id, choices, changed) {
  byId(id).append(...Object.entries(choices).map(([value, name]) => el("option", { value }, name)));
  byId(id).addEventListener("change", changed);
}

// ---- what page.js asks of a row

const kind = (row) => ({ gain: "kept", loss: "rejected", failed: "rejected" })[row.verdict] || "held";
const named = (row) => row.example_id || "question";

function searched(row) {
  const said = row.answers.flatMap((given) => [given.text, given.error, ...given.said.flatMap((one) => [one.judge, one.reply])]);
  return [row.question, row.reference, row.caption, row.example_id, row.figure_id, ...said];
}

const resort = () => {
  sort();
  scrollTo(0, 0);
};
fillSelect("measure", Object.fromEntries(data.measures.map((name) => [name, measureName(name)])), resort);
fillSelect("order", ORDERS, resort);
if (byId("models"))
  byId("models").addEventListener("change", () => (byId("cards").className = byId("models").value && `only-${byId("models").value}`));
start();
sort();
