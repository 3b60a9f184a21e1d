// JSON as it is spelled: numbers keep their digits, names that come twice stay two,
// and an error has its place. JSON.parse has none of that.

export class JSONFault extends Error {
  constructor(text, at, what) {
    const before = text.slice(0, at);
    const line = before.split("\n").length;
    const column = at - (before.lastIndexOf("\n") + 1) + 1;
    super(`${what} at line ${line}, column ${column}`);
    Object.assign(this, { at, line, column });
  }
}

const deepest = 500;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\r\n]*/y;
const plain = /[^"\\\u0000-\u001f]*/y;

// parse returns a node: {kind, raw, value, items}; items have a key in an object.
export function parse(text) {
  let i = 0;
  const fail = (what) => { throw new JSONFault(text, i, i >= text.length ? "the text ends too early" : what); };
  const take = (re) => { re.lastIndex = i; const m = re.exec(text); if (m) i = re.lastIndex; return m && m[0]; };
  function string() {
    const from = i++;
    for (;;) {
      take(plain);
      const c = text[i];
      if (c === '"') { i++; break; }
      if (c !== "\\") fail(c === undefined ? "" : "a control character in a string");
      const e = text[i + 1];
      if (e === "u") {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 2, i + 6))) fail("a broken \\u escape");
        i += 6;
      } else if (e !== undefined && '"\\/bfnrt'.includes(e)) i += 2;
      else fail("an unknown escape");
    }
    const raw = text.slice(from, i);
    return { kind: "string", raw, value: JSON.parse(raw) };
  }
  function value(depth) {
    if (depth > deepest) fail(`nested deeper than ${deepest}`);
    take(space);
    const c = text[i], from = i;
    if (c === '"') return string();
    if (c === "{" || c === "[") {
      const object = c === "{", close = object ? "}" : "]", items = [];
      i++;
      take(space);
      if (text[i] === close) i++;
      else for (;;) {
        let key;
        if (object) {
          take(space);
          if (text[i] !== '"') fail("a name in double quotes is missing");
          key = string().value;
          take(space);
          if (text[i] !== ":") fail("a colon is missing");
          i++;
        }
        const node = value(depth + 1);
        items.push({ key, node });
        take(space);
        if (text[i] === ",") { i++; continue; }
        if (text[i] === close) { i++; break; }
        fail(`a comma or ${close} is missing`);
      }
      return { kind: object ? "object" : "array", items };
    }
    for (const word of ["true", "false", "null"]) if (text.startsWith(word, i)) { i += word.length; return { kind: "word", raw: word }; }
    const n = take(number);
    if (n) return { kind: "number", raw: n };
    i = from;
    fail("a value is missing");
  }
  const node = value(0);
  take(space);
  if (i < text.length) fail("more text after the value");
  return node;
}

// inner returns what a string holds, if that is JSON of more than one value.
export function inner(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try { return parse(text); } catch { return null; }
}
