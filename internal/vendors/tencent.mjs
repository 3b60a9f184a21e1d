// Tencent's own generator of UserSigs: node tencent.mjs sig KEY APP IDENTIFIER prints
// one; node tencent.mjs check KEY APP SIG reads one back, and prints whose it is if the
// generator signs the same.
import tls from 'tls-sig-api-v2';
import { inflateSync } from 'node:zlib';

const [what, key, app, text] = process.argv.slice(2);
const api = new tls.Api(Number(app), key);
if (what === 'sig') {
  console.log(api.genUserSig(text, 600));
} else {
  const packed = text.replace(/\*/g, '+').replace(/-/g, '/').replace(/_/g, '=');
  const in_ = JSON.parse(inflateSync(Buffer.from(packed, 'base64')));
  const sig = api._hmacsha256(in_['TLS.identifier'], in_['TLS.time'], in_['TLS.expire'], null);
  const age = Date.now() / 1000 - in_['TLS.time'];
  const good = sig === in_['TLS.sig'] && in_['TLS.ver'] === '2.0' && in_['TLS.sdkappid'] === Number(app) && age > -5 && age < in_['TLS.expire'];
  console.log(good ? in_['TLS.identifier'] : 'not signed like this');
}
