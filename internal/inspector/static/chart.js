// The chart: how many came, how they went, and how long the answers took.
import { el, took } from "./text.js";

const spans = [[1, "1 min"], [5, "5 min"], [15, "15 min"], [60, "1 h"], [360, "6 h"], [1440, "24 h"], [10080, "7 d"], [43200, "30 d"]];
const most = 2000; // points, as the server gives
const wide = 60;   // columns
const tall = 40;

const svg = (name, attributes, ...children) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};

const point = (row) => [row.at, row.took ?? 0, row.kind];

export class Chart {
  constructor(figure) {
    Object.assign(this, { figure, plot: figure.querySelector(".plot"), caption: figure.querySelector("figcaption"), points: new Map(), skew: 0, turns: 0 });
    setInterval(() => this.soon(), 5000);
  }

  // load makes the chart of the newest rows of a list, which were searched for already, and
  // of what a search finds that goes on where they end. now is devhook's time, 0 if it is
  // not told.
  async load(filter, { rows, next }, now = 0) {
    this.stop();
    if (now) this.skew = now - Date.now();
    const { signal } = this.asking = new AbortController(), came = this.came = new Map();
    let older = [];
    if (next && rows.length < most) {
      try {
        older = (await (await fetch("/page/points?" + new URLSearchParams({ before: next, limit: most - rows.length, ...(filter && { filter }) }), { signal })).json()).points || [];
      } catch { if (signal.aborted) return; } // the state of the connection tells
    }
    if (signal.aborted) return;
    this.came = null;
    this.points = new Map([...older.map((p, i) => ["old" + i, p]), ...rows.toReversed().map((r) => [r.id, point(r)]), ...came]);
    this.whole = rows.length + older.length < most;
    this.draw();
  }

  // stop gives up what is being read.
  stop() { this.asking?.abort(); }

  add(row) {
    this.points.set(row.id, point(row));
    this.came?.set(row.id, point(row)); // while older ones are read
    while (this.points.size > most) {
      this.points.delete(this.points.keys().next().value);
      this.whole = false;
    }
    this.soon();
  }

  soon() { this.waiting ||= setTimeout(() => { this.waiting = 0; if (!document.hidden) this.draw(); }, 250); }

  // span is the one that shows all points; where there are more than are held, the longest
  // that they fill.
  span(covered) {
    if (this.whole === false) return Math.max(0, spans.findLastIndex(([m]) => m * 60e3 <= covered));
    const at = spans.findIndex(([m], i) => i && covered <= m * 60e3); // a minute is for a rush
    return at < 0 ? spans.length - 1 : at;
  }

  draw() {
    const now = Date.now() + this.skew, all = [...this.points.values()];
    const first = all.reduce((t, p) => Math.min(t, p[0]), now);
    const at = (this.span(now - first) + this.turns) % spans.length;
    const [minutes, name] = spans[at];
    const from = now - minutes * 60e3, each = minutes * 60e3 / wide;
    const columns = Array.from({ length: wide }, () => ({ ok: 0, note: 0, wait: 0, fail: 0, times: [] }));
    const times = [];
    let n = 0, failed = 0;
    for (const [t, ms, kind] of all) {
      if (t < from) continue;
      const c = columns[Math.min(wide - 1, Math.floor((t - from) / each))];
      c[kind]++;
      n++;
      if (kind === "fail") failed++;
      if (ms > 0) { c.times.push(ms); times.push(ms); }
    }
    const highest = Math.max(1, ...columns.map((c) => c.ok + c.note + c.wait + c.fail));
    const picture = svg("svg", { viewBox: `0 0 ${wide * 4} ${tall}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    columns.forEach((c, i) => {
      let y = tall;
      for (const kind of ["ok", "note", "wait", "fail"]) {
        if (!c[kind]) continue;
        const h = Math.max(1.5, c[kind] / highest * (tall - 4));
        y -= h;
        picture.append(svg("rect", { class: kind, x: i * 4 + 0.5, y, width: 3, height: h }));
      }
    });
    const slowest = Math.max(...columns.map((c) => middle(c.times)), 1);
    const line = columns.map((c, i) => [i, middle(c.times)]).filter(([, ms]) => ms > 0).map(([i, ms]) => `${i * 4 + 2},${tall - 3 - Math.log1p(ms) / Math.log1p(slowest) * (tall - 8)}`);
    if (line.length > 1) picture.append(svg("polyline", { class: "latency", points: line.join(" ") }));
    this.plot.replaceChildren(picture);
    const told = [n === 1 ? "1 webhook" : `${n.toLocaleString("en")}${this.whole === false && n >= most ? "+" : ""} webhooks`];
    if (times.length) told.push("p50 " + took(quantile(times, 0.5)), "p95 " + took(quantile(times, 0.95)));
    const what = el("span", {}, told.join(" · "));
    const bad = failed ? el("b", { class: "bad" }, ` · ${failed} failed`) : "";
    const turn = el("button", { type: "button", class: "link", title: "Another span", "aria-label": `The last ${name}; choose another span`, on: { click: () => { this.turns++; this.draw(); this.caption.querySelector("button").focus(); } } }, name);
    if (document.activeElement === this.caption.querySelector("button") && this.caption.contains(document.activeElement)) this.caption.querySelector("span").replaceChildren(what, bad);
    else this.caption.replaceChildren(el("span", {}, what, bad), turn);
    const button = this.caption.querySelector("button");
    button.textContent = name;
    button.setAttribute("aria-label", `The last ${name}; choose another span`);
  }
}

const quantile = (list, q) => { const s = [...list].sort((a, b) => a - b); return s[Math.min(s.length - 1, Math.floor(s.length * q))]; };
const middle = (list) => (list.length ? quantile(list, 0.5) : 0);
