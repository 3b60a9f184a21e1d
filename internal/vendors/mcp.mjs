// The client of the protocol's own SDK for JavaScript, at devhook mcp:
//
//   node mcp.mjs DEVHOOK STORE [FLAG…]
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, store, ...flags] = process.argv.slice(2);
const client = new Client({ name: "judge", version: "1" });
await client.connect(new StdioClientTransport({ command, args: ["mcp", "--store", store, ...flags], env: process.env }));
const call = async (name, args) => {
  const r = await client.callTool({ name, arguments: args });
  return { text: r.content[0].text, failed: r.isError ?? false };
};
const seen = {
  server: client.getServerVersion(),
  instructions: client.getInstructions(),
  tools: (await client.listTools()).tools.map((t) => ({ name: t.name, reads: t.annotations.readOnlyHint, type: t.inputSchema.type })),
  list: await call("list", { limit: 1 }),
  show: await call("show", { ref: "last" }),
  explain: await call("explain", { ref: "last" }),
  wait: await call("wait", { timeout_seconds: 0.1 }),
  bad: await call("show", { ref: "nosuch" }),
};
if (flags.length > 0) {
  seen.replay = await call("replay", { ref: 1 });
}
await client.close();
console.log(JSON.stringify(seen));
