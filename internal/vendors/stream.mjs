// A client of a stream: the npm package ws, and for Euler the URL that the
// vendor's SDK makes. Each thing that happens is a line of JSON.
//
//	node stream.mjs tuniform URL
//	EULER_WS_URL=… node stream.mjs euler NAME KEY [bundle|single|raw]
import WebSocket from "ws";
import euler from "@eulerstream/euler-websocket-sdk";

const [kind, ...args] = process.argv.slice(2);
const url = kind === "euler"
  ? euler.createWebSocketUrl({ uniqueId: args[0], apiKey: args[1], features: { bundleEvents: args[2] !== "single", rawMessages: args[2] === "raw" } })
  : args[0];
const say = (line) => console.log(JSON.stringify(line));
const ws = new WebSocket(url);
ws.on("open", () => { say({ open: true }); ws.send("what a client says is ignored"); });
ws.on("ping", () => say({ ping: true }));
ws.on("message", (data, binary) => say({ frame: data.toString("base64"), binary }));
ws.on("close", (code, reason) => say({ close: code, reason: reason.toString(), name: euler.ClientCloseCode?.[code] }));
ws.on("error", () => {});
ws.on("unexpected-response", (_, res) => {
  let body = "";
  res.on("data", (part) => { body += part; });
  res.on("end", () => { say({ status: res.statusCode, body }); process.exit(); });
});
