// The filter box: completion, and where it is wrong.
import { clean, el } from "./text.js";

const keys = {
  "provider:": "by id", "event:": "video.*", "status:": "5xx, 400..499", "verdict:": "of the signature", "reason:": "of the verdict", "outcome:": "what became of it",
  "method:": "", "path:": "/hooks/*", "route:": "", "origin:": "live, replay, …", "since:": "1h", "until:": "", "took:": ">500ms", "size:": ">10kb",
  "seq:": "100..200", "delivery:": "the provider's id", "id:": "", "pinned:": "true",
  "header.": "header.x-foo:bar", "body.": "body.user.id=42",
};

export class Filter {
  constructor(input, { changed, edited }) {
    Object.assign(this, { input, changed, left: edited, list: document.getElementById("words"), marks: document.getElementById("marks"), fault: document.getElementById("fault"), note: document.getElementById("note"), at: -1 });
    this.clear = input.parentElement.querySelector(".clear");
    input.addEventListener("input", () => { this.edited(); this.suggest(); });
    input.addEventListener("keydown", (e) => this.key(e));
    input.addEventListener("blur", () => setTimeout(() => this.hide(), 120));
    input.addEventListener("focus", () => this.learn());
    input.addEventListener("scroll", () => { this.marks.scrollLeft = input.scrollLeft; });
    input.form.addEventListener("submit", (e) => { e.preventDefault(); this.hide(); this.apply(); });
    this.list.addEventListener("pointerdown", (e) => {
      const li = e.target.closest("li");
      if (li) { e.preventDefault(); this.use(li.dataset.text); }
    });
    this.clear.hidden = !input.value;
  }

  // learn asks what keys can be completed with, at most each 20 s.
  learn() {
    if (this.learned && performance.now() - this.learned < 20_000) return this.learning;
    this.learned = performance.now();
    return this.learning = fetch("/page/words").then((r) => r.json()).then((r) => { this.words = r.words; }, () => { this.learned = 0; });
  }

  set(text) { this.input.value = text; this.clear.hidden = !text; this.hide(); this.apply(); }

  add(word) { this.set((this.input.value.trim() + " " + word).trim()); }

  edited() {
    this.clear.hidden = !this.input.value;
    this.show(null);
    clearTimeout(this.waiting);
    this.left(); // nobody waits any more for what was searched
    this.waiting = setTimeout(() => this.apply(), 250);
  }

  apply() { clearTimeout(this.waiting); this.changed(this.input.value.trim()); }

  // show tells what is wrong, null if nothing is, and marks it; else what may not be
  // meant.
  show(fault, notes = "") {
    this.note.textContent = clean(notes);
    this.fault.textContent = fault ? clean(fault.error + (fault.hint ? "; " + fault.hint : "")) : "";
    this.input.setAttribute("aria-invalid", String(!!fault));
    this.marks.replaceChildren();
    if (!fault?.length) return;
    const lead = this.input.value.length - this.input.value.trimStart().length;
    const letters = [...this.input.value], at = lead + fault.column, n = fault.length;
    this.marks.append(letters.slice(0, at).join(""), el("mark", {}, letters.slice(at, at + n).join("")), letters.slice(at + n).join(""));
    this.marks.scrollLeft = this.input.scrollLeft;
  }

  // word is what stands before the caret, from the last space on that is in no quotes.
  word() {
    const text = this.input.value.slice(0, this.input.selectionStart);
    let from = 0, quoted = false;
    for (let i = 0; i < text.length; i++) {
      if (text[i] === '"') quoted = !quoted;
      else if (!quoted && /\s/.test(text[i])) from = i + 1;
    }
    if (text[from] === "-") from++;
    return { from, text: text.slice(from) };
  }

  async suggest() {
    await this.learn();
    const { text } = this.word();
    let found = [];
    const header = /^header\.([^:]*)$/i.exec(text), pair = /^([a-z]+):(.*)$/s.exec(text);
    if (header) found = (this.words?.["header."] || []).filter((w) => w.startsWith(header[1].toLowerCase())).map((w) => ["header." + w, ""]);
    else if (pair) {
      const done = pair[2].slice(0, pair[2].lastIndexOf(",") + 1), part = pair[2].slice(done.length).toLowerCase();
      found = (this.words?.[pair[1]] || []).filter((w) => w.toLowerCase().includes(part) && w.toLowerCase() !== part)
        .sort((a, b) => b.toLowerCase().startsWith(part) - a.toLowerCase().startsWith(part))
        .map((w) => [pair[1] + ":" + done + (/[\s",]/.test(w) ? JSON.stringify(w) : w), ""]);
    } else if (text) found = Object.entries(keys).filter(([k]) => k.startsWith(text.toLowerCase()));
    this.offer(found.slice(0, 8));
  }

  offer(found) {
    this.at = -1;
    this.list.replaceChildren(...found.map(([text, note], i) => el("li", { role: "option", id: "word" + i, "data-text": text, "aria-selected": "false" }, el("span", {}, clean(text)), el("span", { class: "dim" }, note))));
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(!!found.length));
    this.input.removeAttribute("aria-activedescendant");
  }

  hide() { this.offer([]); }

  key(e) {
    if (e.isComposing || e.keyCode === 229) return; // of an input method; WebKit ends with Enter, and says so by the number alone
    const n = this.list.children.length;
    if (e.key === "Escape") {
      e.stopPropagation();
      if (n) this.hide(); else document.getElementById("list").focus();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!n) { if (e.key === "ArrowDown") this.input.value ? this.suggest() : this.offer(Object.entries(keys)); return; }
      this.at = (this.at + (e.key === "ArrowDown" ? 1 : -1) + n + (this.at < 0 && e.key === "ArrowUp" ? 1 : 0)) % n;
      [...this.list.children].forEach((li, i) => li.setAttribute("aria-selected", String(i === this.at)));
      this.input.setAttribute("aria-activedescendant", "word" + this.at);
    } else if ((e.key === "Enter" || e.key === "Tab") && n && (this.at >= 0 || e.key === "Tab")) {
      e.preventDefault();
      this.use(this.list.children[Math.max(0, this.at)].dataset.text);
    }
  }

  use(text) {
    const { from } = this.word(), end = this.input.selectionStart, open = /[:.]$/.test(text);
    const rest = this.input.value.slice(end);
    this.input.value = this.input.value.slice(0, from) + text + (open || rest.startsWith(" ") ? "" : " ") + rest;
    const caret = from + text.length + (open ? 0 : 1);
    this.input.setSelectionRange(caret, caret);
    this.edited();
    if (open) this.suggest(); else this.hide();
  }
}
