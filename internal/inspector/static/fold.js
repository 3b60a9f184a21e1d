// Long values: a few lines of them, and a button for the rest where there is more. How many
// lines a value has is known only where it is shown.
import { clean, el, size } from "./text.js";

const short = 80; // characters that have room on a telephone, too; as isLong in page_text.go has it

// fold shows the buttons that are of use in root.
export function fold(root) {
  const all = [...root.querySelectorAll(".fold")].filter((box) => box.dataset.open === undefined);
  const more = all.map((box) => box.scrollHeight > box.clientHeight + 1); // read all before anything changes
  all.forEach((box, i) => { box.nextElementSibling.hidden = !more[i]; });
}

export function unfold(button) {
  const open = button.previousElementSibling.toggleAttribute("data-open");
  button.setAttribute("aria-expanded", String(open));
}

// folded is what the template of the same name makes of a text.
export function folded(text) {
  if (text.length <= short) return [el("bdi", {}, clean(text))];
  return [el("span", { class: "fold" }, el("bdi", {}, clean(text))), el("button", { type: "button", class: "link", "data-do": "unfold", "aria-expanded": "false", hidden: true },
    el("span", { class: "all" }, "All of it, " + size(new Blob([text]).size)), el("span", { class: "less" }, "Less"))];
}
