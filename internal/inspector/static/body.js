// The viewer of bodies: what was recorded, as a tree, a form, text, bytes or an image.
import { tree } from "./tree.js";
import { JSONFault } from "./json.js";
import { fold, folded } from "./fold.js";
import { parts } from "./multipart.js";
import { clean, copy, el, size } from "./text.js";

const fetched = 2 << 20;   // bytes that are fetched unasked
const fetchedJSON = 16 << 20; // of JSON, which is a tree only as a whole
const mostTree = 64 << 20; // of a tree; larger ones are text
const mostText = 512 << 10; // characters that are shown unasked
const hexRows = 2048;
const formRows = 500;
const chosen = {}; // view by the key of the viewer, for the next exchange

// Images are those whose first bytes are of a raster format. What Content-Type says
// counts for nothing: an SVG is a document.
const images = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, , , , , 0x57, 0x45, 0x42, 0x50]],
  ["image/bmp", [0x42, 0x4d]],
];

function rasterOf(bytes) {
  const found = images.find(([, magic]) => bytes.length > 24 && magic.every((b, i) => bytes[i] === b));
  return found && found[0];
}

export function upgrade(root, pick) {
  for (const box of root.querySelectorAll(".body[data-stored]:not([data-ready])")) {
    if (box.closest("[hidden]")) continue;
    box.dataset.ready = "yes";
    show(box, fetched, pick).catch((err) => box.append(el("p", { class: "fault" }, "The body cannot be shown: " + err.message))).finally(() => { box.dataset.shown = "yes"; });
  }
}

// read fetches bytes of url from from to below to, and tells how many there are.
async function read(url, from, to) {
  const r = await fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` } });
  if (!r.ok) throw new Error("devhook answered " + r.status);
  const bytes = new Uint8Array(await r.arrayBuffer());
  return { bytes, stored: Number((r.headers.get("Content-Range") || "").split("/")[1]) || bytes.length };
}

async function show(box, most, pick) {
  const { url, type = "", encoding = "", key } = box.dataset;
  let { bytes, stored } = await read(url, 0, most);
  if (bytes.length < stored && stored <= fetchedJSON && !encoding && /^\s*[[{]/.test(String.fromCharCode(...bytes.subarray(0, 64)))) {
    const rest = await read(url, bytes.length, stored);
    bytes = new Uint8Array(await new Blob([bytes, rest.bytes]).arrayBuffer());
  }
  if (!box.isConnected) return; // somebody has gone on
  const part = stored > bytes.length;
  const packed = part ? null : await unpack(bytes, encoding);
  const text = textOf(packed || bytes, part), views = viewsOf(packed || bytes, text, type, part, key === "request" ? pick : null);
  if (packed) views.push(["Bytes", () => hex(bytes)]);
  render(box, views, [
    packed ? `unpacked from ${encoding}, ${size(bytes.length)}` : encoding && `${clean(encoding)}, not unpacked`,
    type && clean(type),
  ], part || text === null || text.includes("\0") ? null : text);
  if (part) {
    box.append(el("p", { class: "dim" }, `The first ${size(bytes.length)} of ${size(stored)}. `,
      stored <= 64 << 20 ? el("button", { type: "button", class: "link", on: { click: () => show(box, stored, pick) } }, "Fetch all of it") : "",
      " ", el("a", { href: url, download: "" }, "Save it")));
  }
}

// unpack returns what a compressed body holds, null if it is not compressed, or not
// well, or grows to more than 16 MiB.
async function unpack(bytes, encoding) {
  const format = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" }[encoding.trim().toLowerCase()];
  if (!format) return null;
  try {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)).getReader();
    const parts = [];
    let n = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      n += value.length;
      if (n > 16 << 20) { reader.cancel(); return null; }
      parts.push(value);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch { return null; }
}

// textOf returns what bytes are as text, null if they are none.
function textOf(bytes, part) {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch {
    return part ? new TextDecoder().decode(bytes) : null; // cut inside a letter, perhaps
  }
}

// viewsOf returns the ways to show bytes, the best first; text is what they are as text.
function viewsOf(bytes, text, type, part, pick) {
  const views = [];
  const raster = rasterOf(bytes);
  if (raster && !part) views.push(["Image", () => image(bytes, raster)]);
  const first = text && text.trimStart()[0];
  const saysJSON = /[/+]json\b/i.test(type);
  if (text && !part && (first === "{" || first === "[" || saysJSON) && text.length <= mostTree) views.push(["JSON", () => json(text, pick)]);
  else if (text && /x-www-form-urlencoded/i.test(type)) views.push(["Form", () => form(text)]);
  const split = part ? null : parts(bytes, type);
  if (split) views.push(["Parts", () => table(split, partRow)]);
  if (text !== null && !text.includes("\0")) views.push(["Text", () => raw(text)]);
  views.push(["Hex", () => hex(bytes)]);
  return views;
}

// render shows the first of views, and a button that copies whole, if that is not null.
function render(box, views, notes, whole) {
  const key = box.dataset.key;
  for (const old of box.querySelectorAll(".view, .modes, p.dim")) old.remove();
  const view = el("div", { class: "view" });
  const modes = el("div", { class: "modes", role: "group", "aria-label": "View" });
  const use = ([name, make]) => {
    for (const b of modes.querySelectorAll("[aria-pressed]")) b.setAttribute("aria-pressed", String(b.textContent === name));
    view.replaceChildren(make());
    fold(view);
  };
  for (const v of views) modes.append(el("button", { type: "button", "aria-pressed": "false", on: { click: () => { chosen[key] = v[0]; use(v); } } }, v[0]));
  if (whole) modes.append(el("button", { type: "button", class: "copy", title: "Copy the body as it was recorded (c)", on: { click: () => copy(whole, "The body is") } }, "Copy", el("kbd", { "aria-hidden": "true" }, "c")));
  modes.append(el("span", { class: "dim" }, notes.filter(Boolean).join(" · ")));
  box.append(modes, view);
  use(views.find(([name]) => name === chosen[key]) || views[0]);
}

function json(text, pick) {
  try {
    return tree(text, { onPick: pick });
  } catch (err) {
    if (!(err instanceof JSONFault)) throw err;
    const from = Math.max(0, text.lastIndexOf("\n", err.at - 1) + 1, err.at - 60);
    const line = text.slice(from, err.at + 60).split("\n")[0];
    const at = err.at - from;
    return el("div", {},
      el("p", { class: "fault" }, err.says),
      el("pre", { class: "raw at", tabindex: "0" }, clean(line.slice(0, at)), el("mark", {}, clean(line.slice(at, at + 1)) || "␤"), clean(line.slice(at + 1))),
      line.length < text.trimEnd().length ? raw(text) : "");
  }
}

function raw(text) {
  const box = el("div", {}), pre = el("pre", { class: "raw", tabindex: "0", "aria-label": "Body as text" }, clean(text.slice(0, mostText)));
  box.append(pre);
  if (text.length > mostText) {
    const b = el("button", { type: "button", class: "link", on: { click: () => { pre.textContent = clean(text); b.remove(); } } }, `The rest, ${size(text.length - mostText)}`);
    box.append(b);
  }
  return box;
}

function form(text) {
  const decode = (s) => { try { return decodeURIComponent(s.replaceAll("+", " ")); } catch { return s; } };
  return table(text.split("&").filter(Boolean), (part) => {
    const at = part.indexOf("=");
    const [name, value] = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
    return el("tr", {}, el("th", { scope: "row" }, clean(decode(name))), el("td", {}, ...valueOf(decode(value))));
  });
}

// table shows a row for each of list, some at a time.
function table(list, row) {
  const body = el("tbody"), box = el("div", {}, el("div", { class: "table" }, el("table", { class: "pairs" }, body)));
  const next = (from) => {
    body.append(...list.slice(from, from + formRows).map(row));
    fold(body);
    const rest = list.length - from - formRows;
    if (rest > 0) box.append(el("button", { type: "button", class: "link", on: { click: (e) => { e.target.remove(); next(from + formRows); } } }, `${rest} more`));
  };
  next(0);
  return box;
}

// valueOf shows the value of a field, which is often JSON.
function valueOf(text) {
  if (/^\s*[[{]/.test(text) && text.length <= fetchedJSON) {
    try { return [tree(text)]; } catch (err) { if (!(err instanceof JSONFault)) throw err; }
  }
  return folded(text);
}

function partRow({ name, file, type, bytes }) {
  const about = [file, type, file || type ? size(bytes.length) : ""].filter(Boolean).map(clean).join(" · ");
  const raster = rasterOf(bytes), text = raster ? null : textOf(bytes);
  return el("tr", {}, el("th", { scope: "row" }, clean(name) || "no name", about ? el("p", { class: "dim" }, about) : ""),
    el("td", {}, ...(raster ? [image(bytes, raster)] : text === null || text.includes("\0") ? [el("details", {}, el("summary", {}, "Bytes, " + size(bytes.length)), hex(bytes))] : valueOf(text))));
}

function hex(bytes) {
  const pre = el("pre", { class: "raw hex", tabindex: "0", "aria-label": "Body as bytes" });
  const box = el("div", {}, pre);
  let at = 0;
  const next = () => {
    const lines = [];
    for (const end = Math.min(bytes.length, at + hexRows * 16); at < end; at += 16) {
      const row = [...bytes.subarray(at, at + 16)];
      const pairs = row.map((b) => b.toString(16).padStart(2, "0"));
      lines.push(at.toString(16).padStart(8, "0") + "  " + pairs.slice(0, 8).join(" ").padEnd(23) + "  " + pairs.slice(8).join(" ").padEnd(23) +
        "  " + row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join(""));
    }
    pre.append(lines.join("\n") + "\n");
    if (at < bytes.length) {
      const b = el("button", { type: "button", class: "link", on: { click: () => { b.remove(); next(); } } }, `${size(bytes.length - at)} more`);
      box.append(b);
    }
  };
  next();
  return box;
}

// image shows bytes as a picture of a raster format, whatever they claim to be: a blob
// has no name and no origin but this page's, and an <img> runs nothing.
function image(bytes, kind) {
  const url = URL.createObjectURL(new Blob([bytes], { type: kind }));
  const note = el("p", { class: "dim" }, kind);
  const img = el("img", { alt: "The body as an image", class: "picture" });
  img.onload = () => { note.textContent = `${kind}, ${img.naturalWidth} × ${img.naturalHeight}`; URL.revokeObjectURL(url); };
  img.onerror = () => { note.textContent = "It is not a whole image."; img.remove(); URL.revokeObjectURL(url); };
  img.src = url;
  return el("div", {}, img, note);
}
