// Asks the service for the relations of a text, and shows them. The service gives all relations down to a low score, so
// that another threshold needs no new request.

const settings = JSON.parse(byId("data").textContent);
const types = new Map(Object.entries(settings.types));

const EXAMPLES = {
  "Ada Lovelace": "Ada Lovelace, the daughter of the poet Lord Byron, was born in London in 1815. She married William King "
    + "in 1835, and he became Earl of Lovelace three years later. With Charles Babbage she wrote about the Analytical "
    + "Engine. Lovelace died in London on 27 November 1852.",
  "Marie Curie": "Marie Curie was born in Warsaw, the capital of Poland, on 7 November 1867. She studied at the University "
    + "of Paris and married the physicist Pierre Curie in 1895. In 1903 they received the Nobel Prize in Physics. Their "
    + "daughter Irène Joliot-Curie became a chemist.",
  "Spirited Away": "Spirited Away is a Japanese animated film that Hayao Miyazaki wrote and directed. Studio Ghibli made "
    + "the film, and Joe Hisaishi wrote the music. Miyazaki was born in Tokyo in 1941. He founded Studio Ghibli with Isao "
    + "Takahata in 1985.",
};
const TYPES = new Map(Object.entries({
  PER: "person", ORG: "organization", LOC: "place", TIME: "date or time", NUM: "number", MISC: "work, event or other name", TERM: "term",
}));
const PRONOUN = /^(s?he|him|hers?|his|it|its|they|them|theirs?|we|us|ours?|i|me|my|mine|you|yours?|\w+sel(f|ves)|who|whom|whose|which|this|that|these|those)$/i;
const GOOD = /^confirmed/, BAD = /conflict|violation|deprecated/;

const state = { text: "", read: null, threshold: settings.threshold, chosen: null, checks: new Map(), turtle: null };
const shown = (score) => score.toFixed(2);
const typeOf = (label) => types.get(label) ?? label;
const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

// Requests: each kind has one at a time, and only the answer to the last one counts.

const running = {};
async function ask(kind, path, text, accept) {
  running[kind]?.abort();
  const control = running[kind] = new AbortController();
  try {
    const response = await fetch(path, {
      method: "POST", body: text, signal: control.signal, headers: { "Content-Type": "text/plain; charset=utf-8", Accept: accept },
    });
    const content = await response.text();
    if (!response.ok) throw new Error(told(response, content));
    return content;
  } catch (error) {
    if (control.signal.aborted) return null;
    throw error instanceof TypeError ? new Error("The service does not answer. Is it still running?") : error;
  } finally {
    if (running[kind] === control) delete running[kind];
  }
}

function told(response, content) {
  try {
    return JSON.parse(content).detail;
  } catch {
    return `The service answered ${response.status} ${response.statusText}.`;
  }
}

const query = (threshold) => (settings.floor === null ? "" : `?threshold=${threshold}`);

function say(error) {
  byId("error").hidden = !error;
  byId("error").textContent = error ? error.message : "";
}

async function read() {
  const text = byId("text").value;
  if (!text.trim()) return say(new Error("Type or paste a text first."));
  const size = new TextEncoder().encode(text).length;
  if (size > settings.maxSize) {
    return say(new Error(`The text is too long: it has ${counted(size, "byte")}, and ${settings.maxSize.toLocaleString("en")} are taken. Read a part of it.`));
  }
  say(null);
  byId("status").textContent = "Reading …";
  byId("read").disabled = true;
  byId("result").classList.add("old");
  try {
    const content = await ask("read", `relations${query(settings.floor)}`, text, "application/json");
    if (content === null) return;
    running.turtle?.abort();
    running.check?.abort();
    Object.assign(state, { text, read: JSON.parse(content).documents[0], chosen: null, checks: new Map(), turtle: null });
    byId("result").hidden = false;
    byId("checked").textContent = "";
    byId("copied").textContent = "";
    showText();
    showEntities();
    showRelations();
    await showTurtle();
  } catch (error) {
    byId("status").textContent = "";
    say(error);
  } finally {
    byId("read").disabled = false;
    byId("result").classList.remove("old");
  }
}

// The text with its mentions. Places count code points; a mention within another one is marked within it.

function showText() {
  const signs = Array.from(state.read.text), root = byId("marked"), seen = new Set();
  const mentions = state.read.entities.flatMap((entity, number) => entity.mentions.map((mention) => ({ ...mention, number, entity })))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const open = [{ node: root, end: signs.length }];
  let done = 0;
  root.replaceChildren();
  const write = (until) => {
    open.at(-1).node.append(inOrder(signs.slice(done, until).join("")));
    done = until;
  };
  const close = (until) => {
    while (open.length > 1 && open.at(-1).end <= until) {
      const { node, end, type } = open.pop();
      node.append(inOrder(signs.slice(done, end).join("")), ...(type ? [element("small", {}, type)] : []));
      done = end;
      open.at(-1).node.append(node);
    }
  };
  for (const { start, end, number, entity, text } of mentions) {
    close(start);
    if (start < done || end > open.at(-1).end) continue;
    write(start);
    const isName = !PRONOUN.test(text);
    const type = typeOf(entity.type);
    if (isName) seen.add(type);
    open.push({ end, type: isName ? entity.type : "", node: element("mark", {
      class: isName ? cssType(type) : "pronoun", "data-entity": number, title: isName ? (TYPES.get(type) ?? type) : entity.name,
      mouseenter: () => light([number]), mouseleave: () => light(), click: () => choose(number),
    }) });
  }
  close(signs.length);
  write(signs.length);
  byId("legend").replaceChildren(...[...seen].map((type) => element("span", {},
    element("span", { class: `type ${cssType(type)}` }, type), ` ${TYPES.get(type) ?? ""}`)));
}

const cssType = (type) => (TYPES.has(type) ? type : "other");

// Marks the mentions of some entities; without any, of the chosen one.
function light(numbers = state.chosen === null ? [] : [state.chosen]) {
  for (const mark of byId("marked").querySelectorAll("mark")) {
    mark.classList.toggle("lit", numbers.includes(Number(mark.dataset.entity)));
  }
  byId("marked").classList.toggle("dimmed", numbers.length > 0);
}

function choose(number) {
  state.chosen = state.chosen === number ? null : number;
  for (const button of byId("entities").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.entity) === state.chosen));
  }
  showRelations();
  light();
}

function showEntities() {
  byId("entities").replaceChildren(...state.read.entities.map((entity, number) => {
    const others = [...new Set(entity.mentions.map((mention) => mention.text))].filter((text) => text !== entity.name);
    const type = typeOf(entity.type);
    return element("li", {}, element("button", {
      type: "button", "aria-pressed": "false", "data-entity": number, click: () => choose(number),
      mouseenter: () => light([number]), mouseleave: () => light(), focus: () => light([number]), blur: () => light(),
    },
    element("span", { class: `type ${cssType(type)}`, title: TYPES.get(type) ?? type }, entity.type || "?"),
    element("span", { class: "name" }, entity.name,
      others.length ? element("span", { class: "names" }, `also ${others.slice(0, 6).join(", ")}`) : null),
    element("span", { class: "soft" }, entity.mentions.length > 1 ? `${entity.mentions.length}×` : "")));
  }));
}

// The relations from the threshold on.

const keyOf = (relation) => `${relation.label}\n${relation.subject.start}\n${relation.object.start}`;
const isEnough = (relation) => relation.score >= state.threshold;
const ends = (relation) => [relation.subject.entity, relation.object.entity];

function nameOf(end) {
  return end.entity === null ? end.text : state.read.entities[end.entity].name;
}

function endButton(end) {
  if (end.entity === null) return element("span", {}, end.text);
  return element("button", { type: "button", class: "link", click: () => choose(end.entity) }, nameOf(end));
}

function bar(score) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const part = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" })) made.setAttribute(name, value);
  for (const [name, value] of Object.entries({ width: 100 * score, height: 10 })) part.setAttribute(name, value);
  made.append(part);
  return made;
}

function verdictOf(relation) {
  if (!state.checks.has(keyOf(relation))) return null;
  const check = state.checks.get(keyOf(relation));
  if (!check) return element("div", { class: "verdict soft" }, "It cannot be written as a statement, so it was not checked.");
  const kind = GOOD.test(check.verdict) ? "good" : BAD.test(check.verdict) ? "bad" : "";
  const made = element("div", { class: "verdict" }, element("b", { class: kind }, check.verdict), ` – ${check.reason}`);
  const linked = [check.subject, check.object?.id === check.value?.id ? null : check.object].filter(Boolean);
  if (linked.length) made.append(" Linked to ", ...linked.flatMap((item, place) => [place ? " and " : "", valueOf(item)]), ".");
  if (check.value) {
    made.append(" Wikidata has ", valueOf(check.value));
    if (check.value.claim) made.append(" (", link(check.value.claim, "statement"), ")");
    made.append(".");
  }
  return made;
}

const valueOf = (value) => (value.iri ? link(value.iri, `${value.text} (${value.id})`) : element("b", {}, value.text));

function showRelations() {
  const enough = state.read.relations.filter(isEnough).sort((a, b) => b.score - a.score);
  const some = state.chosen === null ? enough : enough.filter((relation) => ends(relation).includes(state.chosen));
  byId("relations").replaceChildren(...some.map((relation) => element("li", {
    mouseenter: () => light(ends(relation)), mouseleave: () => light(), focusin: () => light(ends(relation)), focusout: () => light(),
  },
  element("div", { class: "fact" },
    element("span", {}, endButton(relation.subject), " ",
      relation.predicate ? link(relation.predicate, relation.label) : relation.label, " → ", endButton(relation.object)),
    element("span", { class: "score" }, bar(relation.score), shown(relation.score))),
  verdictOf(relation))));
  const only = byId("only");
  only.hidden = state.chosen === null;
  if (state.chosen !== null) {
    only.replaceChildren(`Only those of ${state.read.entities[state.chosen].name}. `,
      element("button", { type: "button", click: () => choose(state.chosen) }, "Show all"));
  }
  byId("status").textContent = `${counted(enough.length, "relation")} with a score from ${shown(state.threshold)}`
    + ` between ${counted(state.read.entities.length, "entity", "entities")}.`
    + (state.read.relations.length > enough.length ? ` ${counted(state.read.relations.length - enough.length, "more", "more")} with a lower score.` : "");
  byId("check").disabled = enough.length === 0;
}

function setThreshold(threshold) {
  state.threshold = threshold;
  byId("threshold").value = threshold;
  byId("threshold-shown").textContent = shown(threshold);
  byId("threshold").setAttribute("aria-valuetext", shown(threshold));
  for (const button of byId("points").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.point) === threshold));
  }
  if (!state.read) return;
  showRelations();
  state.turtle = null;
  clearTimeout(setThreshold.later);
  setThreshold.later = setTimeout(showTurtle, 300);
}

// Comparing with the endpoint.

async function check() {
  byId("check").disabled = true;
  byId("checked").textContent = `Asking ${settings.endpoint} …`;
  say(null);
  try {
    const content = await ask("check", `check${query(state.threshold)}`, state.text, "application/json");
    if (content === null) return;
    const counts = new Map();
    for (const relation of JSON.parse(content).documents[0].relations) {
      state.checks.set(keyOf(relation), relation.check);
      const verdict = relation.check?.verdict ?? "not checked";
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    }
    showRelations();
    byId("checked").textContent = `${settings.endpoint}: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ")}.`;
  } catch (error) {
    byId("checked").textContent = "";
    say(error);
  } finally {
    byId("check").disabled = !state.read.relations.some(isEnough);
  }
}

// The Turtle: what the service itself gives for the threshold.

async function turtle() {
  state.turtle ??= await ask("turtle", `relations${query(state.threshold)}`, state.text, "text/turtle");
  return state.turtle;
}

async function showTurtle() {
  if (byId("turtle-box").hidden) return;
  try {
    const content = await turtle();
    if (content !== null) byId("turtle").replaceChildren(highlighted(content));
  } catch (error) {
    say(error);
  }
}

async function toggleTurtle() {
  const isHidden = byId("turtle-box").hidden = !byId("turtle-box").hidden;
  byId("show-turtle").setAttribute("aria-expanded", String(!isHidden));
  byId("show-turtle").textContent = isHidden ? "Show Turtle" : "Hide Turtle";
  await showTurtle();
}

async function withTurtle(use) {
  byId("copied").textContent = "";
  try {
    const content = await turtle();
    if (content !== null) byId("copied").textContent = await use(content);
  } catch (error) {
    say(error);
  }
}

// Browsers give the clipboard to safe connections only, and to nobody who is not asked for it.
async function copy(content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    const box = element("textarea", { "aria-label": "Turtle to copy" });
    box.value = content;
    document.body.append(box);
    box.select();
    const isDone = document.execCommand("copy");
    box.remove();
    byId("copy").focus();
    if (!isDone) throw new Error("The browser does not let this page copy. Show the Turtle, and copy it from there.");
  }
  return "Copied.";
}

function download(content) {
  const url = URL.createObjectURL(new Blob([content], { type: "text/turtle" }));
  element("a", { href: url, download: "kgmrca.ttl" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return "Saved as kgmrca.ttl.";
}

// The parts of the page.

byId("about").append(`Relations in texts, found by ${settings.pipeline} (kgmrca ${settings.version}). `,
  element("a", { href: "openapi.json" }, "The service as OpenAPI"));
for (const [name, text] of Object.entries(EXAMPLES)) {
  byId("examples").append(element("button", { type: "button", click: () => { byId("text").value = text; read(); } }, name));
}
for (const [name, number] of settings.points) {
  byId("ticks").append(element("option", { value: shown(number), label: name }));
  byId("points").append(element("button", { type: "button", "data-point": number, "aria-pressed": "false", click: () => setThreshold(number) },
    `${name} ${shown(number)}`));
}
byId("threshold").min = settings.floor ?? 0;
byId("threshold").addEventListener("input", () => setThreshold(byId("threshold").valueAsNumber));
byId("check").hidden = settings.endpoint === null;
byId("check").textContent = `Compare with ${settings.endpoint}`;
byId("no-endpoint").hidden = settings.endpoint !== null;
byId("check").addEventListener("click", check);
byId("show-turtle").addEventListener("click", toggleTurtle);
byId("copy").addEventListener("click", () => withTurtle(copy));
byId("download").addEventListener("click", () => withTurtle(download));
byId("ask").addEventListener("submit", (event) => { event.preventDefault(); read(); });
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) read();
});
setThreshold(settings.threshold);
