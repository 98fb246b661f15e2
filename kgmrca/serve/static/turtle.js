// Turtle with its terms told apart. What is no term of it stays plain text.

const TERMS = [
  ["comment", "#[^\\n]*"],
  ["text", '"""(?:[^"\\\\]|\\\\.|""?(?!"))*"""|"(?:[^"\\\\\\n]|\\\\.)*"'],
  ["iri", "<[^<>\"\\s]*>|[\\w.-]*:(?:[\\w%.-]*[\\w%-])?"],
  ["word", "@?\\b(?:a|prefix|base|true|false)\\b"],
];
const TERM = new RegExp(TERMS.map(([name, pattern]) => `(?<${name}>${pattern})`).join("|"), "gs");

function highlighted(turtle) {
  const made = document.createDocumentFragment();
  let done = 0;
  for (const match of turtle.matchAll(TERM)) {
    const [name] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    made.append(turtle.slice(done, match.index), element("span", { class: name }, match[0]));
    done = match.index + match[0].length;
  }
  made.append(turtle.slice(done));
  return made;
}
