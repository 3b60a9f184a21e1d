// What comes from outside becomes text here, and nothing else: nodes are made with
// textContent alone.

// Characters that cannot be seen or that turn the direction of others, as clean in
// page_text.go has them; line breaks and tabs are left, and what joins pictures to one.
const unseen = /(?<![\u2190-\u2bff\ufe0f\u{1f000}-\u{1faff}])\u200d|\u200d(?![\u2190-\u2bff\u{1f000}-\u{1faff}])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

export function clean(s) {
  return s.replace(unseen, (c) => {
    const n = c.codePointAt(0);
    if (n === 0x0d) return "";
    if (n < 0x20) return String.fromCharCode(0x2400 + n);
    return "‹U+" + n.toString(16).toUpperCase().padStart(4, "0") + "›";
  });
}

// el makes an element: attributes are those of ours, children are nodes or texts.
export function el(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) {
    if (k === "on") for (const [event, f] of Object.entries(v)) e.addEventListener(event, f);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  e.append(...children);
  return e;
}

export function size(n) {
  if (n < 1000) return n + " B";
  if (n < 999950) return (n / 1e3).toFixed(1) + " kB";
  return (n / 1e6).toFixed(1) + " MB";
}

export function took(ms) {
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  return (ms / 1000).toFixed(2) + " s";
}

// say shows a short message, and a link to what it is about, or what to do about it: a word, and
// a function.
export function say(text, { kind = "", path = "", link = "", act } = {}) {
  const box = document.getElementById("said");
  for (const old of [...box.children]) if (old.firstChild.textContent === clean(text)) old.remove(); // once is enough
  const line = el("p", { class: "toast " + kind }, el("span", {}, clean(text)));
  if (path) line.append(" ", el("a", { href: path, "data-pane": true }, link));
  if (act) line.append(" ", el("button", { type: "button", class: "link", on: { click: () => { line.remove(); act[1](); } } }, act[0]));
  line.append(el("button", { type: "button", class: "icon", "aria-label": "Dismiss", on: { click: () => line.remove() } }, "×"));
  box.append(line);
  while (box.children.length > 3) box.firstChild.remove();
  const fade = () => { if (line.matches(":hover, :focus-within")) setTimeout(fade, 2000); else line.remove(); };
  setTimeout(fade, kind === "fail" ? 12000 : 6000);
}

// copy has the clipboard hold a text, or what a promise gives: that is handed over as it is,
// because WebKit lets a page write only while somebody presses something, and not when the
// answer is there.
export async function copy(text, what) {
  try {
    if (text.then && window.ClipboardItem) await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((t) => new Blob([t], { type: "text/plain" })) })]);
    else await navigator.clipboard.writeText(await text);
  } catch { // no permission, or a host that browsers do not trust
    const area = el("textarea", { class: "unseen", readonly: true }), was = document.activeElement;
    area.value = text = await text;
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    const exact = (e) => { e.clipboardData.setData("text/plain", text); e.preventDefault(); }; // what is selected has other spaces and ends of lines
    document.addEventListener("copy", exact);
    const done = document.execCommand("copy");
    document.removeEventListener("copy", exact);
    area.remove();
    was?.focus({ preventScroll: true });
    if (!done) { say(what + " not copied: this browser wants another click for it", { kind: "fail", act: ["Copy", () => copy(text, what)] }); return; }
  }
  say(what + " copied");
}

// told are the words of an error of the API. A hint that is for programs is left out.
export function told({ error, hint }) {
  return error + (hint && !/"\w+":|\/devhook\/v1\//.test(hint) ? "; " + hint : "");
}

// call asks devhook's API; what it cannot do is an error with its words. Where the API tells
// how far it is, each is told before there is an answer.
export async function call(method, path, body, signal, each) {
  let r, answer;
  try {
    r = await fetch(path, { method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body), signal });
    for await (const text of each && r.ok ? lines(r.body) : [await r.text()]) {
      try { answer = JSON.parse(text); } catch { answer = { error: text || "devhook answered " + r.status }; }
      if (answer.type === "progress") { each(answer); answer = null; }
    }
    if (!answer) throw new Error("it ended before the answer");
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new Error("devhook does not answer. Is it still running?");
  }
  if (!r.ok || each && answer.error) throw Object.assign(new Error(told(answer)), { answer });
  return answer;
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", part; !(part = await reader.read()).done;) {
    const whole = (rest + part.value).split("\n");
    rest = whole.pop();
    yield* whole;
  }
}
