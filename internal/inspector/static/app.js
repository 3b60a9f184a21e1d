// The page of the inspector: what holds its parts together.
import { Chart } from "./chart.js";
import { focused, openDialog, shown as visible } from "./dialog.js";
import { Editor } from "./editor.js";
import { fold, unfold } from "./fold.js";
import { Filter } from "./filter.js";
import { List, there } from "./list.js";
import { Live } from "./live.js";
import { Many } from "./many.js";
import { upgrade } from "./body.js";
import { call, clean, copy, el, say, told } from "./text.js";

const $ = (id) => document.getElementById(id);
const pane = $("pane"), scroller = $("scroller"), listing = $("list");
const chart = new Chart($("chart"));
let tab = "request"; // that is shown, also of the next exchange

// The pane.

let missed = false; // what is to be shown was not to be had
let here = location.pathname; // what is shown, or on its way
let focusing = ""; // what has the focus as soon as it is shown
let paneTimer = 0, folding = 0, searching = 0, relocating = 0;

function path() { return here; }

function address(to) {
  const filter = $("filter").value.trim();
  return to + (filter ? "?filter=" + encodeURIComponent(filter) : "");
}

// locate has the address tell what is shown. WebKit lets a page do that 100 times in 10 s,
// and who holds a key down is faster: then it is done later.
function locate(how = "replaceState") {
  clearTimeout(relocating);
  try { history[how]({}, "", address(here)); } catch { relocating = setTimeout(locate, 1000); }
}

// go shows what is at to. push: the browser goes back to what was before.
async function go(to, { push = true, focus = false } = {}) {
  clearTimeout(paneTimer);
  missed = false;
  focusing = focus ? to : "";
  here = to;
  if (to !== location.pathname) locate(push ? "pushState" : "replaceState");
  document.body.dataset.view = to === "/" ? "list" : "pane";
  pane.setAttribute("aria-busy", "true");
  try {
    await window.htmx.ajax("GET", to, { target: "#pane", swap: "innerHTML", source: "#pane" });
  } catch { /* htmx tells by its events */ }
  pane.removeAttribute("aria-busy");
}

// publicURL is what providers are told, and what the start and the pages of providers say.
const publicURL = () => $("status").querySelector("[data-do=copy]")?.dataset.text;
let saidURL = publicURL();

document.body.addEventListener("htmx:afterSwap", (e) => {
  if (e.detail.target === $("status") && saidURL !== publicURL()) {
    saidURL = publicURL();
    if (/^\/(providers\/.*)?$/.test(path())) go(path(), { push: false });
  }
  if (e.detail.target !== pane) return;
  document.title = e.detail.xhr.getResponseHeader("X-Devhook-Title") || "devhook";
  pane.scrollTop = 0;
  shown();
  if (focusing === e.detail.requestConfig.path) pane.querySelector("h1")?.focus({ preventScroll: true });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(name, (e) => {
    if (e.detail.target !== pane) return;
    missed = true;
    say("devhook does not answer. Is it still running?", { kind: "fail" });
  });
}

// shown makes what has come into the pane work.
function shown() {
  const article = pane.querySelector("article[data-seq]");
  if (article) useTab(telling(article), false);
  marks();
  const chosen = list.selected && list.find(list.selected)?.row.id;
  if (article && chosen !== article.dataset.id && path() === "/x/" + chosen) return; // what comes is late: another was chosen meanwhile
  const seq = +article?.dataset.seq, at = article && list.find(seq);
  if (at) { if (list.selected !== at.row.seq) list.select(at, { quiet: true }); return; }
  list.selected = null;
  list.draw();
  // What is shown by a link or a bookmark can be far from what was read of the list. Under a
  // filter it may not be in it.
  if (article && !list.filter) list.reach(seq, { quiet: true, still: () => !list.selected && +current()?.dataset.seq === seq });
}

// telling is the tab to begin with: that of before, or, of a comparison, one where
// something differs.
function telling(article) {
  const part = article.querySelector("#part-" + tab) || article.querySelector("#part-request");
  return (part.querySelector(":scope > .same") && article.querySelector("[role=tabpanel] > .table > .changes")?.closest("[role=tabpanel]") || part).id.slice(5);
}

function useTab(name, focus) {
  const all = [...pane.querySelectorAll("[role=tab]")];
  const found = all.find((t) => t.id === "tab-" + name) || all[0];
  const pair = new Set(["tab-request", "tab-response"]), beside = wide.matches && pair.has(found.id);
  for (const t of all) {
    t.setAttribute("aria-selected", String(t === found));
    t.tabIndex = t === found ? 0 : -1;
    $(t.getAttribute("aria-controls")).hidden = t !== found && !(beside && pair.has(t.id));
  }
  found.closest("article").classList.toggle("beside", beside);
  if (focus) found.focus();
  upgrade(pane, pick);
  fold(pane);
}

// pick filters for a value of a body.
function pick(at, node) {
  const name = at.map((p) => p.replaceAll("\\", "\\\\").replaceAll(".", "\\.")).join(".");
  filter.add(`body.${name}=${node.raw}`);
}

const wide = matchMedia("(min-width: 1900px)");
addEventListener("resize", () => { clearTimeout(folding); folding = setTimeout(() => fold(pane), 150); });
wide.addEventListener("change", () => { if (pane.querySelector("[role=tab]")) useTab(tab, false); });

function current() { return pane.querySelector("article[data-id]"); }

// The list.

const list = new List(scroller, listing, {
  selected(row, open) {
    clearTimeout(paneTimer);
    if (open) { go("/x/" + row.id, { focus: narrow() }); return; }
    if (narrow()) return; // the list stays; Enter opens
    here = "/x/" + row.id;
    paneTimer = setTimeout(() => go(here, { push: false }), 60); // who holds the key down is not shown all
  },
  fresh(n) {
    $("fresh").hidden = !n;
    $("fresh").textContent = `↑ ${n} new`;
  },
  counted(n, more, guess) {
    $("count").textContent = n || more ? `${guess && !more ? "about " : ""}${n.toLocaleString("en")}${more ? "+" : ""}` : "";
    offered = n && list.filter;
    offer();
    const none = $("none");
    none.hidden = n > 0 || more;
    if (!none.hidden) {
      none.replaceChildren($("filter").value.trim()
        ? el("p", {}, "Nothing matches this filter yet. ", el("button", { type: "button", class: "link", "data-do": "clear" }, "Clear it"))
        : el("p", {}, "No webhook has come yet. ", el("a", { href: "/providers", "data-pane": true }, "Choose a provider"), " to see where its URL goes, or to send yourself one."));
    }
  },
  arrived(row) {
    chart.add(row);
    heard(row);
    started(row);
    const open = current();
    if (open && open.dataset.id === row.id && !open.classList.contains("diffpane") && path().startsWith("/x/")) go(path(), { push: false });
  },
  marked() {
    offer();
    marks();
    $("spoken").textContent = list.marked.size ? `${list.marked.size} marked` : "None is marked";
  },
  pinned(row) {
    const open = current();
    if (open?.dataset.id === row.id) open.toggleAttribute("data-pinned", row.pinned);
  },
  failed(err) { if (err.name !== "AbortError" && $("live").dataset.state !== "lost") say("The list cannot be read: " + err.message, { kind: "fail" }); },
});

// started has the start tell what came since it was shown: that there is a first one, and
// what failed of late; and the page of a provider its newest.
let lately = 0;
function started(row) {
  if (path() === "/" && pane.querySelector(".home[data-empty]")) go("/", { push: false, focus: pane.contains(document.activeElement) });
  if (path() === "/" ? row.bad : path().startsWith("/providers/")) lately ||= setTimeout(() => { lately = 0; window.htmx.trigger(document.body, "devhook:came"); }, 1000);
}

// offer shows what is done with many: with those that are marked, or all that the filter shows.
let offered = false;
function offer() {
  const n = list.marked.size;
  $("again").hidden = !n && !offered;
  $("again").textContent = n ? `Replay ${n} marked` : "Replay these";
  $("unmark").hidden = !n;
}

// marks tells of what is shown whether it is marked.
function marks() {
  const open = current();
  if (open?.dataset.seq) open.toggleAttribute("data-marked", list.marked.has(+open.dataset.seq));
}

function narrow() { return matchMedia("(max-width: 899px)").matches; }

// heard tells who cannot see the list what came, at most each five seconds, and each thirty
// while they stream in, as somebody reads meanwhile: of one alone what it is.
let came = 0, cameBad = 0, speaking = 0, unheard = 5000;
function heard(row) {
  if (row.kind === "wait") return;
  came++;
  if (row.bad) cameBad++;
  speaking ||= setTimeout(() => {
    $("spoken").textContent = came === 1 ? `1 webhook, ${row.name.slice(0, 80)}${cameBad ? ", failed" : ""}` : `${came} webhooks${cameBad ? `, ${cameBad} failed` : ""}`;
    unheard = came * 1000 > unheard ? 30_000 : 5000;
    came = cameBad = speaking = 0;
  }, unheard);
}

// The filter and the stream.

const live = new Live({
  row: (html, pin) => list.arrive(html, pin),
  removed: () => { list.recheck().then(() => chart.load(list.filter, list.head)); still(); },
  gone: (id) => list.drop(id),
  reset: () => { list.unmark(); refresh(filter.input.value.trim()); still(); }, // the store is another one
  state(word) {
    const box = $("live");
    if (box.dataset.state === word) return false;
    box.dataset.state = word;
    if (word === "live" && missed) go(path(), { push: false });
    box.textContent = { live: "Live", lost: "Disconnected, trying again…" }[word];
    return true;
  },
});

async function refresh(text) {
  chart.stop();
  scroller.classList.add("stale");
  clearTimeout(searching);
  searching = setTimeout(() => { $("note").textContent = "Searching…"; }, 500); // bodies of a million take seconds
  try {
    const r = await list.reload(text);
    clearTimeout(searching);
    filter.show(null, r.notes);
    live.start(text, r.cursor);
    chart.load(text, list.head, r.now);
    damaged(r.damaged);
    locate();
    const open = current(), at = open && list.find(+open.dataset.seq);
    if (at && at.row.id === open.dataset.id) { list.selected = at.row.seq; list.draw(); }
  } catch (err) {
    if (err.name === "AbortError") return; // another search has begun
    clearTimeout(searching);
    if (!err.fault) $("note").textContent = "";
    if (err.fault) filter.show(err.fault); else say("devhook does not answer. Is it still running?", { kind: "fail" });
  }
  scroller.classList.remove("stale");
}

function damaged(n) {
  if (n) say(`${n} ${n === 1 ? "line" : "lines"} of the journal cannot be read; “devhook list” names them.`, { kind: "fail" });
}

const filter = new Filter($("filter"), { changed: refresh, edited: () => { scroller.classList.add("stale"); clearTimeout(searching); list.stop(); chart.stop(); } });

// What can be done.

const editor = new Editor($("editor"), { sent });
const many = new Many($("repeater"), { show: (text) => filter.set(text) });

function sent({ exchange, unsigned }) {
  const status = exchange.response?.status, bad = !status || status >= 400 || exchange.outcome !== "answered";
  say(`#${exchange.seq}: ${status ?? exchange.outcome}${exchange.outcome === "unreachable" ? ", the app did not answer" : ""}${unsigned ? ", not signed anew: " + unsigned : ""}`,
    { kind: bad ? "fail" : "good", path: "/x/" + exchange.id, link: "Open" });
}

async function doing(button, work) {
  if (button?.disabled) return;
  const back = document.activeElement === button && focused(); // a button that is disabled has no focus
  if (button) button.disabled = true;
  try { await work(); } catch (err) { say(err.message, { kind: "fail" }); } finally { if (button) button.disabled = false; }
  if (back && document.activeElement === document.body) back();
}

const does = {
  replay: (b) => withOpen((id) => doing(b, async () => sent(await call("POST", "/devhook/v1/replay", { ref: id })))),
  edit: (b) => withOpen((id) => { const back = focused(); doing(b, () => editor.open(id, back)); }),
  curl: (b) => withOpen((id) => doing(b, () => copy(fetch(`/x/${id}/curl`).then(async (r) => {
    const text = await r.text();
    if (!r.ok) throw new Error(told(JSON.parse(text)));
    return text;
  }), "The curl command is"))),
  diff: () => withOpen((id) => go(`/x/${id}/before`)),
  save: () => withOpen(() => {
    const a = current(), f = $("saver").querySelector("form").elements;
    const known = a.dataset.provider, name = `${known}/${(a.dataset.name || "").replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60) || "event"}`;
    f.name.value = known ? name : ""; // a fixture is one of a provider
    $("saver-fault").className = known ? "fault" : "dim";
    $("saver-fault").textContent = known ? "" : `Its provider is not known. Name one, or write it to a file: devhook save ${a.dataset.seq} FILE`;
    openDialog($("saver"));
    f.name.select();
  }),
  judge: (b) => withOpen((id) => doing(b, async () => {
    const v = (await call("POST", "/devhook/v1/verify", { ref: id })).verdict;
    const words = [v.status, v.reason, v.detail, v.hint].filter(Boolean).join(" · ");
    pane.querySelector(".card .again").replaceChildren(el("p", { class: v.status === "valid" ? "good" : "fault" }, "With the secrets of now: " + clean(words)));
  })),
  pin: (b) => withSubject((of) => doing(b, async () => {
    const { pinned } = await call(of.pinned ? "DELETE" : "PUT", `/devhook/v1/exchanges/${of.id}/pin`);
    const open = current();
    if (open?.dataset.id === of.id) open.toggleAttribute("data-pinned", pinned);
    say(`#${of.seq} is ${pinned ? "pinned: it stays when recordings are pruned" : "no longer pinned"}`);
    await list.renew(of);
  })),
  remove: () => withSubject((of) => {
    if (of.pinned) { say(`#${of.seq} is pinned. Unpin it first (p).`, { kind: "fail" }); return; }
    removed = of;
    $("remover-seq").textContent = "#" + of.seq;
    $("remover-name").textContent = clean((of.name || "").slice(0, 120)) + (of.name?.length > 120 ? "…" : "");
    $("remover-fault").textContent = "";
    openDialog($("remover"));
  }),
  trigger: (b) => doing(b, async () => sent(await call("POST", "/devhook/v1/trigger", { fixture: b.dataset.fixture }))),
  again: () => {
    const text = filter.input.value.trim(); // which the list may not have read yet
    if (!list.marked.size && !text) say("Mark some (m), or filter (/): these are then replayed.");
    else many.open(text, [...list.marked]);
  },
  mark: () => {
    const seq = list.selected || +current()?.dataset.seq;
    if (seq) list.mark(seq); else say("Choose a webhook first.");
  },
  unmark: () => { list.unmark(); listing.focus({ preventScroll: true }); },
  unfold,
  copy: (b) => copy(b.dataset.text, "The URL is"),
  help: () => openDialog($("help")),
  shut: (b) => b.closest("dialog").close(),
  send: () => editor.send(),
  clear: () => { filter.set(""); filter.input.focus(); },
  top: () => { list.top = 0; list.draw(); listing.focus({ preventScroll: true }); },
  close: () => {
    const of = pane.querySelector(".diffpane, form[data-id]"), back = of && "/x/" + of.dataset.id;
    if (back && path() !== back) go(back, { focus: narrow() }); else go("/");
    if (!narrow() || path() === "/") listing.focus({ preventScroll: true });
  },
};

function withOpen(f) {
  const id = current()?.dataset.id;
  if (id) f(id); else say("Choose a webhook first.");
}

// withSubject is withOpen for what changes a recording: the pane comes a moment after the
// row was chosen, and it is the row that is meant.
function withSubject(f) {
  const row = list.selected && list.find(list.selected)?.row, open = current();
  if (row && path() === "/x/" + row.id) f(row);
  else if (open) f({ id: open.dataset.id, seq: +open.dataset.seq, name: open.dataset.name, pinned: open.dataset.pinned !== undefined });
  else say("Choose a webhook first.");
}

// still tells if what is shown is in the store no longer: somebody else has deleted it.
async function still() {
  const open = current();
  if (!open || open.dataset.gone) return;
  try { if (await there(+open.dataset.seq, open.dataset.id)) return; } catch { return; } // the state of the connection tells
  if (!open.isConnected) return;
  open.dataset.gone = "yes";
  for (const b of open.querySelectorAll(".actions button, .card button")) b.disabled = true;
  open.querySelector(".head").after(el("p", { class: "lost", role: "status" }, "This recording is in the store no longer. What is shown here is all that is left of it."));
}

let removed = null; // that is asked about

async function remove(of) {
  const note = $("remover-fault"), slow = setTimeout(() => { note.className = "dim"; note.textContent = "Deleting. What stands around it is written anew."; }, 500);
  try { await call("DELETE", "/devhook/v1/exchanges/" + of.id); } finally { clearTimeout(slow); note.className = "fault"; note.textContent = ""; }
  const next = list.beside(of.seq), open = current()?.dataset.id === of.id || path() === "/x/" + of.id;
  list.drop(of.id);
  $("remover").close();
  say(`#${of.seq} is deleted`, { kind: "good" });
  if (!open) return;
  const at = next && !narrow() && list.find(next.seq);
  if (at) list.select(at, { quiet: true });
  go(at ? "/x/" + next.id : "/", { push: false });
  listing.focus({ preventScroll: true });
}

document.addEventListener("click", (e) => {
  const b = e.target.closest("[data-do]");
  if (b && b.tagName === "BUTTON") { does[b.dataset.do]?.(b); return; }
  const t = e.target.closest("[role=tab]");
  if (t) { tab = t.id.slice(4); useTab(tab, false); return; }
  const a = e.target.closest("a[data-pane]");
  if (a && !(e.metaKey || e.ctrlKey || e.shiftKey || e.button)) { e.preventDefault(); go(new URL(a.href).pathname, { focus: true }); }
});

document.addEventListener("submit", (e) => {
  const f = e.target;
  if (f.dataset.do === "compare") {
    e.preventDefault();
    const id = f.dataset.id || current()?.dataset.id, other = f.elements.other.value.trim().replace(/^#/, "");
    if (other) go(`/diff/${encodeURIComponent(other)}/${id}`);
  } else if (f.closest("#remover")) {
    e.preventDefault();
    doing(e.submitter, () => remove(removed).catch((err) => { $("remover-fault").textContent = clean(err.message); }));
  } else if (f.closest("#repeater")) {
    e.preventDefault();
    many.send();
  } else if (f.closest("#saver")) {
    e.preventDefault();
    const v = f.elements;
    call("POST", "/devhook/v1/fixtures", { ref: current().dataset.id, name: v.name.value.trim(), raw: v.raw.checked, force: v.force.checked }).then((r) => {
      $("saver").close();
      say(`Saved as ${r.path}${r.replaced?.length ? `; replaced: ${r.replaced.join(", ")}` : ""}`, { kind: "good" });
    }, (err) => { $("saver-fault").className = "fault"; $("saver-fault").textContent = clean(err.message); });
  }
});

document.addEventListener("input", (e) => {
  if (e.target === letters) try { localStorage.devhookLetters = letters.checked ? "on" : "off"; } catch { /* as below */ }
  if (e.target.id !== "narrow") return;
  const text = e.target.value.toLowerCase();
  for (const li of $("tiles").children) li.hidden = !li.textContent.toLowerCase().includes(text);
});

// Keys. Who speaks to the computer can switch off those that are a letter: what is dictated
// would press them (WCAG 2.1.4).

const letters = $("letters");
try { letters.checked = localStorage.devhookLetters !== "off"; } catch { /* a browser that keeps nothing */ }

const keys = {
  j: () => list.step(1), ArrowDown: () => list.step(1), k: () => list.step(-1), ArrowUp: () => list.step(-1),
  g: () => list.first(), Home: () => list.first(), G: () => list.last(), End: () => list.last(),
  PageDown: () => list.step(Math.floor(list.view / list.row) - 1), PageUp: () => list.step(1 - Math.floor(list.view / list.row)),
  n: () => failure(true), N: () => failure(false),
  r: () => does.replay(), R: () => does.edit(), A: () => does.again(), d: () => does.diff(), y: () => does.curl(), c: () => copyBody(), s: () => does.save(), p: () => does.pin(), m: () => does.mark(), M: () => list.unmark(), x: () => does.remove(), Delete: () => does.remove(), "?": () => does.help(),
  "/": () => { document.body.dataset.view = "list"; filter.input.focus(); filter.input.select(); },
  Enter() { const at = list.selected && list.find(list.selected); if (at) go("/x/" + at.row.id, { focus: true, push: path() !== "/x/" + at.row.id }); },
  Escape: () => { if (path() !== "/") does.close(); else listing.focus({ preventScroll: true }); },
};
for (const n of [1, 2, 3, 4]) keys[n] = () => { const t = pane.querySelectorAll("[role=tab]")[n - 1]; if (t) { tab = t.id.slice(4); useTab(tab, true); } };
const ofList = new Set(["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp"]); // elsewhere they scroll

function copyBody() {
  const b = pane.querySelector("[role=tabpanel]:not([hidden]) .copy");
  if (b) b.click(); else say("No body is shown here that could be copied as text.");
}

// failure goes to the next failure under the filter, however far it is.
let looking = null;
async function failure(down) {
  if (looking || list.seek((row) => row.bad, down)) return;
  const { signal } = list.asking, from = list.selected;
  let found = 0;
  try {
    if (from || down) {
      looking = fetch("/page/failure?" + new URLSearchParams({ filter: list.filter, [down ? "before" : "after"]: from || "" }), { signal });
      found = (await (await looking).json()).seq;
    }
    if (found && list.selected === from) await list.reach(found);
  } catch { if (!signal.aborted) say("devhook does not answer. Is it still running?", { kind: "fail" }); return; } finally { looking = null; }
  if (!found) say(down ? "No older failure here." : "No newer failure.");
}

// keyOf is what a key writes; where that is no Latin letter, what is on the same key of who
// writes those.
function keyOf({ key, code, shiftKey }) {
  const [, letter] = key > "\x7f" && /^Key(.)$/.exec(code) || [];
  return !letter ? key : shiftKey ? letter : letter.toLowerCase();
}

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || document.querySelector("dialog[open]")) return;
  const on = e.target;
  if (on.matches?.("input, textarea, select") && visible(on)) return; // a field of a dialog that has just closed keeps the focus for a moment
  if (on.matches?.("[role=tab]") && (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
    const all = [...pane.querySelectorAll("[role=tab]")], i = all.indexOf(on) + (e.key === "ArrowRight" ? 1 : all.length - 1);
    tab = all[i % all.length].id.slice(4);
    useTab(tab, true);
    return;
  }
  if (ofList.has(e.key) && on !== document.body && !listing.contains(on)) return;
  if (e.key === "Enter" && on !== document.body && on !== listing) return; // a button, a link
  const key = keyOf(e), f = keys[key];
  if (!f || key.length === 1 && !letters.checked) return;
  e.preventDefault();
  if ((on === document.body || listing.contains(on)) && (ofList.has(key) || "jkgGnN".includes(key))) listing.focus({ preventScroll: true }); // else it is not heard what is chosen
  if (!e.repeat || ofList.has(key) || "jknN".includes(key)) f(); // who holds a key down walks, and does nothing twice
});

addEventListener("popstate", () => {
  const text = new URLSearchParams(location.search).get("filter") || "";
  go(location.pathname, { push: false });
  if (text !== filter.input.value.trim()) filter.set(text); // that of then
});

// The start.

const first = $("none").dataset, text = filter.input.value.trim(), wrong = $("fault").textContent;
if (wrong) { // all is shown, until it is right, and where it is wrong
  list.start({ next: 0, oldest: 1, filter: "" });
  refresh("").then(() => list.reload(text)).catch((err) => filter.show(err.fault));
} else {
  const unread = $("none").textContent;
  list.start({ next: +first.next, oldest: +first.oldest || 1, filter: text });
  live.start(text, first.cursor);
  chart.load(text, list.head, +first.now);
  damaged(+first.damaged);
  if (unread) refresh(text); // tells why
}
$("zone").hidden = +$("zone").dataset.offset === -60 * new Date().getTimezoneOffset(); // it may be that of a container
shown();
document.documentElement.dataset.ready = "yes";
