// The stream of the journal, one for the page. htmx's extension opens it and opens it
// again if it was refused; a browser does so itself if it broke, and says where it was.
// A page that nobody sees has none, be it one of many that were opened behind this one: a
// browser has six connections of one host, for all its pages. So no more than four that are
// seen keep theirs. Others take turns: they ask what came since, and let go of it again.

const unseenFor = 5_000; // ms, after which it is let go of
const places = 4, turnLasts = 500, turnEvery = 2_000; // ms

export class Live {
  // on: row(html, pin), gone(id), removed(), reset(), state(word), which says whether it is another
  constructor(on) {
    this.on = on;
    window.htmx.createEventSource = (url) => this.open(url);
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.leaving);
      if (document.hidden) this.leaving = setTimeout(() => this.leave(), unseenFor);
      else if (!this.source) this.start(this.filter, this.after);
    });
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (e) => { if (e.persisted) this.start(this.filter, this.after); });
  }

  // start follows from a cursor on.
  start(filter, after) {
    this.close();
    Object.assign(this, { filter, after });
    if (document.hidden) return; // it begins when it is seen
    this.holder = document.createElement("div");
    this.holder.hidden = true;
    this.holder.setAttribute("hx-ext", "sse");
    this.holder.setAttribute("sse-connect", "/page/events" + (filter ? "?filter=" + encodeURIComponent(filter) : ""));
    document.body.append(this.holder);
    window.htmx.process(this.holder);
  }

  // keep takes one of the places, if one is free. A browser that has no locks, as beside
  // https and this machine, keeps each stream.
  keep(n = 1) {
    if (n > places || this.left) return;
    navigator.locks.request("devhook stream " + n, { ifAvailable: true }, (lock) => {
      if (!lock || this.left) return this.keep(n + 1);
      clearTimeout(this.turn);
      return new Promise((done) => { this.left = done; });
    });
  }

  // takeTurn lets go of a stream that has no place, when what came since has come, for a while.
  takeTurn() {
    if (this.left || !navigator.locks) return;
    this.keep();
    clearTimeout(this.turn);
    this.turn = setTimeout(() => {
      if (this.left) return;
      this.close();
      this.turn = setTimeout(() => this.start(this.filter, this.after), turnEvery);
    }, turnLasts);
  }

  // leave gives up the place, too.
  leave() {
    this.close();
    this.left?.();
    this.left = null;
  }

  close() {
    clearTimeout(this.turn);
    this.source?.close();
    this.source = null;
    this.holder?.remove();
  }

  open(url) {
    this.source?.close();
    const from = this.after ? (url.includes("?") ? "&" : "?") + "after=" + encodeURIComponent(this.after) : "";
    const source = this.source = new EventSource(url + from);
    const hear = (name, what) => source.addEventListener(name, (e) => {
      if (source !== this.source || e.data === undefined) return; // "open" is an event of the browser's, too
      this.after = e.lastEventId || this.after;
      what(e.data);
    });
    hear("open", () => this.up());
    hear("reset", () => { this.up(); this.on.reset(); });
    hear("row", (html) => this.on.row(html));
    hear("pin", (html) => this.on.row(html, true));
    hear("removed", () => this.on.removed());
    hear("gone", (id) => this.on.gone(JSON.parse(id)));
    source.addEventListener("error", () => { if (source === this.source) this.on.state("lost"); });
    return source;
  }

  up() {
    this.takeTurn();
    if (!this.on.state("live")) return;
    document.body.dispatchEvent(new Event("devhook:open"));
  }
}
