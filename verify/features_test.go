package verify

import "testing"

// featureFiles are descriptions that use what no built-in provider uses, so
// that the laws hold for the whole language.
const featureFiles = `
f-token: {scheme: token, signature: {in: header, name: X-Gitlab-Token}}
f-bearer: {scheme: token, signature: {in: header, name: Authorization, prefix: "Bearer "}}
f-query-token: {scheme: token, signature: {in: query, name: token}}
f-body-token: {scheme: token, signature: {in: body, name: auth.token}}
f-sha512-url: {scheme: hmac, algorithm: sha512, signature: {in: header, name: X-Sig, encoding: base64url}, payload: "{method}\n{url}\n{host}{path}?{query}{body}"}
f-hash: {scheme: hash, algorithm: sha1, signature: {in: header, name: X-Sig, encoding: hex}, payload: "{secret}{body}"}
f-functions: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: base64}, payload: "{sha256hex(body)}|{crc32(body)}|{lower(header.X-Case)}|{base64(body)}|{md5hex(header.X-Case)}"}
f-form: {scheme: hmac, algorithm: md5, signature: {in: form, name: signature, encoding: hex}, timestamp: {in: form, name: timestamp, unit: s}, payload: "{ts}{form.timestamp}"}
f-mailgun: {scheme: hmac, algorithm: sha256, signature: {in: body, name: signature.signature, encoding: hex}, timestamp: {in: body, name: signature.timestamp, unit: s}, payload: "{ts}{body.signed.x}"}
f-ms: {scheme: hmac, algorithm: sha256, signature: {in: header, name: WorkOS-Signature, encoding: hex, list: {sep: ", ", kv: "=", element: v1}}, timestamp: {in: signature, name: t, unit: ms}, payload: "{sig.t}.{body}"}
f-rfc3339: {scheme: hmac, algorithm: sha256, secret: {decode: hex}, signature: {in: header, name: X-Sig, encoding: hex}, timestamp: {in: header, name: X-Time, unit: rfc3339, tolerance: {past: 0s, future: 0s}}, payload: "{ts}{body}"}
f-iso8601: {scheme: hmac, algorithm: sha256, secret: {strip: sk_, decode: base64url}, signature: {in: header, name: X-Sig, encoding: hex}, timestamp: {in: header, name: X-Time, unit: iso8601}, payload: "v1:{header.X-Time}:{body}"}
f-http-date: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: hex}, timestamp: {in: header, name: Date, unit: http-date, tolerance: {past: none, future: 1m}}, payload: "{ts}\n{body}"}
f-also: {scheme: hmac, algorithm: sha256, signature: {in: header, name: BOX-SIGNATURE-PRIMARY, also: [BOX-SIGNATURE-SECONDARY], encoding: base64}, payload: "{body}"}
f-bare-list: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: base64, list: {sep: ",", multiple: true}}, payload: "{body}"}
f-with: {scheme: hmac, algorithm: sha256, with: {url: {required: true}}, signature: {in: header, name: X-Sig, encoding: base64}, payload: "{body}{with.url}"}
f-body-time: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: hex}, timestamp: {in: body, name: webhookTimestamp, unit: ms}, payload: "{body}", delivery_id: {from: "{body.id}", fresh: "{hex:8}-{uuid}"}}
f-basic: {scheme: basic}
f-ed25519: {scheme: asymmetric, algorithm: ed25519, signature: {in: header, name: X-Sig, encoding: hex}, timestamp: {in: header, name: X-Time, unit: s}, payload: "{ts}{body}"}
f-ecdsa: {scheme: asymmetric, algorithm: ecdsa-p256, signature: {in: header, name: X-Sig, encoding: base64}, timestamp: {in: header, name: X-Time, unit: s}, payload: "{ts}{body}"}
f-rsa-list: {scheme: asymmetric, algorithm: rsa-pkcs1-sha256, prehash: sha256, signature: {in: header, name: X-Sig, encoding: base64, list: {sep: ",", kv: "=", element: v0}}, timestamp: {in: signature, name: t, unit: ms}, payload: "{ts}.{body}"}
f-rsa-sha1: {scheme: asymmetric, algorithm: rsa-pkcs1-sha1, signature: {in: header, name: X-Sig, encoding: base64url}, payload: "{body}"}
f-digest: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: hex}, digest: {in: header, name: Content-Digest, algorithm: sha512, encoding: base64}, payload: "{header.Content-Digest}"}
f-held: {scheme: hmac, algorithm: sha256, signature: {in: form, name: data, path: sig.x, encoding: hex}, timestamp: {in: form, name: t, unit: s}, payload: "{ts}{query.f?}{header.X-None?}"}
f-listed: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Sig, encoding: hex, list: {sep: "; ", kv: "=", element: s}}, timestamp: {in: header, name: X-Time, unit: s}, signed_headers: {in: signature, name: h, sep: ",", form: "name:value", join: "
", names: [x-time, host, content-type]}, payload: ["{sig.h}{signed_headers}{body}", "{ts}{sig.h}{signed_headers}"]}
f-by-key: {scheme: hmac, algorithm: sha256, with: {id: {about: "the key"}}, signature: {in: header, name: X-Sig, encoding: base64, list: {sep: " ", kv: ":", key: id, multiple: true, start: "k1:"}}, payload: "{body}"}
f-bare: {scheme: hmac, algorithm: sha256, secret: {hash: sha512}, signature: {in: header, name: X-Sig, encoding: hex, list: {sep: ",", kv: "=", bare: true, drop: [v0]}}, timestamp: {in: signature, name: t, unit: ms}, payload: "{ts}{decoded_body}"}
f-sorted: {scheme: hash, algorithm: sha512, signature: {in: header, name: X-Sig, encoding: hex}, nonce: {from: "{query.n}", fresh: "{hex:8}"}, timestamp: {in: header, name: X-Time, unit: s}, payload: "{sorted(ts,secret,query.n,method)}{without_port(url)}{json(body)}"}
f-jwt: {scheme: jwt, algorithm: HS512, with: {aud: {required: true}, sub: {}}, signature: {in: query, name: token}, token: {claims: {iss: [me, us], aud: "{with.aud}", sub: "{with.sub}", "odd.name": "true"}, body: {claim: hash, encoding: base64url}, times: [iat, exp, nbf], max_age: 1m, leeway: 5s, ttl: 10m}}
f-jwt-bare: {scheme: jwt, algorithm: HS256, secret: {strip: k_, decode: base64}, signature: {in: body, name: auth.jwt}}
f-jwt-ec: {scheme: jwt, algorithm: ES256, signature: {in: header, name: X-Token, prefix: "JWT "}, token: {body: {claim: h, encoding: hex}}}
f-jwt-set: {scheme: jwt, algorithm: RS256, signature: {in: header, name: Authorization, prefix: "Bearer "}, token: {times: [exp]}, key: {url: "https://keys.example/{header.X-Set}.json", hosts: [keys.example], format: jwks}}
f-choice: {scheme: asymmetric, algorithms: {from: "{header.X-Version}", is: {"1": rsa-pkcs1-sha1, "2": rsa-pkcs1-sha512}}, signature: {in: body, name: sig, encoding: base64}, require: [{from: "{body.kind}", is: [a, b]}], payload: "{line(body.kind)}{line(body.a)}{line(body.b.c)}", key: {url: "{body.cert}", hosts: ["{token}.keys.example"], path: "/*.pem", format: certificate, names: ["*.keys.example"]}}
f-expiry: {scheme: hash, algorithm: md5, signature: {in: query, name: sign, encoding: hex}, timestamp: {in: query, name: t, unit: s, meaning: expiry, ttl: 1m, tolerance: {past: 5s, future: 2m}}, payload: "{ts}{query.x}{secret}"}
`

func featureProviders(t testing.TB) []Provider {
	t.Helper()
	ps, err := ParseProviders([]byte(featureFiles), "")
	if err != nil {
		t.Fatal(err)
	}
	return ps
}
