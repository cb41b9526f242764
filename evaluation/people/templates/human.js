"use strict";
// The page's script. Everything shown is set as text, never as HTML: it comes from strangers' articles and from models.

const { packet, criteria, items } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const STORE = `ldrt-human-${packet}`;
const CANNOT = "cannot_judge";
let state = { rater: "", ratings: {}, at: 0 }; // ratings: number of the item -> 0 … 10 or CANNOT
let typed = ""; // the digit before, of this item: a 0 after a 1 makes it a 10

// ---- what is kept in this browser

function save() {
  try {
    localStorage.setItem(STORE, JSON.stringify(state));
  } catch {
    say("This browser does not keep your ratings: download them before you close the page.");
  }
}

function restore() {
  try {
    state = { ...state, ...JSON.parse(localStorage.getItem(STORE)) };
  } catch {
    say("What this browser kept of your ratings cannot be read.");
  }
}

function say(text) {
  byId("said").textContent = text;
  byId("said").hidden = !text;
}

// ---- one item

function show() {
  const item = items[state.at];
  for (const name of ["question", "answer", "reference", "caption", "source"]) byId(name).textContent = item[name];
  byId("criteria").textContent = criteria[item.task];
  byId("answer").classList.toggle("none", !item.answer);
  if (!item.answer) byId("answer").textContent = "(an empty answer)";
  if (!item.caption) byId("caption").textContent = "(none)";
  const sentences = item.context.length ? item.context : ["(nothing)"];
  byId("context").replaceChildren(...sentences.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  const picture = item.picture === null ? null : byId(`picture-${item.picture}`).textContent;
  byId("picture").src = picture === null ? "" : `data:image/jpeg;base64,${picture}`;
  byId("picture").hidden = picture === null;
  byId("no-picture").hidden = picture !== null;
  byId("place").textContent = `Answer ${state.at + 1} of ${items.length}`;
  byId("back").disabled = state.at === 0;
  byId("next").disabled = state.at === items.length - 1;
  mark();
}

/** Draw the rating of the item and how many are rated. */
function mark() {
  const rating = state.ratings[items[state.at].item];
  for (const button of byId("scores").children)
    button.setAttribute("aria-pressed", button.textContent === String(rating));
  byId("cannot").setAttribute("aria-pressed", rating === CANNOT);
  const n = items.filter(isRated).length;
  byId("bar").max = items.length;
  byId("bar").value = n;
  byId("count").textContent = `${n} rated`;
  byId("open").disabled = n === items.length;
}

const isRated = ({ item }) => item in state.ratings;

function rate(rating) {
  typed = "";
  state.ratings[items[state.at].item] = rating;
  save();
  mark();
  say(items.every(isRated) ? "All answers are rated. Thank you! Now download your ratings." : "");
}

function go(to) {
  typed = "";
  if (to < 0 || to >= items.length) return;
  state.at = to;
  byId("guide").open = false; // it has been read, and would push the picture down
  save();
  show();
  scrollTo(0, 0);
}

/** The next item without a rating, from here on and then from the start. */
function goToOpen() {
  const order = items.map((_, i) => (state.at + 1 + i) % items.length);
  const found = order.find((i) => !isRated(items[i]));
  if (found !== undefined) go(found);
}

// ---- the file

function download() {
  if (!state.rater.trim()) {
    say("Please give your name or initials first.");
    byId("rater").focus();
    return;
  }
  const lines = items.filter(isRated).map(({ item }) => {
    const rating = state.ratings[item];
    const given = rating === CANNOT ? { score: null, status: CANNOT } : { score: rating, status: "ok" };
    return JSON.stringify({ packet, item, rater: state.rater.trim(), ...given }) + "\n";
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
  link.download = `ratings-${state.rater.trim().replace(/[^\p{L}\p{N}]+/gu, "-")}.jsonl`;
  link.click();
  say(`${lines.length} of ${items.length} ratings are in ${link.download}.`);
}

async function upload(file) {
  const known = new Set(items.map(({ item }) => item));
  let n = 0;
  for (const line of (await file.text()).split("\n")) {
    const rating = parse(line);
    if (rating?.packet !== packet || !known.has(rating.item) || !isRating(rating)) continue;
    state.ratings[rating.item] = rating.status === CANNOT ? CANNOT : rating.score;
    state.rater ||= String(rating.rater);
    n += 1;
  }
  byId("rater").value = state.rater;
  save();
  mark();
  say(n ? `${n} ratings read from ${file.name}.` : `${file.name} has no ratings of this page.`);
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

const isScore = (score) => Number.isInteger(score) && score >= 0 && score <= 10;
const isRating = ({ score, status }) => status === CANNOT || (status === "ok" && isScore(score));

function startAnew() {
  if (!confirm("Delete all ratings that this browser keeps for this page?")) return;
  state = { rater: "", ratings: {}, at: 0 };
  byId("rater").value = "";
  say("");
  go(0);
}

// ---- keys

const KEYS = {
  x: () => rate(10),
  c: () => rate(CANNOT),
  n: goToOpen,
  h: () => byId("help").toggleAttribute("open"),
  g: () => byId("guide").toggleAttribute("open") && scrollTo(0, 0),
  z: () => byId("main").classList.toggle("large"),
  ArrowLeft: () => go(state.at - 1),
  ArrowRight: () => go(state.at + 1),
  Enter: () => go(state.at + 1),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  if (event.key === "Enter" && event.target.matches("button, summary")) return;
  if (/^[0-9]$/.test(event.key)) {
    const ten = event.key === "0" && typed === "1";
    rate(ten ? 10 : Number(event.key));
    typed = event.key;
  } else if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

// ---- start

for (let score = 0; score <= 10; score += 1) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: score });
  button.addEventListener("click", () => rate(score));
  byId("scores").append(button);
}
byId("scores").addEventListener("mousedown", (event) => event.preventDefault()); // Enter goes on after a click, too
byId("cannot").addEventListener("click", () => rate(CANNOT));
byId("back").addEventListener("click", () => go(state.at - 1));
byId("next").addEventListener("click", () => go(state.at + 1));
byId("open").addEventListener("click", goToOpen);
byId("picture").addEventListener("click", KEYS.z);
byId("download").addEventListener("click", download);
byId("anew").addEventListener("click", startAnew);
byId("file").addEventListener("change", (event) => event.target.files.length && upload(event.target.files[0]));
byId("rater").addEventListener("input", (event) => {
  state.rater = event.target.value;
  save();
});
document.addEventListener("keydown", onKey);

restore();
byId("rater").value = state.rater;
byId("guide").open = !Object.keys(state.ratings).length;
show();
