// The stream of the journal, one for the page. htmx's extension opens it and opens it
// again if it was refused; a browser does so itself if it broke, and says where it was.
// A page that nobody sees has none, be it one of many that were opened behind this one: a
// browser has six connections of one host, for all its pages.

const unseenFor = 5_000; // ms, after which it is let go of

export class Live {
  // on: row(html, pin), gone(id), removed(), reset(), state(word)
  constructor(on) {
    this.on = on;
    window.htmx.createEventSource = (url) => this.open(url);
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.leaving);
      if (document.hidden) this.leaving = setTimeout(() => this.close(), unseenFor);
      else if (!this.source) this.start(this.filter, this.after);
    });
    addEventListener("pagehide", () => this.close());
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

  close() {
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
    this.on.state("live");
    document.body.dispatchEvent(new Event("devhook:open"));
  }
}
