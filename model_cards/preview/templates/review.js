
// The script of review.html: a card a flagged figure, a decision a finding.

const { findings } = data;
const DECISIONS = { keep: "Keep", blur: "Blur the box", drop: "Drop the figure" };
const STORE = "ldrt-review"; // of all datasets: a finding's place names its picture by its hash
const place = (one) => `${one.picture}/${one.kind}/${one.box}`;
const ofRow = (row) => row.findings.map((i) => findings[i]);
const isDecided = (row) => ofRow(row).every((one) => one.decision);
const FIRST_VERDICTS = ["undecided", "decided"];
const FACETS = {
  verdict: (row) => (isDecided(row) ? "decided" : "undecided"),
  kind: (row) => ofRow(row)[0]?.kind || "none",
  decision: (row) => ofRow(row)[0]?.decision || "none yet",
  article: (row) => row.article_id || "unknown",
};
const NAMES = { kind: "Kind", decision: "Decision", article: "Article" };

// ---- one figure

function fill(card, row) {
  card.replaceChildren(figure(row), text(row));
}

function figure(row) {
  const column = el("div", { class: "figure" });
  if (row.picture === undefined) {
    column.append(el("div", { class: "missing" }, `Picture cannot be shown: ${row.picture_problem}`));
    return column;
  }
  const boxes = row.findings.map((i, number) => box(findings[i], number, row));
  const image = picture(row.picture, row.label || "Figure");
  column.append(el("div", { class: "picture" }, image, ...boxes));
  return column;
}

/** The finding's place on the picture, by its number. */
function box({ box: [x0, y0, x1, y1], decision }, number, row) {
  const frame = el("div", { class: `box ${decision || ""}` }, el("b", {}, String(number + 1)));
  const shares = { left: x0 / row.width, top: y0 / row.height, width: (x1 - x0) / row.width, height: (y1 - y0) / row.height };
  for (const [side, share] of Object.entries(shares)) frame.style[side] = `${100 * share}%`;
  return frame;
}

function text(row) {
  const column = el("div", { class: "text" });
  const badge = el("span", { class: "verdict" }, isDecided(row) ? "decided" : "not decided");
  column.append(el("h2", {}, row.label || "(no label)", badge), articleLine(row));
  column.append(el("ol", { class: "findings" }, ...row.findings.map((i, number) => finding(i, number, row))));
  if (row.caption) column.append(el("p", { class: "caption small" }, row.caption));
  column.append(factList({ id: row.figure_id }));
  return column;
}

function finding(i, number, row) {
  const one = findings[i];
  const about = `${number + 1}. ${one.kind.replace("_", " ")}, score ${readable(one.score)}`;
  const buttons = Object.entries(DECISIONS).map(([decision, name]) => {
    const button = el("button", { type: "button", "aria-pressed": one.decision === decision }, name);
    button.addEventListener("click", () => decide(row, [i], one.decision === decision ? null : decision));
    return button;
  });
  const said = el("div", { class: "found", dir: "auto" }, one.text || "(no text)");
  return el("li", {}, el("div", { class: "small" }, about), said, el("div", { class: "choices" }, ...buttons));
}

// ---- decisions

/** Set the decision of findings; the figure stays where it is, so that nothing jumps away under the mouse. */
function decide(row, numbers, decision) {
  const drops = decision === "drop" ? row.findings : numbers; // with the figure all of its findings go
  for (const i of drops) findings[i].decision = decision;
  try {
    const made = findings.map((one) => [place(one), one.decision]);
    localStorage.setItem(STORE, JSON.stringify({ ...kept(), ...Object.fromEntries(made) }));
  } catch {
    byId("said").textContent = "This browser does not keep your decisions: download them before you close the page.";
  }
  const card = cards[rows.indexOf(row)];
  card.className = kind(row);
  fill(card, row);
  recount();
}

function recount() {
  const words = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  for (const name of Object.keys(FACETS)) count(name, words);
}

function kept() {
  return JSON.parse(localStorage.getItem(STORE)) || {};
}

/** What was decided here before stands where the file says nothing. */
function restore() {
  try {
    const before = kept();
    for (const one of findings) one.decision ??= before[place(one)] ?? null;
  } catch {
    // nothing was kept
  }
}

function download() {
  const lines = findings.map((one) => `${JSON.stringify(one)}\n`);
  const link = el("a", { href: URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" })), download: "review.jsonl" });
  link.click();
  const open = findings.filter((one) => !one.decision).length;
  byId("said").textContent = `review.jsonl has ${findings.length} findings, ${open} of them not decided: put it into the dataset's folder.`;
}

// ---- what page.js asks of a row

const kind = (row) => (isDecided(row) ? "kept" : "rejected");
const named = (row) => row.figure_id || "figure";
const searched = (row) => [row.caption, row.figure_id, row.label, row.title, ...ofRow(row).map((one) => one.text)];

function decideFocused(decision) {
  const card = document.activeElement.closest("article");
  if (card) decide(rows[card.dataset.row], rows[card.dataset.row].findings, decision);
}

function nextOpen() {
  const open = cards.filter((card) => !card.hidden && !isDecided(rows[card.dataset.row]));
  const at = open.indexOf(document.activeElement.closest("article"));
  const next = open[at + 1] || open[0];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "start" });
}

Object.keys(DECISIONS).forEach((decision, i) => (KEYS[i + 1] = () => decideFocused(decision)));
KEYS.n = nextOpen;
byId("download").addEventListener("click", download);
restore();
start();
