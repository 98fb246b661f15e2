// What is reviewed: facts. Statements that say the same of the same things are the readings of one fact.

// What the graph has decisions about is not asked again, unless a person wants to decide otherwise. What somebody put in the
// place of a statement goes with the decision about that one.
const reviewed = new Set(statements.decision.map((decision, number) => (decision ? number : -1)));
const inPlace = new Set(reviews.map(([number, what]) => (what === "put in its place" ? number : -1)));

function makeFacts(isAgain) {
  const found = new Map();
  for (let number = 0; number < total; number++) {
    if (isAgain ? inPlace.has(number) : reviewed.has(number)) continue;
    const key = `${statements.subject[number]} ${statements.predicate[number]} ${statements.object[number]}`;
    if (found.has(key)) found.get(key).readings.push(number);
    else found.set(key, { readings: [number] });
  }
  const all = [...found.values()];
  const ends = new Map(); // how many objects a subject has by a predicate that takes one
  for (const fact of all) {
    fact.readings.sort(orders.certain);
    fact.best = fact.readings[0];
    fact.documents = new Set(fact.readings.map((number) => statements.document[number])).size;
    fact.key = `${statements.subject[fact.best]} ${statements.predicate[fact.best]}`;
    ends.set(fact.key, (ends.get(fact.key) ?? 0) + 1);
  }
  for (const fact of all) {
    const words = fact.readings.map((number) => verdicts[statements.verdict[number]]);
    const clashes = single_valued[statements.predicate[fact.best]] && ends.get(fact.key) > 1;
    fact.contradicts = clashes || words.some((verdict) => verdict.endsWith("conflict"));
    fact.isNew = words.includes("new");
  }
  return all;
}

// The most valuable first: what contradicts another fact or Wikidata, then what Wikidata lacks, then what most documents
// say. Of equals the most uncertain come first.
const uncertainFirst = (a, b) => uncertainty(a.best) - uncertainty(b.best) || a.best - b.best;
const factOrders = {
  graph: (a, b) => a.best - b.best,
  uncertain: uncertainFirst,
  valuable: (a, b) => b.contradicts - a.contradicts || b.isNew - a.isNew || b.documents - a.documents || uncertainFirst(a, b),
};

// Why a person should look at it, in words.
function factWorth(fact) {
  return [
    fact.contradicts ? "contradicts another fact" : "",
    fact.isNew ? "not in Wikidata" : "",
    fact.documents > 1 ? `read in ${fact.documents} documents` : "",
  ].filter(Boolean).join(" · ");
}
