// The npm packages that wrap ngrok's agent, at devhook's port. What they get is
// written as one object of JSON.
//
//   node ngrok.mjs client PACKAGE URL        all calls of its client class
//   node ngrok.mjs connect PACKAGE DIR ADDR  the whole wrapper, which starts DIR/ngrok
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const [what, name, where, addr] = process.argv.slice(2);
const seen = {};

if (what === "client") {
  const src = join(dirname(require.resolve(name)), "src"); // which not every package exports
  const { NgrokClient } = require(join(src, "client.js"));
  const { isRetriable } = require(join(src, "utils.js"));
  const api = new NgrokClient(where);
  seen.tunnels = await api.listTunnels();
  const tunnel = seen.tunnels.tunnels[0];
  seen.detail = await api.tunnelDetail(tunnel.name);
  seen.started = await api.startTunnel({ addr: tunnel.config.addr, proto: "http", name: "a-b-c", authtoken: "x" });
  seen.refused = await api.startTunnel({ addr: "127.0.0.1:1" }).catch((e) => ({ name: e.name, message: e.message, body: e.body, again: isRetriable(e) }));
  seen.requests = await api.listRequests({ limit: 1 });
  const id = seen.requests.requests[0].id;
  seen.request = await api.requestDetail(id);
  seen.replayed = await api.replayRequest(id, tunnel.name);
  seen.missing = await api.replayRequest("nosuch").catch((e) => ({ name: e.name, message: e.message }));
  seen.deleted = await api.deleteAllRequests();
  seen.left = await api.listRequests();
  seen.stopped = await api.stopTunnel(tunnel.name);
  seen.after = await api.listTunnels();
} else {
  if (name === "@expo/ngrok") { // takes no binPath
    const bin = require.resolve("@expo/ngrok-bin");
    require.cache[bin] = { id: bin, filename: bin, loaded: true, exports: join(where, "ngrok") };
  }
  const ngrok = require(name);
  seen.states = [];
  seen.log = [];
  seen.url = await ngrok.connect({
    addr,
    binPath: () => where,
    onStatusChange: (s) => seen.states.push(s),
    onLogEvent: (l) => seen.log.push(l),
  });
  seen.api = ngrok.getUrl();
  await ngrok.disconnect(seen.url);
  await ngrok.disconnect();
  await ngrok.kill();
}
console.log(JSON.stringify(seen));
