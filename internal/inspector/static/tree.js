// A JSON value as a tree of <details>: what is closed is not in the page.
import { parse, inner } from "./json.js";
import { clean, el, size } from "./text.js";

const atOnce = 200;   // members that are shown before "more"
const openLines = 120; // lines that are open from the start
const longText = 500; // characters of a string before "more"

// read is a string as it is spelled, but for letters that were escaped, as encoders for ASCII
// have them: what cannot be seen stays as it is.
export function read(raw) {
  return clean(raw.replace(/\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)|\\(?:u([0-9a-fA-F]{4})|[^])/g, (spelled, high, low, one) => {
    const letter = String.fromCharCode(...[high, low, one].filter(Boolean).map((x) => parseInt(x, 16)));
    return letter === "\u200d" || letter > " " && !/["\\]|\p{Cs}/u.test(letter) && clean(letter) === letter ? letter : spelled;
  }));
}

export function tree(text, { onPick } = {}) {
  const node = parse(text);
  const budget = { lines: openLines };
  const root = el("div", { class: "tree" });
  root.append(line(null, node, [], 0, budget, onPick));
  return root;
}

function count(node) {
  return node.kind === "object" ? `{${node.count}}` : `[${node.count}]`;
}

// start tells what a closed object or array begins with.
function start(node) {
  let text = "";
  for (const { key, node: n } of node.items()) {
    const value = n.count === undefined ? read(n.raw.slice(0, 40)) + (n.to - n.from > 40 ? "…" : "") : n.kind === "object" ? "{…}" : "[…]";
    text += (text && ", ") + (key === undefined ? "" : key.slice(0, 40) + ": ") + value;
    if (text.length > 80) break;
  }
  return clean(text);
}

function label(key) {
  if (key === null) return [];
  return [el("span", { class: "key" }, clean(String(key))), el("span", { class: "colon" }, ": ")];
}

function line(key, node, path, depth, budget, onPick, note, alone) {
  if (node.kind === "string") {
    const held = inner(node.value);
    if (held) return line(key, held, path, depth, budget, onPick, "JSON in a string", alone);
  }
  if (node.count === undefined) return leaf(key, node, path, onPick);
  const open = node.count > 0 && (depth === 0 || node.count <= budget.lines || alone && budget.lines > 0);
  if (open) budget.lines -= node.count;
  const d = el("details", { class: "branch" });
  const brackets = node.kind === "object" ? "{}" : "[]";
  d.append(el("summary", {}, ...label(key), el("span", { class: "count" }, node.count ? count(node) : brackets), depth && node.count ? el("span", { class: "start" }, start(node)) : "", note ? el("span", { class: "tag" }, note) : ""));
  const fill = () => {
    if (d.dataset.filled) return;
    d.dataset.filled = "yes";
    const seen = new Map();
    if (node.kind === "object") for (const { key } of node.items()) seen.set(key, (seen.get(key) || 0) + 1);
    more(d, node, { items: node.items(), from: 0, seen }, path, depth, budget, onPick);
  };
  d.addEventListener("toggle", () => { if (d.open) fill(); });
  if (open) { fill(); d.open = true; }
  return d;
}

// more shows the next members, and how many come after them.
function more(d, node, at, path, depth, budget, onPick) {
  for (const end = Math.min(node.count, at.from + atOnce); at.from < end; at.from++) {
    const { key, node: child } = at.items.next().value;
    const name = node.kind === "object" ? key : at.from;
    const row = line(name, child, [...path, String(name)], depth + 1, budget, onPick, "", node.count === 1);
    if (at.seen.get(key) > 1) (row.querySelector("summary") || row).append(el("span", { class: "tag bad" }, "name comes twice"));
    d.append(row);
  }
  const rest = node.count - at.from;
  if (rest > 0) {
    const b = el("button", { type: "button", class: "link", on: { click: () => { b.remove(); more(d, node, at, path, depth, { lines: 0 }, onPick); } } }, `${rest} more`);
    d.append(b);
  }
}

function leaf(key, node, path, onPick) {
  const text = node.kind === "string" ? read(node.raw) : node.raw;
  const value = el("span", { class: "value " + node.kind }, text.length > longText ? text.slice(0, longText) + "…" : text);
  const row = el("div", { class: "leaf" }, ...label(key), value);
  if (text.length > longText) {
    const b = el("button", { type: "button", class: "link", on: { click: () => { value.textContent = text; b.remove(); } } }, "All of it, " + size(node.to - node.from));
    row.append(b);
  }
  if (onPick && key !== null && text.length < 200) {
    row.append(el("button", { type: "button", class: "pick", tabindex: "-1", "aria-label": "Filter for this value", title: "Filter for this value", on: { click: () => onPick(path, node) } }, "⌕"));
  }
  return row;
}
