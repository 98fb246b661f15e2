// What the scripts of all pages use. Texts get into a page by `element` only, as text.

const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null).map((child) => (typeof child === "string" ? inOrder(child) : child)));
  return made;
}

// Only links to the web are followed, whatever a graph says.
const link = (iri, text) => (/^https?:\/\//.test(iri) ? element("a", { href: iri, rel: "noreferrer" }, text) : text);

// Without what would turn the order of the words around that stand beside a text.
const inOrder = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
