// The script of preview.html: a card a figure.

const FIRST_VERDICTS = ["train", "validation", "test"];
const FACETS = {
  verdict: (row) => row.verdict,
  split: (row) => row.split || "rejected",
  source: (row) => row.source || "unknown",
  license: (row) => row.license || "not stated",
  article: (row) => row.article_id || "unknown",
};
const NAMES = { split: "Split", source: "Source", license: "Licence", article: "Article" };

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

function panelList(panels) {
  const item = ({ label, caption }, i) => {
    const about = { "data-panel": i, title: caption || "" }; // long ones are cut short in the list
    return el("li", about, el("b", {}, label), caption || "(no part of the caption)");
  };
  return el("ul", { class: "panels" }, ...panels.map(item));
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
  return factList(all);
}

// ---- what page.js asks of a row

const kind = (row) => (row.filter ? "rejected" : row.split === "train" ? "kept" : "held");
const named = (row) => row.figure_id || "figure";

function searched(row) {
  const context = row.context.map((pieces) => pieces.join(""));
  const about = [row.figure_id, row.label, row.title, row.journal, row.doi, row.pmcid, row.attribution];
  const more = [row.source_file, row.duplicate_group, row.status, row.article_type, row.value];
  return [row.caption, ...about, ...more, ...context];
}

KEYS.p = () => byId("boxes").click();
KEYS.o = () => document.activeElement.closest("article")?.querySelector(".figure a")?.click();
byId("boxes").addEventListener("change", (event) => document.body.classList.toggle("no-boxes", !event.target.checked));
start();
