// The summary: bars as SVG, with a table for who cannot see them.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function chart(title, rows) {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const picture = drawn("svg", { viewBox: `0 0 640 ${rows.length * 22 + 4}`, role: "img", "aria-label": title });
  rows.forEach(([label, count], place) => {
    const y = place * 22, width = (340 * count) / most;
    const short = label.length > 28 ? `${label.slice(0, 27)}…` : label;
    picture.append(
      drawn("text", { x: 195, y: y + 15, "text-anchor": "end" }, short),
      drawn("rect", { class: "bar", x: 204, y: y + 3, width: width.toFixed(1), height: 16, rx: 2 }),
      drawn("text", { x: 210 + width, y: y + 15 }, count.toLocaleString("en")));
  });
  const table = element("table", {}, element("tbody", {}, ...rows.map(([label, count]) => element("tr", {},
    element("th", { scope: "row" }, label), element("td", {}, String(count))))));
  return [element("h3", {}, title), picture,
    element("details", {}, element("summary", {}, `${title} as a table`), table)];
}

function ranked(labels, numbers) {
  return labels.map((label, number) => [label, numbers[number]]).sort((a, b) => b[1] - a[1]).slice(0, 25);
}

function showSummary() {
  const steps = new Array(10).fill(0);
  for (const confidence of statements.confidence) steps[Math.min(9, Math.floor(confidence * 10))]++;
  byId("summary").replaceChildren(
    element("h2", {}, `${total.toLocaleString("en")} statements, ${things.name.length.toLocaleString("en")} entities and values, ${documents.length.toLocaleString("en")} documents`),
    ...chart("Verdicts", ranked(verdicts, counts(statements.verdict, verdicts.length))),
    ...chart("Predicates", ranked(predicates.map(([label]) => label), counts(statements.predicate, predicates.length))),
    ...chart("Confidence", steps.map((count, place) => [`${(place / 10).toFixed(1)} to ${((place + 1) / 10).toFixed(1)}`, count])),
  );
}
