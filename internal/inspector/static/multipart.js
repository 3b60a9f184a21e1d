// The parts of a multipart body, as it was recorded: RFC 2046 §5.1, names as in RFC 7578.

const most = 500; // parts

// parts returns [{ name, file, type, bytes }], null if bytes are no whole multipart of type.
export function parts(bytes, type) {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
  if (!/^multipart\//i.test(type.trim()) || !boundary) return null;
  const text = new TextDecoder("latin1").decode(bytes); // a letter for each byte, so that places are the same
  const dashes = "--" + (boundary[1] || boundary[2]), list = [];
  let at = text.startsWith(dashes) ? 0 : text.indexOf("\n" + dashes) + 1;
  if (!text.startsWith(dashes, at)) return null;
  while (list.length < most) {
    const line = text.indexOf("\n", at);
    if (line < 0 || text.startsWith("--", at + dashes.length)) break;
    const next = text.indexOf("\n" + dashes, line);
    if (next < 0) return null; // cut
    const end = text[next - 1] === "\r" && next - 1 > line ? next - 1 : next;
    const gap = /\r?\n\r?\n/g;
    gap.lastIndex = line - 1; // there may be no header at all
    const blank = gap.exec(text);
    if (!blank || blank.index > next) return null;
    const from = Math.min(blank.index + blank[0].length, end);
    list.push({ ...headers(bytes.subarray(line + 1, Math.max(line + 1, blank.index))), bytes: bytes.subarray(from, end) });
    at = next + 1;
  }
  return list;
}

function headers(bytes) {
  const all = {};
  for (const line of new TextDecoder().decode(bytes).replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) || [];
    if (name) all[name.toLowerCase()] = value;
  }
  const said = (name) => {
    const [, quoted, plain] = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, "i").exec(all["content-disposition"] || "") || [];
    return quoted?.replace(/\\(["\\])/g, "$1") ?? plain ?? "";
  };
  return { name: said("name"), file: said("filename"), type: all["content-type"] || "" };
}
