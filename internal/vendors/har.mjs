// Reads a HAR on stdin, and says what the published schema has against it.
import { har } from 'har-validator/lib/promise.js'
let text = ''
for await (const chunk of process.stdin) text += chunk
try {
  await har(JSON.parse(text))
} catch (e) {
  console.error(JSON.stringify(e.errors ?? String(e)))
  process.exit(1)
}
