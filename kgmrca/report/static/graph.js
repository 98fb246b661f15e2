// The graph view: it starts from the entity with most statements, and grows where a person asks. Every node is a button
// in the list beside the drawing too, for the keyboard and for screen readers.

const GROWTH = 15; // neighbours that one step adds
const LEGIBLE = 0.8; // the least zoom at which names can be read
const net = { drawing: null, shown: new Map() };

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function netStyle() {
  return [
    { selector: "node", style: {
      label: "data(label)", "background-color": color("bar"), color: color("front"), "font-size": 12, width: 18, height: 18,
      "text-wrap": "ellipsis", "text-max-width": 140, "text-outline-width": 2, "text-outline-color": color("back") } },
    { selector: "node[?isLiteral]", style: { shape: "rectangle", "background-color": color("soft") } },
    { selector: "edge", style: {
      label: "data(label)", "curve-style": "bezier", "target-arrow-shape": "triangle", width: 1.5, "line-color": color("soft"),
      "target-arrow-color": color("soft"), color: color("soft"), "font-size": 10, "text-rotation": "autorotate",
      "text-wrap": "ellipsis", "text-max-width": 90,
      "text-outline-width": 2, "text-outline-color": color("back") } },
    { selector: "node:selected", style: { "border-width": 4, "border-color": color("link") } },
  ];
}

const holdingOf = (thing) => statementsOf(thing).filter(holds);

// Adds the neighbours of a thing with the most certain statements, and all statements between what is shown then.
function grow(thing) {
  const own = holdingOf(thing).sort(orders.certain);
  const added = [];
  net.shown.set(thing, true);
  for (const number of own) {
    for (const end of [statements.subject[number], statements.object[number]]) {
      if (!net.shown.has(end) && added.length < GROWTH) {
        net.shown.set(end, false);
        added.push(end);
      }
    }
  }
  const edges = new Map();
  for (const one of [thing, ...added]) {
    for (const number of holdingOf(one)) {
      const [from, to] = [statements.subject[number], statements.object[number]];
      const label = inOrder(predicates[statements.predicate[number]][0]);
      if (net.shown.has(from) && net.shown.has(to)) edges.set(JSON.stringify([from, label, to]), [from, label, to]);
    }
  }
  const nodes = [thing, ...added].map((one) => ({ group: "nodes", data: {
    id: `n${one}`, thing: one, label: thingName(one), isLiteral: !things.iri[one] } }));
  const lines = [...edges].map(([id, [from, label, to]]) => ({ group: "edges", data: { id, source: `n${from}`, target: `n${to}`, label } }));
  net.drawing.add([...nodes, ...lines].filter((part) => net.drawing.getElementById(part.data.id).empty()));
  net.drawing.layout({ name: "cose", animate: false, padding: 30, nodeRepulsion: () => 4e6, nodeOverlap: 40, idealEdgeLength: () => 150 }).run();
  // On a phone all of it would be too small to read: what was asked for stands in the middle, the rest is a swipe away.
  if (matchMedia("(max-width: 760px)").matches && net.drawing.zoom() < LEGIBLE) {
    net.drawing.zoom(LEGIBLE).center(net.drawing.getElementById(`n${thing}`));
  }
  listNodes();
}

function listNodes() {
  byId("net-nodes").replaceChildren(...[...net.shown].map(([thing, isGrown]) => element("li", {},
    element("button", { type: "button", class: "link", click: () => { showView("statements"); showThing(thing); } }, thingName(thing)),
    isGrown ? null : element("button", { type: "button", "aria-label": `Expand ${thingName(thing)}`, click: () => expand(thing) }, "+"))));
}

function expand(thing) {
  grow(thing);
  byId("net-nodes").querySelector(`li:nth-child(${[...net.shown.keys()].indexOf(thing) + 1}) button`).focus();
}

function bestAttested() {
  let best = 0;
  for (let thing = 1; thing < things.name.length; thing++) {
    if (things.iri[thing] && holdingOf(thing).length > holdingOf(best).length) best = thing;
  }
  return best;
}

function showNet() {
  if (net.drawing) return;
  net.drawing = cytoscape({ container: byId("net"), style: netStyle(), maxZoom: 2 });
  net.drawing.on("tap", "node", (event) => grow(event.target.data("thing")));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => net.drawing.style(netStyle()));
  grow(bestAttested());
}
