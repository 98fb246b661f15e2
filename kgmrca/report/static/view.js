// The list of statements and the details of one.

const thingName = (thing) => inOrder(things.name[thing]) || "(no name)";
const thingLink = (thing) => element("button", { type: "button", class: "link", click: () => showThing(thing) }, thingName(thing));
const percent = (number) => statements.confidence[number].toFixed(2);

const HEIGHT = 48;
const list = { shown: [], at: 0 };

function statementWords(number) {
  const label = inOrder(predicates[statements.predicate[number]][0]);
  return `${thingName(statements.subject[number])} — ${label} — ${thingName(statements.object[number])}`;
}

// Only the rows that can be seen are in the page.
function drawRows() {
  const box = byId("list"), rows = byId("rows");
  const first = Math.max(0, Math.floor(box.scrollTop / HEIGHT) - 4);
  const last = Math.min(list.shown.length, Math.ceil((box.scrollTop + box.clientHeight) / HEIGHT) + 4);
  rows.style.height = `${list.shown.length * HEIGHT}px`;
  const made = [];
  for (let place = first; place < last; place++) {
    const number = list.shown[place];
    const row = element("div", {
      class: "row", role: "option", id: `row-${place}`, "aria-selected": String(place === list.at),
      "aria-setsize": list.shown.length, "aria-posinset": place + 1, click: () => clicked(place),
    },
    element("div", {}, statementWords(number)),
    element("div", { class: "what" },
      [percent(number), statements.decision[number], verdicts[statements.verdict[number]], documents[statements.document[number]]]
        .filter(Boolean).join(" · ")));
    if (!holds(number)) row.classList.add("withdrawn");
    row.style.top = `${place * HEIGHT}px`;
    made.push(row);
  }
  rows.replaceChildren(...made);
  if (byId(`row-${list.at}`)) box.setAttribute("aria-activedescendant", `row-${list.at}`);
  else box.removeAttribute("aria-activedescendant");
}

function showList(found) {
  list.shown = found;
  list.at = 0;
  byId("list").scrollTop = 0;
  byId("count").textContent = `${found.length.toLocaleString("en")} of ${total.toLocaleString("en")} statements`;
  drawRows();
  if (found.length) showStatement(found[0]);
  else byId("details").replaceChildren(element("p", {}, "No statement is as the filters ask."));
}

function choose(place) {
  if (!list.shown.length) return;
  list.at = Math.max(0, Math.min(list.shown.length - 1, place));
  const box = byId("list"), top = list.at * HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + HEIGHT - box.clientHeight;
  drawRows();
  showStatement(list.shown[list.at]);
}

// On a narrow screen the details are below the list, where nobody would look for them.
function clicked(place) {
  choose(place);
  if (matchMedia("(max-width: 760px)").matches) byId("details").scrollIntoView();
}

// A sentence with its mentions marked. Places count code points.
function marked(text, start, mentions) {
  const signs = Array.from(text);
  const quote = element("blockquote");
  let done = 0;
  for (const [from, to, role] of mentions.map(([a, b, kind]) => [a - start, b - start, kind]).sort((a, b) => a[0] - b[0])) {
    if (from < done || to > signs.length) continue;
    quote.append(inOrder(signs.slice(done, from).join("")), element("mark", { class: role, title: role }, signs.slice(from, to).join("")));
    done = to;
  }
  quote.append(inOrder(signs.slice(done).join("")));
  return quote;
}

function evidence(number) {
  const mentions = [
    [statements.subject_start[number], statements.subject_end[number], "subject"],
    [statements.object_start[number], statements.object_end[number], "object"],
  ];
  const quotes = ["sentence", "object_sentence"].filter((name) => statements[name][number] >= 0).map((name) =>
    marked(sentences[statements[name][number]], statements[`${name}_start`][number], mentions));
  if (quotes.length) return quotes;
  const places = mentions.map(([start, end]) => `${start}–${end}`).join(" and ");
  return [element("p", { class: "soft" }, `Characters ${places} of the document. The graph has no sentences: convert with --sentence-text.`)];
}

function verdictWords(number) {
  const [reason, basis] = reasons[statements.reason[number]];
  return element("span", {}, verdicts[statements.verdict[number]], reason ? ` – ${reason} ` : "",
    basis ? link(basis, "Wikidata's statement") : null);
}

function showStatement(number) {
  const [label, iri] = predicates[statements.predicate[number]];
  byId("details").replaceChildren(
    element("h2", {}, statementWords(number)),
    ...evidence(number),
    element("dl", {},
      element("dt", {}, "Subject"), element("dd", {}, thingLink(statements.subject[number])),
      element("dt", {}, "Predicate"), element("dd", {}, label, " ", link(iri, iri.split("/").pop())),
      element("dt", {}, "Object"), element("dd", {}, thingLink(statements.object[number])),
      element("dt", {}, "Confidence"), element("dd", {}, percent(number)),
      element("dt", {}, "Verdict"), element("dd", {}, verdictWords(number)),
      element("dt", {}, "Document"), element("dd", {}, documents[statements.document[number]]),
      ...(decisionWords(number) ? [element("dt", {}, "Decision"), element("dd", {}, decisionWords(number))] : [])),
  );
  byId("details").scrollTop = 0;
}

// The sentences of a document by their starts, as far as statements were read in them.
function sentenceAt(document, start, around) {
  for (const number of around) {
    if (statements.document[number] !== document) continue;
    for (const name of ["sentence", "object_sentence"]) {
      const from = statements[`${name}_start`][number], text = sentences[statements[name][number]];
      if (text !== undefined && from <= start && start < from + text.length) return [text, from];
    }
  }
  return null;
}

const MOST = 200; // mentions or statements of a page

function showThing(thing) {
  const own = statementsOf(thing), item = things.item[thing], mentions = things.mentions[thing];
  const places = element("ul", { class: "facts" });
  for (let at = 0; at < mentions.length && at < 3 * MOST; at += 3) {
    const [document, start, end] = mentions.slice(at, at + 3);
    const sentence = sentenceAt(document, start, own);
    places.append(element("li", {}, `${documents[document]}, characters ${start}–${end}`,
      sentence ? marked(sentence[0], sentence[1], [[start, end, "subject"]]) : null));
  }
  const facts = element("ul", { class: "facts" }, ...own.slice(0, MOST).map((number) => element("li", {},
    thingLink(statements.subject[number]), ` — ${predicates[statements.predicate[number]][0]} — `, thingLink(statements.object[number]),
    element("div", { class: "soft" }, `${percent(number)} · ${documents[statements.document[number]]} · `, verdictWords(number)),
    ...evidence(number))));
  const more = own.length > MOST ? element("p", {}, `The first ${MOST} of ${own.length} statements.`) : null;
  byId("details").replaceChildren(...[
    element("h2", {}, thingName(thing)),
    element("dl", {}, element("dt", {}, "Type"), element("dd", {}, things.type[thing] || "unknown"),
      ...(things.others[thing].length
        ? [element("dt", {}, "Other names"), element("dd", {}, things.others[thing].join(" · "))] : []),
      ...(item ? [element("dt", {}, "Wikidata"), element("dd", {}, link(`https://www.wikidata.org/wiki/${item}`, item))] : [])),
    element("h3", {}, `Statements (${own.length})`), facts, more,
    mentions.length ? element("h3", {}, `Mentions (${mentions.length / 3})`) : null, mentions.length ? places : null,
  ].filter(Boolean));
  byId("details").scrollTop = 0;
  byId("details").focus();
}
