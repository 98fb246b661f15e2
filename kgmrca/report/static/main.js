// Puts the parts of the page together, and answers keys.

byId("title").textContent = data.title;

function fill(id, labels, numbers) {
  const order = labels.map((_, number) => number).sort((a, b) => labels[a].localeCompare(labels[b]));
  byId(id).append(element("option", { value: -1 }, "all"),
    ...order.map((number) => element("option", { value: number }, `${labels[number]} (${numbers[number]})`)));
}
fill("predicate", predicates.map(([label]) => label), counts(statements.predicate, predicates.length));
fill("verdict", verdicts, counts(statements.verdict, verdicts.length));
fill("document", documents, counts(statements.document, documents.length));

const decided = new Map([["", "none"]]);
for (const decision of ["accepted", "rejected", "corrected", "disputed"]) {
  if (statements.decision.includes(decision)) decided.set(decision, decision);
}
byId("decision").append(element("option", { value: "all" }, "all"),
  ...[...decided].map(([value, words]) => element("option", { value }, words)));
byId("decision").parentElement.hidden = decided.size < 2;

const bound = (id, other) => (Number.isFinite(byId(id).valueAsNumber) ? byId(id).valueAsNumber : other);
function filter() {
  showList(filtered({
    query: byId("search").value,
    predicate: Number(byId("predicate").value), verdict: Number(byId("verdict").value),
    document: Number(byId("document").value), decision: byId("decision").value,
    lowest: bound("lowest", 0), highest: bound("highest", 1), order: byId("order").value,
  }));
}
for (const field of byId("filters").elements) field.addEventListener(field.tagName === "SELECT" ? "change" : "input", filter);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("list").addEventListener("scroll", () => requestAnimationFrame(drawRows));
addEventListener("resize", drawRows);

const onView = { summary: showSummary, graph: showNet, review: showReview };
function showView(view) {
  for (const button of byId("tabs").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
    byId(button.dataset.view).hidden = button.dataset.view !== view;
  }
  onView[view]?.();
}
byId("tabs").addEventListener("click", (event) => event.target.dataset.view && showView(event.target.dataset.view));

const moves = {
  j: () => 1, ArrowDown: () => 1, k: () => -1, ArrowUp: () => -1, Home: () => -total, End: () => total,
  PageDown: () => Math.floor(byId("list").clientHeight / HEIGHT), PageUp: () => -Math.floor(byId("list").clientHeight / HEIGHT),
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (byId("statements").hidden) return;
  const isLetter = event.key.length === 1;
  if (moves[event.key] && (isLetter || event.target === byId("list"))) choose(list.at + moves[event.key]());
  else if (event.key === "Enter" && event.target === byId("list")) byId("details").focus();
  else if (event.key === "Escape") byId("list").focus();
  else if (event.key === "/") byId("search").focus();
  else return;
  event.preventDefault();
});

filter();
