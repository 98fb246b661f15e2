// What the page shows, and which statements a filter leaves.

const data = JSON.parse(document.getElementById("data").textContent);
const { things, statements, predicates, verdicts, documents, sentences, reasons, single_valued, reviews } = data;
const total = statements.iri.length;

// As a text is searched: without capitals and accents.
const bare = { ł: "l", ø: "o", đ: "d", ı: "i", ß: "ss", æ: "ae", œ: "oe" };
const lower = (text) => (/^[ -~\s]*$/.test(text) ? text.toLowerCase()
  : text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[łøđıßæœ]/g, (sign) => bare[sign]));
const names = things.name.map((name, number) => lower([name, ...things.others[number], things.item[number]].join("\n")));
const labels = predicates.map(([label, iri]) => lower(`${label}\n${iri}`));
const texts = sentences.map(lower);
const files = documents.map(lower);

// The statements of each thing, made when they are first asked for.
let ofThing = null;
function statementsOf(thing) {
  if (!ofThing) {
    ofThing = things.name.map(() => []);
    for (let number = 0; number < total; number++) {
      ofThing[statements.subject[number]].push(number);
      if (statements.object[number] !== statements.subject[number]) ofThing[statements.object[number]].push(number);
    }
  }
  return ofThing[thing];
}

// Every word has to be in one of the texts of a statement. Each text is searched once, however many statements have it.
function searched(query) {
  const tests = lower(query).split(/\s+/).filter(Boolean).map((word) => {
    const [inNames, inLabels, inTexts, inFiles] = [names, labels, texts, files].map((all) =>
      Uint8Array.from(all, (text) => (text.includes(word) ? 1 : 0)));
    return (number) => inNames[statements.subject[number]] || inNames[statements.object[number]]
      || inLabels[statements.predicate[number]] || inFiles[statements.document[number]]
      || inTexts[statements.sentence[number]] || inTexts[statements.object_sentence[number]];
  });
  return (number) => tests.every((test) => test(number));
}

const shown = Float64Array.from(statements.confidence, (confidence) => Number(confidence.toFixed(2)));

const uncertainty = (number) => Math.abs(statements.confidence[number] - 0.5);
const orders = {
  uncertain: (a, b) => uncertainty(a) - uncertainty(b) || a - b,
  certain: (a, b) => statements.confidence[b] - statements.confidence[a] || a - b,
};

// What a person rejected, or replaced by something else, does not hold any more.
const holds = (number) => !["rejected", "corrected"].includes(statements.decision[number]);

// The numbers of the statements that a filter leaves; -1 stands for all predicates, verdicts or documents.
function filtered({ query, predicate, verdict, document, decision, lowest, highest, order }) {
  const found = [], fits = searched(query);
  for (let number = 0; number < total; number++) {
    const confidence = shown[number];
    if (confidence >= lowest && confidence <= highest
      && (predicate < 0 || statements.predicate[number] === predicate)
      && (verdict < 0 || statements.verdict[number] === verdict)
      && (document < 0 || statements.document[number] === document)
      && (decision === "all" || statements.decision[number] === decision)
      && fits(number)) found.push(number);
  }
  return orders[order] ? found.sort(orders[order]) : found;
}

// How often each number occurs in a column.
function counts(column, length) {
  const found = new Array(length).fill(0);
  for (const number of column) found[number]++;
  return found;
}
