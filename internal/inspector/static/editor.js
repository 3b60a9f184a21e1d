// Edit and replay: what is changed is shown, with the new signature, before it is sent.
import { openDialog } from "./dialog.js";
import { parse, respaced } from "./json.js";
import { call, clean, el } from "./text.js";

const ofTransport = new Set(["content-length", "transfer-encoding", "connection"]);
const mostEdited = 1 << 20; // bytes of a body in a text area

// spacings are after commas and colons, where JSON is in one line: as most encoders write it.
const spacings = [["", ""], [" ", " "]], mostSpaced = 1 << 18; // letters

// spacingOf is that of a text in one line; null: it is no JSON, or otherwise spaced.
function spacingOf(text) {
  try { return text.length <= mostSpaced && parse(text).count > 0 && spacings.find((s) => respaced(text, ...s) === text) || null; } catch { return null; }
}

export class Editor {
  constructor(dialog, { sent }) {
    Object.assign(this, { dialog, form: dialog.querySelector("form"), preview: dialog.querySelector("#preview"), fault: dialog.querySelector("#editor-fault"), note: dialog.querySelector("#editor-body"), sent });
    this.form.addEventListener("input", () => { clearTimeout(this.waiting); this.waiting = setTimeout(() => this.plan(), 250); });
    this.form.addEventListener("submit", (e) => e.preventDefault()); // Enter in a field sends nothing
    dialog.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); this.send(); } });
  }

  // open asks how id is to be sent; back is for the focus, when all is done.
  async open(id, back) {
    const ex = await call("GET", "/devhook/v1/exchanges/" + encodeURIComponent(id));
    const f = this.form.elements, url = typeof ex.request.url === "string" ? new RegExp("^[a-z]+://[^/]*(.*)$", "is").exec(ex.request.url) : null;
    this.id = id;
    this.method = ex.request.method;
    this.path = url ? url[1] || "/" : null;
    this.headers = [];
    for (const [name, values] of Object.entries(ex.request.headers || {})) {
      if (ofTransport.has(name.toLowerCase()) || values.some((v) => typeof v !== "string" || /[\r\n]/.test(v))) continue;
      for (const v of values) this.headers.push([name, v]);
    }
    this.headers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    await this.body(ex);
    f.method.value = this.method;
    f.path.value = this.path ?? "";
    f.path.disabled = this.path === null;
    f.headers.value = this.headers.map(([n, v]) => n + ": " + v).join("\n");
    f.to.value = "";
    f.sign.value = "auto";
    this.fault.textContent = "";
    openDialog(this.dialog, back);
    f.body.disabled ? f.headers.focus() : f.body.focus();
    f.body.setSelectionRange(0, 0);
    f.body.scrollTop = 0;
    this.plan();
  }

  // body reads the body into the form, if it can be edited there: a text area makes \n
  // of other line breaks, and of bytes that are no text nothing that could be sent.
  async body(ex) {
    const area = this.form.elements.body;
    this.text = null;
    this.note.textContent = "";
    let why = "";
    if ((ex.request.size || 0) > mostEdited) why = "It is too large to be edited here";
    else {
      const r = await fetch(`/devhook/v1/exchanges/${ex.id}/body`);
      try {
        this.text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await r.arrayBuffer());
      } catch { why = "It is not text"; }
      if (this.text?.includes("\0")) { why = "It is not text"; this.text = null; }
    }
    this.spacing = this.text && spacingOf(this.text);
    area.value = this.spacing ? respaced(this.text, "", "", "  ") : this.text ?? "";
    this.shown = area.value;
    area.disabled = this.text === null;
    this.note.className = why ? "fault" : "dim";
    if (why) this.note.textContent = why + " and is sent as it was recorded.";
    else if (this.spacing) this.note.replaceChildren("It is sent in one line, as it came. ", el("button", { type: "button", class: "link", on: { click: () => this.unspace() } }, "Edit that line"));
  }

  // unspace has the body edited as it is sent.
  unspace() {
    const area = this.form.elements.body;
    area.value = this.edited();
    this.spacing = null;
    this.shown = this.text;
    this.note.textContent = "";
    area.focus();
    this.plan();
  }

  // edited is the body that is sent. What is no JSON any more is sent as it is written.
  edited() {
    const { value } = this.form.elements.body;
    if (this.spacing) try { parse(value); return respaced(value, ...this.spacing); } catch { /* it is no JSON */ }
    return /\r\n/.test(this.text) ? value.replace(/\n/g, "\r\n") : value;
  }

  // changes are in the words of devhook replay.
  changes() {
    const f = this.form.elements, list = [];
    if (f.method.value.trim() !== this.method) list.push("method " + f.method.value.trim());
    if (this.path !== null && f.path.value.trim() !== this.path) {
      const query = this.path.includes("?") && !f.path.value.includes("?") ? "?" : "";
      list.push("path " + f.path.value.trim() + query);
    }
    const now = [];
    f.headers.value.split("\n").forEach((line, i) => {
      if (!line.trim()) return;
      const at = line.indexOf(":");
      if (at < 1) throw new Error(`Line ${i + 1} of the headers has no colon`);
      now.push([line.slice(0, at).trim(), line.slice(at + 1).trim()]);
    });
    const by = (pairs) => {
      const m = new Map();
      for (const [n, v] of pairs) { const k = n.toLowerCase(); if (!m.has(k)) m.set(k, { name: n, values: [] }); m.get(k).values.push(v); }
      return m;
    };
    const before = by(this.headers.map(([n, v]) => [n, v.trim()])), after = by(now);
    for (const [k, { name, values }] of after) {
      if (JSON.stringify(before.get(k)?.values) === JSON.stringify(values)) continue;
      values.forEach((v, i) => list.push((i ? "add-header " : "header ") + name + ": " + v));
    }
    for (const [k, { name }] of before) if (!after.has(k)) list.push("unset-header " + name);
    return list;
  }

  request() {
    const f = this.form.elements, r = { ref: this.id, changes: this.changes(), sign: f.sign.value };
    if (f.to.value.trim()) r.to = f.to.value.trim();
    if (this.text !== null && f.body.value !== this.shown && this.edited() !== this.text) r.body = this.edited();
    return r;
  }

  async plan() {
    const mine = this.planning = {};
    let answer;
    try {
      answer = await call("POST", "/devhook/v1/replay", { ...this.request(), dry_run: true });
    } catch (err) {
      if (mine === this.planning) { this.fault.textContent = clean(err.message); this.preview.replaceChildren(el("p", { class: "dim" }, "This cannot be sent.")); }
      return;
    }
    if (mine !== this.planning) return;
    this.fault.textContent = "";
    const parts = [el("p", {}, el("b", {}, clean(answer.exchange.request.method)), " ", clean(String(answer.exchange.target || "")))];
    if (answer.unsigned) parts.push(el("p", { class: "fault" }, "Not signed anew: " + clean(answer.unsigned)));
    const list = answer.differences || [];
    if (!list.length) parts.push(el("p", { class: "same" }, "The same, to the byte."));
    const said = (v) => clean(v.base64 === undefined ? v : atob(v.base64)); // what is no UTF-8 is in base64
    for (const d of list) {
      parts.push(el("div", { class: "change" }, el("b", {}, said(d.what)),
        ...(d.old || []).map((v) => el("del", {}, said(v))), ...(d.new || []).map((v) => el("ins", {}, said(v)))));
    }
    this.preview.replaceChildren(...parts);
  }

  async send() {
    const button = this.dialog.querySelector("[data-do=send]");
    if (button.disabled) return;
    button.disabled = true;
    try {
      const answer = await call("POST", "/devhook/v1/replay", this.request());
      this.dialog.close();
      this.sent(answer);
    } catch (err) {
      this.fault.textContent = clean(err.message);
    } finally {
      button.disabled = false;
    }
  }
}
