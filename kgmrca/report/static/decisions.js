// What a person decided: a log, in which each decision is kept by the browser as soon as it is made, and which can be
// undone, exported and imported. The form of a file is that of ontologies/review.schema.json.

const numberOf = new Map(statements.iri.map((iri, number) => [iri, number]));
// `others` has the decisions of other persons who decided in this browser.
const review = { log: [], others: [], undone: [], of: new Map(), reviewer: "", waiting: 0, fault: "", database: null, ready: false };

// The entry of the log that decides about a statement is the last one that names it.
function replay() {
  review.of = new Map();
  for (const entry of review.log) for (const iri of entry.statements) review.of.set(iri, entry);
}

const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

async function openLog() {
  const request = indexedDB.open(`kgmrca review ${data.digest}`, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("log");
    request.result.createObjectStore("settings");
  };
  review.database = await asked(request);
  const stores = review.database.transaction(["log", "settings"]);
  const [log, reviewer] = await Promise.all([
    asked(stores.objectStore("log").getAll()), asked(stores.objectStore("settings").get("reviewer"))]);
  review.reviewer = reviewer ?? "";
  review.log = log.filter((entry) => entry.reviewer === review.reviewer);
  review.others = log.filter((entry) => entry.reviewer !== review.reviewer);
  replay();
}

// Waits until it is on the disk: what is called saved outlives a killed browser.
function keep(store, change) {
  if (!review.database) return;
  review.waiting++;
  const ended = (fault) => { review.waiting--; review.fault = fault; showSaved(); };
  try {
    const transaction = review.database.transaction(store, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => ended("");
    transaction.onabort = () => ended(String(transaction.error?.message ?? "the browser refused"));
    change(transaction.objectStore(store));
  } catch (error) {
    ended(String(error.message));
  }
  showSaved();
}

let lastKey = 0;
function append(entry) {
  lastKey = Math.max(lastKey + 1, Date.now() * 1000, ([...review.log, ...review.others].reduce((last, { key }) => Math.max(last, key), 0)) + 1);
  const kept = { ...entry, reviewer: review.reviewer, key: lastKey };
  review.log.push(kept);
  for (const iri of kept.statements) review.of.set(iri, kept);
  keep("log", (log) => log.put(kept, kept.key));
}

function decide(numbers, decision, more = {}) {
  review.undone = [];
  append({ statements: numbers.map((number) => statements.iri[number]), decision, time: new Date().toISOString(), ...more });
}

function undo() {
  const entry = review.log.pop();
  if (!entry) return null;
  review.undone.push(entry);
  replay();
  keep("log", (log) => log.delete(entry.key));
  return entry;
}

function redo() {
  const entry = review.undone.pop();
  if (entry) append(entry);
  return entry ?? null;
}

const cleanName = (name) => name.trim().replace(/\s+/g, " ");

// What was decided before stays with who decided it, unless the same person has another name now.
function setReviewer(name, isSamePerson) {
  review.reviewer = cleanName(name);
  if (isSamePerson) {
    review.log = review.log.map((entry) => ({ ...entry, reviewer: review.reviewer }));
    keep("log", (log) => review.log.forEach((entry) => log.put(entry, entry.key)));
  }
  const all = [...review.log, ...review.others].sort((a, b) => a.key - b.key);
  review.log = all.filter((entry) => entry.reviewer === review.reviewer);
  review.others = all.filter((entry) => entry.reviewer !== review.reviewer);
  review.undone = [];
  replay();
  keep("settings", (settings) => settings.put(review.reviewer, "reviewer"));
}

// Of each entry only the statements that it still decides about.
function exported() {
  const decisions = review.log.map((entry) => {
    const { key, reviewer, ...rest } = entry;
    return { ...rest, statements: entry.statements.filter((iri) => review.of.get(iri) === entry) };
  }).filter((entry) => entry.statements.length);
  return { format: "kgmrca review", version: 1, graph: data.digest, title: data.title, reviewer: review.reviewer,
    exported: new Date().toISOString(), decisions };
}

const isText = (value) => typeof value === "string";
const isDecision = (one) => Array.isArray(one?.statements) && one.statements.every(isText) && isText(one.time)
  && ["accepted", "rejected", "corrected"].includes(one.decision) && (one.note === undefined || isText(one.note))
  && (one.decision === "corrected") === (typeof one.correction === "object" && one.correction !== null);
const isHere = ({ correction }) => [correction?.subject?.iri, correction?.object?.iri].every((iri) => iri === undefined || things.iri.includes(iri));

// Takes what an exported file decides. Gives what happened, in words.
function imported(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    return "Nothing was imported: the file is no JSON.";
  }
  if (file?.format !== "kgmrca review" || file.version !== 1 || !Array.isArray(file.decisions) || !isText(file.reviewer) || !cleanName(file.reviewer)
    || !file.decisions.every(isDecision)) return "Nothing was imported: the file is no review that this page can read.";
  if (review.log.length && review.reviewer && review.reviewer !== file.reviewer) {
    return `Nothing was imported: the file is of ${file.reviewer}, and here decides ${review.reviewer}. kgmrca apply-review takes the files of both.`;
  }
  const known = file.decisions.map((one) => ({ ...one, statements: one.statements.filter((iri) => numberOf.has(iri)) }))
    .filter((one) => one.statements.length && isHere(one));
  if (!known.length) return "Nothing was imported: the file decides about none of these statements.";
  const same = (one) => JSON.stringify([one.time, one.decision, one.statements]);
  const had = new Set(review.log.map(same));
  const added = known.filter((one) => !had.has(same(one)));
  for (const { statements: iris, decision, time, note, correction } of added) {
    append({ statements: iris, decision, time, ...(note ? { note } : {}), ...(correction ? { correction } : {}) });
  }
  if (!review.reviewer) setReviewer(file.reviewer, true);
  return `Imported ${counted(added.length, "decision", "decisions")}${added.length < file.decisions.length ? ` of ${file.decisions.length}; the others were here already, or are about another graph` : ""}.`;
}
