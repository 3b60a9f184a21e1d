// Replay many: what is marked, or else all that the filter shows.
import { openDialog } from "./dialog.js";
import { call, clean, el, say } from "./text.js";

// paces are the words of the API for those of the dialog.
const paces = { "": { concurrency: 1 }, "at once": { concurrency: 8 }, "1x": { speed: "1x" }, "10x": { speed: "10x" }, "10/s": { rate: "10/s" } };

const longest = 600; // s, that the API takes for all

export class Many {
  // show: shows the recordings that a filter lets through
  constructor(dialog, { show }) {
    Object.assign(this, { dialog, form: dialog.querySelector("form"), what: dialog.querySelector("#repeater-what"), fault: dialog.querySelector("#repeater-fault"), button: dialog.querySelector(".main"), shut: dialog.querySelector("footer [data-do=shut]"), progress: dialog.querySelector("#repeater-progress"), show });
    this.form.addEventListener("input", () => { clearTimeout(this.waiting); this.waiting = setTimeout(() => this.look(), 250); });
    dialog.addEventListener("close", () => { if (!dialog.open) this.stop(); }); // else it is open again
  }

  stop() {
    clearTimeout(this.waiting);
    this.looking?.abort();
    this.sending?.abort();
  }

  open(filter, marked) {
    this.stop();
    const n = marked.length;
    this.filter = n ? `seq:${ranges(marked)} origin:*` : filter;
    this.what.replaceChildren(...(n ? [n === 1 ? "The one that is marked goes" : `The ${n} that are marked go`] : ["All that ", el("code", {}, el("bdi", { id: "repeater-filter" }, clean(filter))), " lets through goes"]), " to the app once more, oldest first, signed anew.");
    this.button.textContent = "Replay";
    this.tell("");
    openDialog(this.dialog);
    this.look();
  }

  request() {
    const f = this.form.elements, r = { filter: this.filter, ...paces[f.pace.value], expect: f.expect.value, fresh_ids: f.fresh.checked, repeat: Math.max(1, +f.repeat.value || 1), shuffle: f.shuffle.checked, within: longest + "s" };
    if (f.shift.checked) r.shift_time = "now";
    if (f.to.value.trim()) r.to = f.to.value.trim();
    return r;
  }

  tell(text, bad = true) {
    this.fault.className = bad ? "fault" : "dim";
    this.fault.textContent = clean(text);
  }

  // look asks how many it would be, and whether all could be sent.
  async look() {
    if (this.sending) return;
    this.looking?.abort();
    const mine = this.looking = new AbortController();
    try {
      const { chosen, unsigned, lasts_ns = 0 } = await call("POST", "/devhook/v1/replays", { ...this.request(), dry_run: true }, mine.signal);
      if (mine !== this.looking || this.sending) return;
      this.button.textContent = `Replay ${chosen}`;
      const long = lasts_ns / 1e9 > longest;
      this.tell([lasts_ns && "It takes " + lasting(lasts_ns / 1e9) + (long ? `, and ends after ${lasting(longest)}: devhook replay --speed goes on` : ""), without(unsigned)].filter(Boolean).join("; "), long);
    } catch (err) {
      if (mine === this.looking && !mine.signal.aborted) this.tell(err.message);
    }
  }

  // send sends them, and shows how far it is. Who closes the dialog ends it.
  async send() {
    if (this.sending) return;
    this.looking?.abort();
    const mine = this.sending = new AbortController(), request = this.request(), bad = [];
    let chosen = 0, sent = 0, failed = 0, unsigned;
    this.begin(true);
    this.tell("Stop ends it; what was sent stays sent.", false);
    const tell = (begin, kind) => {
      const not = request.expect === "same" ? "not answered as before" : `not answered ${request.expect}`;
      say(`${begin}${sent}${sent < chosen ? ` of ${chosen}` : ""} replayed${failed ? `, ${failed} ${not}` : ""}${unsigned ? "; " + without(unsigned) : ""}`,
        { kind, act: bad.length && ["Show", () => this.show(`seq:${ranges(bad)}`)] });
    };
    try {
      const answer = await call("POST", "/devhook/v1/replays/follow", request, mine.signal, (p) => {
        ({ chosen, sent, failed } = p);
        if (p.last?.unlike) bad.push(p.last.seq);
        this.far(chosen, sent, failed);
      });
      unsigned = answer.unsigned;
      this.dialog.close();
      tell("", failed || answer.timed_out ? "fail" : "good");
    } catch (err) {
      if (mine.signal.aborted) tell("Stopped, but for what is under way: ", failed ? "fail" : ""); // nobody calls back what was sent
      else this.tell(err.message);
    } finally {
      this.sending = null;
      this.begin(false);
    }
  }

  // begin makes the dialog one of what is under way, or again one of what is to be sent.
  begin(on) {
    for (const e of this.form.elements) if (e.closest("label") || e === this.button) e.disabled = on;
    this.shut.textContent = on ? "Stop" : "Cancel";
    this.progress.hidden = !on;
    if (on) { this.far(0, 0, 0); this.shut.focus(); }
  }

  far(chosen, sent, failed) {
    const [bar, text] = this.progress.children;
    Object.assign(bar, { max: chosen || 1, value: sent });
    text.textContent = chosen ? `${sent} of ${chosen}${failed ? `, ${failed} failed` : ""}` : "Sending…";
  }
}

function without(unsigned) {
  const ids = Object.keys(unsigned || {});
  return ids.length ? "not signed anew: " + ids.join(", ") : "";
}

function lasting(s) {
  const [unit, n] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, n]) => s >= 2 * n) || ["second", 1], whole = Math.ceil(s / n);
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}

// ranges are numbers as filters have them: 1,3..5.
export function ranges(numbers) {
  const parts = [];
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last?.[1] === n - 1) last[1] = n; else parts.push([n, n]);
  }
  return parts.map(([a, b]) => (a === b ? a : `${a}..${b}`)).join(",");
}
