// JSON as it is spelled: numbers keep their digits, names that come twice stay two,
// and an error has its place. JSON.parse has none of that. A text is gone through once, to
// know that it is JSON, and where its objects and arrays end; what is in one is read when it
// is looked at, so that a large text is there as soon as a small one.

export class JSONFault extends Error {
  constructor(text, at, what) {
    const before = text.slice(0, at);
    const line = before.split("\n").length;
    const column = at - (before.lastIndexOf("\n") + 1) + 1;
    super(`${what} at line ${line}, column ${column}`);
    Object.assign(this, { at, line, column });
  }

  get says() { return `This is not JSON: ${this.message}.`; }
}

// A DeepFault is no fault of the text: it is nested deeper than is shown as a tree, and what
// comes behind that place is not looked at.
class DeepFault extends JSONFault {
  get says() { return `This is shown as text: it is ${this.message}.`; }
}

const deepest = 500;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const quote = 34, comma = 44, colon = 58, backslash = 92, bracket = 91, brace = 123; // and two more closes the last two
const escapes = new Set([..."\"\\/bfnrt"].map((c) => c.charCodeAt(0)));

// space returns where the next letter is that is no white space.
function space(text, i) {
  for (let c; (c = text.charCodeAt(i)) === 32 || c === 10 || c === 13 || c === 9;) i++;
  return i;
}

// scan returns the places of the objects and arrays of text in the order in which they
// begin: where each ends, how many members it has, and which one comes after all that is in
// it.
function scan(text) {
  const ends = [], counts = [], afters = [];
  const fail = (i, what) => { throw new JSONFault(text, i, i >= text.length ? "the text ends too early" : what); };
  const string = (i) => {
    for (i++; ;) {
      const c = text.charCodeAt(i);
      if (c === quote) return i + 1;
      if (c === backslash) {
        const e = text.charCodeAt(i + 1);
        if (e === 117) {
          if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 2, i + 6))) fail(i, "a broken \\u escape");
          i += 6;
        } else if (escapes.has(e)) i += 2; else fail(i, "an unknown escape");
      } else if (c >= 32) i++;
      else fail(i, "a control character in a string"); // also where the text ends, of which the letter is no number
    }
  };
  const name = (i) => {
    if (text.charCodeAt(i) !== quote) fail(i, "a name in double quotes is missing");
    i = space(text, string(i));
    if (text.charCodeAt(i) !== colon) fail(i, "a colon is missing");
    return space(text, i + 1);
  };
  const open = []; // those that have not ended
  for (let i = space(text, 0); ;) {
    const c = text.charCodeAt(i);
    if (c === quote) i = string(i);
    else if (c === brace || c === bracket) {
      if (open.length > 2 * deepest) throw new DeepFault(text, i, `nested deeper than ${deepest}`);
      open.push(ends.length, c);
      ends.push(0);
      counts.push(0);
      afters.push(0);
      i = space(text, i + 1);
      if (text.charCodeAt(i) !== c + 2) {
        if (c === brace) i = name(i);
        continue;
      }
    } else {
      const word = ["true", "false", "null"].find((w) => text.startsWith(w, i));
      if (word) i += word.length;
      else {
        number.lastIndex = i;
        if (!number.test(text)) fail(i, "a value is missing");
        i = number.lastIndex;
      }
    }
    // A value has ended, and all that ends with it; of an empty object or array the end is next.
    for (let empty = c === brace || c === bracket; ; empty = false) {
      if (!open.length) {
        i = space(text, i);
        if (i < text.length) fail(i, "more text after the value");
        return { ends, counts, afters };
      }
      const kind = open.at(-1), at = open.at(-2);
      if (!empty) { counts[at]++; i = space(text, i); }
      const next = text.charCodeAt(i);
      if (next === kind + 2) {
        ends[at] = ++i;
        afters[at] = ends.length;
        open.length -= 2;
        continue;
      }
      if (next !== comma) fail(i, `a comma or ${kind === brace ? "}" : "]"} is missing`);
      i = space(text, i + 1);
      if (kind === brace) i = name(i);
      break;
    }
  }
}

// A node is a value: its kind, and its text in raw; value is that of a string, count the
// number of members of an object or array.
class Node {
  constructor(text, spans, from, to, span) {
    const c = text[from];
    Object.assign(this, { text, spans, from, to, span, kind: { "{": "object", "[": "array", '"': "string", t: "word", f: "word", n: "word" }[c] || "number" });
    if (this.kind === "object" || this.kind === "array") this.count = spans.counts[span];
  }

  get raw() { return this.text.slice(this.from, this.to); }
  get value() { return JSON.parse(this.raw); }

  // items gives the members one after the other; those of an object have a key.
  *items() {
    const { text, spans } = this;
    let i = this.from + 1, span = this.span + 1;
    for (let n = 0; n < this.count; n++) {
      i = space(text, i);
      let key;
      if (this.kind === "object") {
        const end = endOf(text, i);
        key = JSON.parse(text.slice(i, end));
        i = space(text, space(text, end) + 1);
      }
      const nested = text[i] === "{" || text[i] === "[", end = nested ? spans.ends[span] : endOf(text, i);
      yield { key, node: new Node(text, spans, i, end, span) };
      if (nested) span = spans.afters[span];
      i = space(text, end) + 1;
    }
  }
}

// endOf returns the end of the string, number or word at i, which is known to be one.
const words = /[^\s,\]}]+/y;
function endOf(text, i) {
  if (text.charCodeAt(i) === quote) {
    for (i++; ;) {
      const c = text.charCodeAt(i);
      if (c === quote) return i + 1;
      i += c === backslash ? 2 : 1;
    }
  }
  words.lastIndex = i;
  words.test(text);
  return words.lastIndex;
}

// parse returns the node of a text; the error is a JSONFault.
export function parse(text) {
  const spans = scan(text), from = space(text, 0);
  return new Node(text, spans, from, spans.ends[0] || endOf(text, from), 0);
}

// inner returns what a string holds, if that is JSON of more than one value.
export function inner(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  try { return parse(text); } catch { return null; }
}

// respaced is a JSON text with other white space between its values, each of which stays as
// it is spelled: after commas and colons, or, indented, in lines.
export function respaced(text, comma, colon, indent = "") {
  const all = text.match(/"(?:[^"\\]|\\[^])*"|[{}[\],:]|[^\s{}[\],:"]+/g) || [], parts = [];
  let depth = 0;
  const line = () => (indent ? "\n" + indent.repeat(depth) : "");
  all.forEach((t, i) => {
    const opens = t === "{" || t === "[", closes = t === "}" || t === "]", empty = all[i - 1] === "{" || all[i - 1] === "[";
    if (opens) depth++;
    if (closes) depth--;
    if (closes && !empty) parts.push(line());
    parts.push(t);
    if (opens && all[i + 1] !== "}" && all[i + 1] !== "]") parts.push(line());
    if (t === ",") parts.push(indent ? line() : comma);
    if (t === ":") parts.push(indent ? " " : colon);
  });
  return parts.join("");
}
