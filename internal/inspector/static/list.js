// The list: rows that the server has written, of which only those that are seen are in
// the page. It is made of chunks, the newest first. A chunk has its rows, or else a
// guess of how many they are: without a filter one row for each number of the store, so
// that the scroll bar tells where one is; with a filter the rest is one chunk, which is
// read on as one gets there. Heights follow what was read, without a jump: what is on
// the screen stays where it is.

const perChunk = 200;
const overscan = 10;        // rows above and below those that are seen
const tallest = 8_000_000;  // px of an element; browsers have bounds from 17 million on
const mostRows = 20_000;    // that are held; those that are the farthest away go first
const pace = 100;           // ms between two changes by the stream: many a second cost no more than ten

export class List {
  // on: selected(row), fresh(n), counted(text), arrived(row), pinned(row), marked(), failed(error)
  constructor(scroller, element, on) {
    Object.assign(this, { scroller, element, on, chunks: [], nodes: new Map(), ghosts: [], top: 0, filter: "", selected: null, fresh: 0, arrivals: [], taken: 0, marked: new Set(), asking: new AbortController() });
    this.row = parseFloat(getComputedStyle(scroller).getPropertyValue("--row")) || 58;
    this.spacer = document.createElement("div");
    this.spacer.className = "spacer";
    this.element.after(this.spacer);
    scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(scroller);
    element.addEventListener("mousedown", (e) => { if (e.shiftKey) e.preventDefault(); }); // which would choose text
    element.addEventListener("click", (e) => {
      const a = e.target.closest(".row");
      if (!a || e.metaKey || e.ctrlKey || e.button) return;
      e.preventDefault();
      if (e.shiftKey) { this.mark(+a.dataset.seq, this.selected || +a.dataset.seq); return; }
      const at = this.find(+a.dataset.seq);
      if (at) this.select(at, { open: true });
    });
  }

  // start takes the rows that came with the page.
  start({ next, oldest, filter }) {
    const rows = read(this.element.innerHTML);
    this.element.replaceChildren();
    this.nodes.clear();
    this.reset(rows, next, oldest, filter);
  }

  reset(rows, next, oldest, filter) {
    this.filter = filter;
    this.generation = (this.generation || 0) + 1;
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
    this.chunks = [{ hi: Infinity, lo: next || 0, rows, n: rows.length }];
    if (next && !filter) {
      for (let hi = next; hi > oldest; hi -= perChunk) {
        const lo = Math.max(oldest, hi - perChunk);
        this.chunks.push({ hi, lo, rows: null, n: hi - lo });
      }
    } else if (next) this.chunks.push({ hi: next, rows: null, n: 6, rest: true });
    this.selected = this.was = null;
    this.fresh = 0;
    this.top = 0;
    this.scroller.scrollTop = 0;
    this.draw();
  }

  // reload reads the list anew; the error is that of the filter. What was being read is not
  // waited for any more.
  async reload(filter) {
    this.stop();
    const r = await ask({ filter, limit: perChunk, oldest: 1 }, this.asking.signal);
    this.reset(r.rows, r.next, r.oldest, filter);
    return r;
  }

  // stop has devhook search no longer for what was asked.
  stop() {
    this.asking.abort();
    this.asking = new AbortController();
  }

  get total() { return this.chunks.reduce((n, c) => n + c.n, 0); }
  get height() { return Math.min(tallest, this.total * this.row); }
  get view() { return this.scroller.clientHeight; }

  scrolled() {
    if (this.unseen) return; // nobody has done that
    const at = this.scroller.scrollTop, moved = at - this.drawnAt;
    if (moved === 0) return;
    const whole = this.total * this.row, end = Math.max(0, whole - this.view);
    if (whole <= tallest) this.top = at;
    else if (at <= 0) this.top = 0;
    else if (at >= this.height - this.view - 1) this.top = end;
    else if (Math.abs(moved) < this.view * 3) this.top += moved; // by the wheel: row by row
    else this.top = at / (this.height - this.view) * end;       // by the bar: far
    this.top = Math.max(0, Math.min(end, this.top));
    this.drawnAt = at;
    clearTimeout(this.settling);
    if (whole > tallest) this.settling = setTimeout(() => this.draw(), 150);
    this.place();
  }

  // draw makes height and scroll bar fit, and places the rows. While another view is in its place
  // the list has no height, and keeps what it was at.
  draw() {
    const back = this.unseen && this.view > 0;
    this.unseen = !this.view;
    if (back) this.bring(this.find(this.selected || this.was));
    if (!this.unseen) this.fit();
    const n = this.chunks.reduce((sum, c) => sum + (c.rest ? 0 : c.n), 0);
    this.on.counted(n, this.chunks.some((c) => c.rest), this.chunks.some((c) => !c.rows));
  }

  fit() {
    const whole = this.total * this.row, end = Math.max(0, whole - this.view);
    this.top = Math.max(0, Math.min(end, this.top));
    this.spacer.style.height = this.height + "px";
    const at = whole <= tallest ? this.top : this.top / end * (this.height - this.view);
    if (Math.abs(this.scroller.scrollTop - at) >= 1) this.scroller.scrollTop = at;
    this.drawnAt = this.scroller.scrollTop;
    if (whole <= tallest) this.top = this.drawnAt;
    this.place();
  }

  place() {
    const from = this.top - overscan * this.row, to = this.top + this.view + overscan * this.row;
    const shift = this.scroller.scrollTop - this.top;
    const seen = new Set(), all = this.chunks.some((c) => c.rest) ? -1 : this.total;
    let y = 0, before = 0, ghosts = 0, above = null;
    for (const c of this.chunks) {
      const height = c.n * this.row;
      if (y + height > from && y < to) {
        let i = Math.max(0, Math.floor((from - y) / this.row));
        const last = Math.min(c.n, Math.ceil((to - y) / this.row));
        for (; i < last; i++) {
          const at = y + i * this.row + shift;
          if (c.rows) {
            const row = c.rows[i];
            seen.add(row.seq);
            above = this.put(row, at, before + i + 1, all, above);
          } else this.ghost(ghosts++, at);
        }
        if (!c.rows && !this.reading) { // one at a time: who flies over chunks wants the last
          this.reading = this.load(c).finally(() => { this.reading = null; this.place(); });
        }
      }
      y += height;
      before += c.n;
      if (y > to) break;
    }
    for (const [seq, node] of this.nodes) if (!seen.has(seq)) { node.remove(); this.nodes.delete(seq); }
    for (const g of this.ghosts.splice(ghosts)) g.remove();
    if (this.top < this.row && this.fresh) { this.fresh = 0; this.on.fresh(0); }
    const shown = this.selected && this.nodes.has(this.selected);
    if (shown) this.element.setAttribute("aria-activedescendant", "r" + this.selected);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // put places a row, and behind the one before it also for those who hear the page.
  put(row, y, position, all, before) {
    let node = this.nodes.get(row.seq);
    if (!node || node.from !== row.html) {
      const made = nodeOf(row.html);
      made.from = row.html;
      if (node) node.replaceWith(made);
      if (row.isNew) { made.classList.add("new"); row.isNew = false; }
      this.nodes.set(row.seq, node = made);
    }
    if (node.previousElementSibling !== before || !node.isConnected) before ? before.after(node) : this.element.prepend(node);
    node.style.transform = `translateY(${y}px)`;
    set(node, "aria-posinset", position);
    set(node, "aria-setsize", all);
    set(node, "aria-selected", row.seq === this.selected);
    if (this.marked.size) set(node, "aria-checked", this.marked.has(row.seq)); else node.removeAttribute("aria-checked");
    return node;
  }

  ghost(i, y) {
    if (!this.ghosts[i]) {
      const g = document.createElement("div");
      g.className = "row ghost";
      g.setAttribute("role", "presentation");
      this.ghosts[i] = g;
      this.element.append(g);
    }
    this.ghosts[i].style.transform = `translateY(${y}px)`;
  }

  // load reads a chunk. There is one request of a chunk at a time.
  load(c) {
    return c.loading ||= (async () => {
      const generation = this.generation;
      try {
        const limit = c.rest ? perChunk : Math.min(1000, Math.max(perChunk, c.n));
        const r = await ask({ filter: this.filter, before: c.hi === Infinity ? "" : c.hi, from: c.lo || "", limit }, this.asking.signal);
        const i = this.chunks.indexOf(c);
        if (generation !== this.generation || i < 0) return;
        const late = c.late || [], above = this.chunks.slice(0, i).reduce((n, o) => n + o.n, 0) * this.row;
        const old = c.n;
        c.rows = r.rows;
        for (const row of late) put(c.rows, row); // newer than the answer
        c.n = c.rows.length;
        c.last = performance.now();
        if (above + old * this.row <= this.top) this.top += (c.n - old) * this.row;
        if (c.rest && r.next) this.chunks.splice(i + 1, 0, { hi: r.next, rows: null, n: 6, rest: true });
        else if (r.next > (c.lo || 0)) this.chunks.splice(i + 1, 0, { hi: r.next, lo: c.lo, rows: null, n: Math.max(1, old - c.n) });
        if (r.next > (c.lo || 0)) c.lo = r.next;
        c.rest = false;
        if (!r.next) this.chunks.length = i + 1; // there is nothing older
        this.evict();
        this.draw();
      } catch (err) {
        this.on.failed(err);
        if (generation === this.generation) await new Promise((done) => setTimeout(done, 2000));
      } finally {
        c.loading = c.late = null;
      }
    })();
  }

  evict() {
    let held = 0, y = 0;
    const all = this.chunks.map((c) => {
      const distance = Math.abs(y + c.n * this.row / 2 - this.top);
      y += c.n * this.row;
      if (c.rows) held += c.n;
      return { c, distance };
    });
    if (held <= mostRows) return;
    all.sort((a, b) => b.distance - a.distance);
    for (const { c } of all) {
      if (held <= mostRows * 0.8) return;
      if (c.rows && c.hi !== Infinity && c.lo) { held -= c.n; c.rows = null; }
    }
  }

  // arrive takes a row of the stream: a new one, or one that has changed.
  arrive(html, pin) {
    this.arrivals.push(...read(html).map((row) => ({ row, pin })));
    this.arriving ||= setTimeout(() => requestAnimationFrame(() => this.take()), Math.max(0, this.taken + pace - performance.now()));
  }

  take() {
    const all = this.arrivals, changed = [];
    this.arrivals = [];
    this.arriving = 0;
    this.taken = performance.now();
    let added = 0;
    for (const one of all) {
      const { row, pin } = one, at = this.find(row.seq);
      const c = at?.chunk || this.chunks.find((c) => row.seq >= (c.lo || 0) && row.seq < c.hi);
      if (c?.loading) (c.late ||= []).push(row);
      if (pin) changed.push(one);
      if (!c || !c.rows) continue; // it is read when one gets there
      if (!pin) changed.push(one);
      if (at) { at.chunk.rows[at.i] = row; continue; }
      row.isNew = true;
      put(c.rows, row);
      c.n++;
      if (!pin) added++;
      if (this.top >= this.row) this.top += this.row;
    }
    const head = this.chunks[0];
    while (head.n > 1200) { // so that what is far below can be let go
      const rows = head.rows.splice(head.n - 600);
      const lo = head.lo;
      head.n = head.rows.length;
      head.lo = rows[0].seq + 1;
      this.chunks.splice(1, 0, { hi: rows[0].seq + 1, lo: lo || rows.at(-1).seq, rows, n: rows.length });
    }
    if (added && this.top >= this.row) { this.fresh += added; this.on.fresh(this.fresh); }
    this.evict();
    this.draw();
    for (const { row, pin } of changed) pin ? this.on.pinned(row) : this.on.arrived(row);
  }

  // recheck reads anew what is held, because some of it may be in the store no longer.
  // What is seen stays until then.
  async recheck() {
    this.again = true;
    if (this.checking) return;
    for (this.checking = true; this.again;) {
      this.again = false;
      let y = 0;
      const seen = this.chunks.filter((c) => {
        const from = y, held = c.rows;
        y += c.n * this.row;
        if (held && (c.hi === Infinity || !c.lo || y > this.top && from < this.top + this.view)) return true;
        if (held) c.rows = null;
        return false;
      });
      for (const c of seen) { await c.loading; await this.load(c); }
    }
    this.checking = false;
  }

  // renew reads a row that the page itself has changed; the filter may let it through no
  // longer.
  async renew({ seq, id }) {
    const generation = this.generation;
    const { rows: [row] } = await ask({ filter: this.filter, before: seq + 1, from: seq, limit: 1 });
    if (generation !== this.generation) return;
    const at = this.find(seq);
    if (!row) this.drop(id);
    else if (at) { at.chunk.rows[at.i] = row; this.draw(); }
  }

  drop(id) {
    for (const c of this.chunks) {
      const i = c.rows ? c.rows.findIndex((r) => r.id === id) : -1;
      if (i < 0) continue;
      if (this.marked.delete(c.rows[i].seq)) this.on.marked();
      c.rows.splice(i, 1);
      c.n--;
      this.draw();
      return;
    }
  }

  find(seq) {
    let y = 0;
    for (const chunk of this.chunks) {
      if (chunk.rows && chunk.n && seq <= chunk.rows[0].seq && seq >= chunk.rows[chunk.n - 1].seq) {
        let lo = 0, hi = chunk.n - 1; // numbers fall
        while (lo < hi) {
          const mid = (lo + hi) >> 1;
          if (chunk.rows[mid].seq <= seq) hi = mid; else lo = mid + 1;
        }
        if (chunk.rows[lo].seq === seq) return { chunk, i: lo, y: y + lo * this.row, row: chunk.rows[lo] };
      }
      y += chunk.n * this.row;
    }
    return null;
  }

  select(at, { open = false, quiet = false } = {}) {
    this.selected = this.was = at.row.seq;
    if (this.view) this.bring(at);
    this.draw();
    if (!quiet) this.on.selected(at.row, open);
  }

  // bring has the list scrolled so that a row is seen, and one beside it.
  bring(at) {
    if (!at) return;
    if (at.y < this.top) this.top = Math.max(0, at.y - this.row);
    else if (at.y + this.row > this.top + this.view) this.top = at.y + 2 * this.row - this.view;
  }

  // mark marks a recording, and those that are held between it and another; no longer, if it
  // was marked.
  mark(seq, to = seq) {
    const on = !this.marked.has(seq), [first, last] = seq < to ? [seq, to] : [to, seq];
    for (const n of [seq, ...this.chunks.flatMap((c) => c.rows || []).map((row) => row.seq)]) {
      if (n >= first && n <= last) on ? this.marked.add(n) : this.marked.delete(n);
    }
    this.draw();
    this.on.marked();
  }

  unmark() {
    this.marked.clear();
    this.draw();
    this.on.marked();
  }

  // step goes n rows on and reads what is not there yet.
  async step(n) {
    const at = this.selected && this.find(this.selected), was = !at && this.was && this.find(this.was);
    if (was) { this.select(was); return; } // who closed it, and goes on
    if (!at) {
      const first = this.chunks.find((c) => c.n);
      if (first?.rows) this.select({ row: first.rows[0], y: 0 });
      return;
    }
    let ci = this.chunks.indexOf(at.chunk), i = at.i + n;
    for (;;) {
      const c = this.chunks[ci];
      if (i >= 0 && i < c.n) break;
      if (i < 0) { if (!ci) return; ci--; } else { i -= c.n; ci++; }
      const next = this.chunks[ci];
      if (!next) return;
      if (!next.rows) await this.load(next);
      if (!next.rows) return;
      if (i < 0) i = next.n - 1;
    }
    this.select(this.find(this.chunks[ci].rows[i].seq));
  }

  // seek goes on to the next row that is right, down or up, among those that are held
  // without a gap.
  seek(right, down) {
    const at = this.selected && this.find(this.selected);
    if (this.selected && !at) return false;
    let ci = at ? this.chunks.indexOf(at.chunk) : 0, i = at ? at.i + (down ? 1 : -1) : 0;
    for (; this.chunks[ci]?.rows; ci += down ? 1 : -1, i = down ? 0 : (this.chunks[ci]?.n || 0) - 1) {
      const c = this.chunks[ci];
      for (; i >= 0 && i < c.n; i += down ? 1 : -1) if (right(c.rows[i])) { this.select(this.find(c.rows[i].seq)); return true; }
    }
    return false;
  }

  // reach chooses the row of a number that the filter lets through, however far it is from
  // what was read. With a filter nobody knows how many rows are between: a chunk with a
  // guess stands for them. still: whether it is wanted, once it was read.
  async reach(seq, { quiet = false, still = () => true } = {}) {
    let c = this.chunks.find((c) => seq >= (c.lo || 0) && seq < c.hi);
    if (!c) return false;
    if (c.loading) { await c.loading; return this.reach(seq, { quiet, still }); }
    if (!c.rows && (c.rest || c.n > perChunk) && seq + 1 < c.hi) {
      const read = this.chunks.filter((o) => o.rows?.length);
      const dense = read.reduce((n, o) => n + o.n, 0) / read.reduce((n, o) => n + o.rows[0].seq - o.rows.at(-1).seq + 1, 0);
      const n = Math.max(1, Math.round((c.hi - seq - 1) * dense)), above = { hi: c.hi, lo: seq + 1, rows: null, n };
      const mine = { ...c, hi: seq + 1, n: c.rest ? c.n : Math.max(1, c.n - n), loading: null };
      this.chunks.splice(this.chunks.indexOf(c), 1, above, mine);
      c = mine;
    }
    if (!c.rows) await this.load(c);
    const at = this.find(seq);
    if (at && still()) this.select(at, { quiet });
    return !!at;
  }

  // head are the newest rows that are held, and the number that all others are older than;
  // 0: there are none.
  get head() { return { rows: this.chunks[0]?.rows || [], next: this.chunks[0]?.lo || 0 }; }

  // beside is the row that is chosen when that of seq has gone: the next older one that
  // was read, else the next newer one.
  beside(seq) {
    const at = this.find(seq);
    if (!at) return null;
    const rows = this.chunks.flatMap((c) => c.rows || []), i = rows.indexOf(at.row);
    return rows[i + 1] || rows[i - 1] || null;
  }

  first() {
    this.top = 0;
    const c = this.chunks.find((c) => c.n);
    if (c?.rows) this.select({ row: c.rows[0], y: 0 }); else this.draw();
  }

  // last goes to the oldest; with a filter it reads on until there is no more.
  async last() {
    for (let n = 0; n < 500; n++) {
      const c = this.chunks.at(-1);
      if (c.rows && c.n) {
        this.top = Infinity;
        this.select(this.find(c.rows.at(-1).seq));
        return;
      }
      if (c.rows) this.chunks.pop(); else await this.load(c);
      if (!this.chunks.length) return;
    }
  }
}

// put puts a row in its place, or in that of an older version of it.
function put(rows, row) {
  let i = rows.findIndex((o) => o.seq <= row.seq);
  if (i < 0) i = rows.length;
  rows.splice(i, rows[i]?.seq === row.seq ? 1 : 0, row);
}

// there tells whether a recording is in the store, whatever the filter. Another store has
// another one of its number.
export async function there(seq, id) {
  return (await ask({ filter: "origin:*", before: seq + 1, from: seq, limit: 1 })).rows[0]?.id === id;
}

// set changes an attribute only if it is another.
function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// ask reads rows.
async function ask(query, signal) {
  const words = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== ""));
  const r = await fetch("/page/rows?" + words, { signal });
  if (!r.ok) {
    const fault = await r.json().catch(() => ({ error: "devhook answered " + r.status }));
    throw Object.assign(new Error(fault.error), { fault });
  }
  const number = (name) => Number(r.headers.get("X-Devhook-" + name)) || 0;
  return { rows: read(await r.text()), next: number("Next"), oldest: number("Oldest") || 1, cursor: r.headers.get("X-Devhook-Cursor"), damaged: number("Damaged"), now: number("Now"), notes: decodeURIComponent(r.headers.get("X-Devhook-Notes") || "") };
}

function nodeOf(html) {
  const t = document.createElement("template");
  t.innerHTML = html; // written by the server's template, in which all else is text
  return t.content.firstElementChild;
}

function read(html) {
  const t = document.createElement("template");
  t.innerHTML = html;
  return [...t.content.children].map((e) => ({
    seq: +e.dataset.seq, id: e.dataset.id, at: +e.dataset.at, kind: e.dataset.class, took: e.dataset.took === undefined ? null : +e.dataset.took / 1000,
    pinned: e.dataset.pinned !== undefined, bad: e.dataset.class === "fail" || e.dataset.bad !== undefined, name: e.querySelector(".nm").textContent, html: e.outerHTML,
  }));
}
