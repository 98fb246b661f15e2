// The view in which a person decides about one fact after the other, by keys or by buttons.

const desk = { facts: null, queue: [], at: 0, reading: 0, choices: new Map(), labels: new Set(), newLabel: "" };
const DONE = { accepted: "Accepted", rejected: "Rejected", corrected: "Corrected" };

const decisionOf = (number) => review.of.get(statements.iri[number]);
const isOpen = (fact) => fact.readings.some((number) => !decisionOf(number));
const current = () => desk.queue[desk.at];
const factWords = (fact) => statementWords(fact.best);

function say(text) {
  byId("review-said").textContent = text;
}

function showSaved() {
  const saved = byId("review-saved");
  saved.textContent = !review.database ? "This browser keeps nothing: export before you close the page."
    : review.fault ? `Not saved (${review.fault}): export before you close the page.`
      : review.waiting ? "saving …" : "saved in this browser";
  saved.classList.toggle("fault", !review.database || Boolean(review.fault));
}

function showProgress() {
  const decided = desk.facts.filter((fact) => !isOpen(fact)).length;
  byId("review-progress").max = desk.facts.length || 1;
  byId("review-progress").value = decided;
  byId("review-count").textContent = `${decided.toLocaleString("en")} of ${desk.facts.length.toLocaleString("en")} decided`;
}

// A decision in words, of this review or of one that the graph has.
function decisionWords(number) {
  const entry = decisionOf(number);
  if (entry) return `${DONE[entry.decision]}${correctionWords(entry)}${entry.note ? ` – ${entry.note}` : ""}`;
  return reviews.filter(([of]) => of === number)
    .map(([, decision, who, when, note]) => `${decision} by ${who}, ${when.slice(0, 10)}${note ? ` – ${note}` : ""}`).join("; ");
}

function correctionWords({ correction }) {
  if (!correction) return "";
  const end = (name) => {
    const { iri, name: typed, value } = correction[name] ?? {};
    const thing = iri === undefined ? -1 : things.iri.indexOf(iri);
    return typed ?? value ?? (thing < 0 ? iri : thingName(thing));
  };
  return ` to ${[["subject", end("subject")], ["label", correction.label], ["object", end("object")]]
    .filter(([, text]) => text).map(([name, text]) => `${name} “${text}”`).join(", ")}`;
}

function showCard() {
  const fact = current();
  byId("review-buttons").hidden = !fact;
  if (!fact) {
    byId("card").replaceChildren(element("p", {}, "There is nothing to decide: the graph has decisions about all statements."));
    return;
  }
  desk.reading = Math.min(desk.reading, fact.readings.length - 1);
  const several = fact.readings.length > 1;
  const readings = element("ol", { class: "readings" }, ...fact.readings.slice(0, MOST).map((number, place) => element("li", {
    "aria-current": several && place === desk.reading ? "true" : null,
    click: () => { if (place !== desk.reading) { desk.reading = place; showCard(); } },
  },
  ...evidence(number),
  element("div", { class: "soft" }, `${percent(number)} · ${documents[statements.document[number]]} · `, verdictWords(number)),
  decisionWords(number) ? element("div", { class: `decision ${decisionOf(number)?.decision ?? ""}` }, decisionWords(number)) : null)));
  byId("card").replaceChildren(
    element("p", { class: "soft" }, `Fact ${desk.at + 1} of ${desk.queue.length}${factWorth(fact) ? ` · ${factWorth(fact)}` : ""}`),
    element("h2", { id: "card-title" }, element("span", {}, thingName(statements.subject[fact.best])), " — ",
      element("strong", {}, predicates[statements.predicate[fact.best]][0]), " — ", element("span", {}, thingName(statements.object[fact.best]))),
    several ? element("p", { class: "soft" }, `${fact.readings.length} readings`) : "",
    readings,
  );
  byId("reject-reading").hidden = !several;
  byId("card").scrollTop = 0;
  readings.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  byId("note").value = "";
}

// The next fact that is still open, or the same if all are decided.
function advance() {
  for (let step = 1; step <= desk.queue.length; step++) {
    const at = (desk.at + step) % desk.queue.length;
    if (isOpen(desk.queue[at])) return goTo(at);
  }
  showCard();
  say(`${byId("review-said").textContent} All facts are decided: export the review.`);
  return undefined;
}

function goTo(at) {
  desk.at = Math.max(0, Math.min(desk.queue.length - 1, at));
  desk.reading = 0;
  showCard();
}

// A decision is about the readings that are open; about all of a fact that is decided already.
function decideFact(decision, more = {}) {
  const fact = current();
  if (!fact) return;
  const open = fact.readings.filter((number) => !decisionOf(number));
  made(fact, open.length ? open : fact.readings, decision, more);
  advance();
}

function rejectReading() {
  const fact = current();
  if (!fact || fact.readings.length < 2) return;
  made(fact, [fact.readings[desk.reading]], "rejected", {}, "this reading of ");
  if (isOpen(fact)) {
    desk.reading = Math.max(0, fact.readings.findIndex((number) => !decisionOf(number)));
    showCard();
  } else advance();
}

function made(fact, numbers, decision, more, what = "") {
  const note = byId("note").value.trim();
  decide(numbers, decision, note ? { ...more, note } : more);
  showProgress();
  say(`${DONE[decision]} ${what}${factWords(fact)}. ${byId("review-count").textContent}.`);
}

function goBack(entry, verb) {
  if (!entry) return say(`There is nothing to ${verb}.`);
  const at = desk.queue.findIndex((fact) => fact.readings.some((number) => entry.statements.includes(statements.iri[number])));
  showProgress();
  if (at >= 0) goTo(at);
  else showCard();
  return say(`${verb === "undo" ? "Undone" : "Done again"}: ${entry.decision} ${at < 0 ? "" : factWords(desk.queue[at])}. ${byId("review-count").textContent}.`);
}

function exportReview() {
  if (!review.reviewer) {
    say("Enter your name before you export: the graph will say who decided.");
    byId("reviewer").focus();
    return;
  }
  const file = new Blob([JSON.stringify(exported(), null, 1)], { type: "application/json" });
  const name = `${data.title}.${review.reviewer}.review.json`.replace(/[^\p{L}\p{N}._-]+/gu, "-");
  const url = URL.createObjectURL(file);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  say(`Exported ${counted(review.log.length, "decision", "decisions")} to ${name}. kgmrca apply-review writes them into the graph.`);
}

async function importReview() {
  const [file] = byId("import").files;
  if (!file) return;
  const words = imported(await file.text());
  byId("import").value = "";
  byId("reviewer").value = review.reviewer;
  showProgress();
  showCard();
  if (current() && !isOpen(current())) advance();
  say(words);
}

// What a person types is an entity of the graph if it has such a name; a few that fit are offered.
function offer(id) {
  const query = lower(byId(id).value);
  const found = [];
  for (let thing = 0; thing < things.name.length && found.length < 20; thing++) {
    if (names[thing].includes(query)) found.push(thing);
  }
  byId(`${id}-choices`).replaceChildren(...found.map((thing) => {
    const name = thingName(thing), other = desk.choices.get(name);
    const value = other === undefined || other === thing ? name : `${name} (${things.item[thing] || things.iri[thing] || things.type[thing]})`;
    desk.choices.set(value, thing);
    return element("option", { value }, [things.type[thing], things.item[thing]].filter(Boolean).join(" · "));
  }));
}

function openCorrection() {
  const fact = current();
  if (!fact) return;
  desk.choices = new Map();
  byId("correct-what").textContent = factWords(fact);
  for (const [id, thing] of [["new-subject", statements.subject[fact.best]], ["new-object", statements.object[fact.best]]]) {
    desk.choices.set(thingName(thing), thing);
    byId(id).value = thingName(thing);
  }
  byId("new-label").value = predicates[statements.predicate[fact.best]][0];
  byId("new-note").value = byId("note").value;
  byId("correct-fault").textContent = "";
  desk.newLabel = "";
  byId("correct").showModal();
  byId("new-label").select();
}

function end(id, thing) {
  const text = byId(id).value.trim(), chosen = desk.choices.get(text);
  if (chosen === thing) return null;
  if (chosen !== undefined && things.iri[chosen]) return { iri: things.iri[chosen] };
  const isValue = chosen !== undefined || (id === "new-object" && !things.iri[thing]);
  return isValue ? { value: text } : { name: text };
}

function correctFact(event) {
  event.preventDefault();
  const fact = current();
  const label = byId("new-label").value.trim().replace(/\s+/g, " ");
  const subject = end("new-subject", statements.subject[fact.best]), object = end("new-object", statements.object[fact.best]);
  const correction = {
    ...(label !== predicates[statements.predicate[fact.best]][0] ? { label } : {}),
    ...(subject ? { subject } : {}), ...(object ? { object } : {}),
  };
  const fault = !label || !byId("new-subject").value.trim() || !byId("new-object").value.trim() ? "Fill in all three."
    : subject?.value ? "The subject is an entity, and no value." : !Object.keys(correction).length ? "Nothing is changed: accept the fact instead." : "";
  // Likely a slip of the keys, which would become a predicate; who means it says so twice.
  const isNew = !fault && !desk.labels.has(label) && desk.newLabel !== label;
  if (isNew) desk.newLabel = label;
  byId("correct-fault").textContent = isNew ? `“${label}” is no label that is known here. To make it one, press Correct again.` : fault;
  if (fault || isNew) return;
  byId("note").value = byId("new-note").value;
  byId("correct").close();
  decideFact("corrected", { correction });
  byId("card").focus();
}

function swapEnds() {
  [byId("new-subject").value, byId("new-object").value] = [byId("new-object").value, byId("new-subject").value];
}

const acts = {
  accept: () => decideFact("accepted"), reject: () => decideFact("rejected"), "reject-reading": rejectReading,
  correct: openCorrection, undo: () => goBack(undo(), "undo"), redo: () => goBack(redo(), "redo"),
  next: () => goTo(desk.at + 1), previous: () => goTo(desk.at - 1), export: exportReview, help: () => byId("help").showModal(),
  import: () => byId("import").click(), note: () => byId("note").focus(), swap: swapEnds, cancel: () => byId("correct").close(),
  "close-help": () => byId("help").close(),
  "next-reading": () => readingBy(1), "previous-reading": () => readingBy(-1),
};
const reviewKeys = {
  a: "accept", r: "reject", x: "reject-reading", c: "correct", u: "undo", y: "redo", n: "note", e: "export",
  j: "next", ArrowRight: "next", k: "previous", ArrowLeft: "previous", ArrowDown: "next-reading", ArrowUp: "previous-reading",
};

function readingBy(step) {
  const fact = current();
  if (!fact || fact.readings.length < 2) return;
  desk.reading = Math.max(0, Math.min(fact.readings.length - 1, desk.reading + step));
  showCard();
  say(`Reading ${desk.reading + 1} of ${fact.readings.length}.`);
}

function queueUp() {
  desk.queue = [...desk.facts].sort(factOrders[byId("review-order").value]);
  desk.at = desk.queue.length - 1; // such that the next one is the first
  if (desk.facts.some(isOpen)) advance();
  else goTo(0);
}

async function showReview() {
  if (!desk.facts) {
    desk.facts = makeFacts(false);
    byId("review-again").parentElement.hidden = statements.decision.every((decision) => !decision);
    try {
      await openLog();
    } catch (error) {
      review.fault = String(error?.message ?? error);
    }
    review.ready = true;
    byId("reviewer").value = review.reviewer;
    showSaved();
    showProgress();
    queueUp();
    sayKept();
  }
  byId(review.reviewer ? "card" : "reviewer").focus();
}

function sayKept() {
  if (review.log.length) say(`${counted(review.log.length, "decision was", "decisions were")} kept. ${byId("review-count").textContent}.`);
}

// Another name is another person, or the same who writes it otherwise.
function renamed() {
  const before = review.reviewer, name = cleanName(byId("reviewer").value) || before;
  byId("reviewer").value = name;
  if (name === before) return;
  const isSamePerson = !before || (review.log.length && confirm(`${counted(review.log.length, "decision was", "decisions were")} made as “${before}”. `
    + `Press OK if you are the same person. Press Cancel if “${name}” is somebody else, whose review is a separate one.`));
  setReviewer(name, isSamePerson);
  showProgress();
  queueUp();
  sayKept();
}

desk.labels = new Set([...predicates.map(([label]) => label), ...data.labels]);
byId("labels").append(...[...desk.labels].sort().map((value) => element("option", { value })));
for (const id of ["new-subject", "new-object"]) byId(id).addEventListener("input", () => offer(id));
byId("review-order").addEventListener("change", queueUp);
byId("review-again").addEventListener("change", () => {
  desk.facts = makeFacts(byId("review-again").checked);
  showProgress();
  queueUp();
});
byId("reviewer").addEventListener("change", renamed);
byId("import").addEventListener("change", importReview);
byId("correction").addEventListener("submit", correctFact);
byId("review-settings").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["note", "reviewer"]) {
  byId(id).addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape") byId("card").focus();
  });
}
for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const act = event.key === "?" ? "help" : byId("review").hidden || !review.ready ? null : reviewKeys[event.key];
  if (!act) return;
  event.preventDefault();
  acts[act]();
});
