// What is seen first waits for nothing of what makes the page work: that is fetched once
// it was painted. A page in the background paints nothing, and does not wait.

const { modules } = document.documentElement.dataset, own = (name) => new URL(name, import.meta.url).pathname;

if (!document.hidden) await new Promise((done) => { new PerformanceObserver(done).observe({ type: "paint", buffered: true }); setTimeout(done, 300); });
if (document.readyState !== "complete") await new Promise((done) => addEventListener("load", done, { once: true })); // else htmx would wait for what has been

for (const name of modules.split(" ")) document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: own(name) }));
await Promise.all(["vendor/htmx-2.0.11.min.js", "vendor/htmx-ext-sse-2.2.4.min.js"].map((name) => new Promise((done, failed) => {
  document.head.append(Object.assign(document.createElement("script"), { src: own(name), async: false, onload: done, onerror: failed }));
})));
await import("./app.js");
