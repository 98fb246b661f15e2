// The summary: bars as SVG, with a table for who cannot see them.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// As much of a text as has room left of the bars, whatever its script.
const ROOM = 190;
const pen = document.createElement("canvas").getContext("2d");
function fitting(text) {
  pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  const whole = inOrder(text), signs = Array.from(whole.slice(0, 200));
  if (whole.length <= 200 && pen.measureText(whole).width <= ROOM) return whole;
  while (signs.length && pen.measureText(`${signs.join("")}…`).width > ROOM) signs.pop();
  return `${signs.join("")}…`;
}

// A row has a label, the length of its bar, and the words beside it if they say more than the length.
function chart(title, rows, most = Math.max(1, ...rows.map(([, count]) => count))) {
  const picture = drawn("svg", { viewBox: `0 0 640 ${rows.length * 22 + 4}`, role: "img", "aria-label": title });
  rows.forEach(([label, count, words = count.toLocaleString("en")], place) => {
    const y = place * 22, width = (340 * count) / most;
    picture.append(
      drawn("text", { x: 195, y: y + 15, "text-anchor": "end" }, fitting(label)),
      drawn("rect", { class: "bar", x: 204, y: y + 3, width: width.toFixed(1), height: 16, rx: 2 }),
      drawn("text", { x: 210 + width, y: y + 15 }, words));
  });
  const table = element("table", {}, element("tbody", {}, ...rows.map(([label, count, words = String(count)]) => element("tr", {},
    element("th", { scope: "row" }, label), element("td", {}, words)))));
  return [element("h3", {}, title), picture,
    element("details", {}, element("summary", {}, `${title} as a table`), table)];
}

function ranked(labels, numbers) {
  return labels.map((label, number) => [label, numbers[number]]).sort((a, b) => b[1] - a[1]).slice(0, 25);
}

const counted = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

const STEPS = 10;
const step = (number) => Math.min(STEPS - 1, Math.floor(statements.confidence[number] * STEPS + 1e-9));
const stepWords = (place) => `${(place / STEPS).toFixed(1)} to ${((place + 1) / STEPS).toFixed(1)}`;

// Verdicts of statements that could not be put into Wikidata's terms, or were not compared with it.
const UNDECIDED = new Set(["not checked", "unlinked", "unmapped"]);

// How many of the statements of each step of confidence were compared with Wikidata and are confirmed there.
function confirmations() {
  const compared = new Array(STEPS).fill(0), confirmed = new Array(STEPS).fill(0);
  for (let number = 0; number < total; number++) {
    const verdict = verdicts[statements.verdict[number]];
    if (UNDECIDED.has(verdict) || !holds(number)) continue;
    compared[step(number)]++;
    if (/^confirmed\b/.test(verdict)) confirmed[step(number)]++;
  }
  if (!compared.some(Boolean)) return [];
  const rows = compared.map((count, place) => [stepWords(place), count ? confirmed[place] / count : 0,
    count ? `${Math.round((100 * confirmed[place]) / count)} % (${confirmed[place].toLocaleString("en")} of ${count.toLocaleString("en")})` : "none"]);
  return [...chart("Confirmed by Wikidata, by confidence", rows, 1),
    element("p", { class: "soft" }, "Of the statements that could be compared with Wikidata, the share that it confirms. " +
      "If the scores are of use here, it rises with the confidence. It is no share of what is right: Wikidata lacks much " +
      "that is true, so a statement that is not confirmed need not be false. Steps with few statements say little.")];
}

function showSummary() {
  const steps = new Array(STEPS).fill(0);
  const holding = [];
  for (let number = 0; number < total; number++) {
    if (!holds(number)) continue;
    holding.push(number);
    steps[step(number)]++;
  }
  const column = (name) => holding.map((number) => statements[name][number]);
  byId("summary").replaceChildren(
    element("h2", {}, [counted(total, "statement", "statements"), counted(things.name.length, "entity or value", "entities and values"),
      counted(documents.length, "document", "documents")].join(", ")),
    holding.length < total ? element("p", {}, `${counted(total - holding.length, "statement", "statements")} of these were rejected or corrected, and are not counted below.`) : "",
    ...chart("Verdicts", ranked(verdicts, counts(column("verdict"), verdicts.length))),
    ...chart("Predicates", ranked(predicates.map(([label]) => label), counts(column("predicate"), predicates.length))),
    ...chart("Confidence", steps.map((count, place) => [stepWords(place), count])),
    ...confirmations(),
  );
}
