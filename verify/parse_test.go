package verify

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"devhook/internal/yamlx"
)

const good = `id: x
scheme: hmac
algorithm: sha256
signature: {in: header, name: X-Sig, encoding: hex}
payload: "{body}"
`

func TestBuiltin(t *testing.T) {
	names, err := files.ReadDir("providers")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := files.ReadFile("providers/" + name.Name())
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProvider(src)
		if err != nil {
			t.Errorf("%s:%v", name.Name(), err)
			continue
		}
		if p.ID+".yaml" != name.Name() {
			t.Errorf("%s: its id is %s", name.Name(), p.ID)
		}
		if got := peekAliases(string(src)); !slices.Equal(got, p.Aliases) {
			t.Errorf("%s: aliases %q are seen without reading it, and are %q: keep them on one line, after id", name.Name(), got, p.Aliases)
		}
		for field, lacks := range map[string]bool{
			"docs": p.Docs == "", "sources": len(p.Sources) == 0, "secret.at": p.SecretAt == "",
			"event": len(p.facets.event) == 0, "marks": len(p.facets.marks) == 0,
		} {
			if lacks {
				t.Errorf("%s: a built-in provider needs %s", name.Name(), field)
			}
		}
	}
}

func TestDefaultVariables(t *testing.T) {
	want := map[string]string{
		"tiktok": "TIKTOK_CLIENT_SECRET", "tiktok-shop": "TIKTOK_SHOP_APP_SECRET", "euler": "EULER_WEBHOOK_SECRET",
		"tencent-live": "TENCENT_LIVE_TOKEN", "tencent-trtc": "TENCENT_TRTC_KEY", "tencent-css": "TENCENT_CSS_KEY",
		"github": "GITHUB_WEBHOOK_SECRET", "stripe": "STRIPE_WEBHOOK_SECRET", "slack": "SLACK_SIGNING_SECRET",
		"standard-webhooks": "STANDARD_WEBHOOKS_SECRET",
	}
	for id, env := range want {
		if p, ok := Lookup(id); !ok || p.Env != env {
			t.Errorf("%s: %q, %v, want %s", id, p.Env, ok, env)
		}
	}
	p, err := ParseProvider([]byte(strings.Replace(good, "id: x", "id: my-own", 1)))
	if err != nil || p.Env != "MY_OWN_WEBHOOK_SECRET" || p.Name != "my-own" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestParseProvider(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"an unknown field", good + "algoritm: sha1\n", `6:1: algoritm: unknown field (near: algorithm, `},
		{"an unknown field below", strings.Replace(good, "in: header,", "in: header, nam: X,", 1), `4:25: signature.nam: unknown field (near: name, `},
		{"a field twice", good + "payload: \"{body}\"\n", "6:1: payload: is there twice"},
		{"a field twice below", strings.Replace(good, "name: X-Sig", "name: X-Sig, in: query", 1), "4:38: signature.in: is there twice"},
		{"a reserved field", good + "canonical: x\n", "6:1: canonical: is not supported yet"},
		{"a reserved scheme", strings.Replace(good, "hmac", "code", 1), "2:9: scheme: scheme code is not supported yet"},
		{"an unknown scheme", strings.Replace(good, "hmac", "hmca", 1), `2:9: scheme: unknown scheme "hmca" (known: hmac, hash, jwt, token, basic, asymmetric)`},
		{"an algorithm of another scheme", strings.Replace(good, "sha256", "ed25519", 1), "algorithm: ed25519 is not one of the scheme hmac"},
		{"an unknown encoding", strings.Replace(good, "hex", "hexx", 1), `4:48: signature.encoding: unknown encoding "hexx" (known: hex, base64, base64url)`},
		{"a number for text", strings.Replace(good, "X-Sig", "5", 1), "4:31: signature.name: must be text: put it in quotes"},
		{"no value", good + "name:\n", "6:6: name: has no value"},
		{"a bad ID", strings.Replace(good, "id: x", "id: My_ID", 1), `1:1: id: must be small letters, digits and '-', and is "My_ID"`},
		{"no ID", strings.Replace(good, "id: x\n", "", 1), "1:1: id: must be small letters"},
		{"no scheme", strings.Replace(good, "scheme: hmac\n", "", 1), "1:1: scheme: is missing"},
		{"no algorithm", strings.Replace(good, "algorithm: sha256\n", "", 1), "algorithm: is needed"},
		{"no payload", strings.Replace(good, "payload: \"{body}\"\n", "", 1), "payload: is needed"},
		{"no signature name", strings.Replace(good, "name: X-Sig, ", "", 1), "4:1: signature: needs in and name"},
		{"a bad header name", strings.Replace(good, "X-Sig", "X Sig", 1), `signature: "X Sig" is no name of a header`},
		{"an unknown reference", strings.Replace(good, "{body}", "{bdy}", 1), `5:10: payload: "{bdy}" is not known here (known: {body}, {ts}, `},
		{"a reference that is not closed", strings.Replace(good, "{body}", "{body", 1), `payload: "{body" is not closed with }`},
		{"a reference without a name", strings.Replace(good, "{body}", "{header.}", 1), "payload: {header.} lacks a name"},
		{"an unknown function", strings.Replace(good, "{body}", "{sha(body)}", 1), `payload: unknown function "sha" (known: `},
		{"a time that is not there", strings.Replace(good, "{body}", "{ts}{body}", 1), "payload: {ts} needs timestamp"},
		{"an element that is not there", strings.Replace(good, "{body}", "{sig.t}{body}", 1), "payload: {sig.NAME} needs signature.list"},
		{"a value that is not declared", strings.Replace(good, "{body}", "{with.key}{body}", 1), "payload: {with.key} must be in with, as required: true"},
		{"a hash without a secret", strings.Replace(good, "hmac", "hash", 1), "payload: a plain hash without {secret} proves nothing"},
		{"an HMAC with one", strings.Replace(good, "{body}", "{secret}{body}", 1), "payload: {secret} is the key, not a part of the payload"},
		{"a signature that covers itself", strings.Replace(good, "{body}", "{header.x-sig}{body}", 1), "payload: covers the signature itself"},
		{"a signature in the body that it covers", strings.Replace(good, "in: header, name: X-Sig", "in: body, name: sig", 1), "payload: covers the signature itself"},
		{"a signature in a Host that it covers", strings.Replace(strings.Replace(good, "X-Sig", "host", 1), "{body}", "{host}{body}", 1), "payload: covers the signature itself"},
		{"a time that is not covered", good + "timestamp: {in: header, name: X-Time, unit: s}\n", "payload: does not cover the timestamp: anyone could change it"},
		{"a time where the signature is", good + "timestamp: {in: header, name: x-sig, unit: s}\n", "timestamp: is in the same place as signature"},
		{"an expiry without ttl", good + "timestamp: {in: header, name: X-T, unit: s, meaning: expiry}\n", "timestamp: needs ttl if it is an expiry"},
		{"a bad tolerance", good + "timestamp: {in: header, name: X-T, unit: s, tolerance: 5 minutes}\n", "6:56: timestamp.tolerance: must be a time like 5m, or seconds"},
		{"a token with an algorithm", "id: x\nscheme: token\nalgorithm: sha1\nsignature: {in: header, name: X}\n", "3:1: algorithm: is needed unless"},
		{"a list in the query", strings.Replace(good, "in: header, name: X-Sig", `in: query, name: s, list: {sep: ","}`, 1), "a list is for headers only"},
		{"a mark without conditions", good + "marks: [{}]\n", "6:9: marks[0]: has no condition"},
		{"a header without a value", good + "retry: {final_header: X-No-Retry}\n", "retry.final_header: must be a header of the answer and its value"},
		{"a status of success", good + "retry: {again: [429, 204]}\n", "retry.again[1]: must be the status of a failure, as in 429, or a class of them, as in 5xx"},
		{"a bad pattern", good + "marks: [{header: {A: \"{hex}\"}}]\n", `"{hex}" is not a pattern`},
		{"a kind for a header", good + "marks: [{header: {A: \"{object}\"}}]\n", `"{object}" is for JSON fields only`},
		{"a handshake that is a page", good + "handshake: [{when: {method: GET}, respond: {type: text/html}}]\n", `unknown type "text/html" (known: text/plain, application/json)`},
		{"a visit to anybody", good + "handshake: [{when: {method: GET}, visit: {url: \"{body.url}\", hosts: [\"*\"]}}]\n", `a host ends in a domain of the provider's own`},
		{"an old signature without encoding", good + "legacy: [{header: X-Old, algorithm: sha1}]\n", "needs header, algorithm and encoding"},
		{"a visit without a URL", good + "handshake: [{when: {method: GET}, visit: {hosts: [x.example]}}]\n", `needs url and hosts`},
		{"the secret in an answer", good + "handshake: [{when: {method: GET}, respond: {body: \"{secret}\"}}]\n", `"{secret}" is not known here`},
		{"an ack that is not JSON", good + "ack: {body: ok}\n", "6:6: ack: the body is not JSON"},
		{"a fresh id of two parts", good + "delivery_id: {from: \"{header.A}{header.B}\", fresh: \"{uuid}\"}\n", "a fresh id needs a from of one reference"},
		{"a fresh id of unknown form", good + "delivery_id: {from: \"{header.A}\", fresh: \"{words:3}\"}\n", `"{words:3}" is not a form of random text`},
		{"an account without its value", good + "account: {from: \"{body.a}\", with: key}\n", "account: needs from, and with"},
		{"not YAML", "id: [", "1:1: not YAML: "},
		{"nothing", "# only this", "empty"},
		{"two documents", good + "---\n" + good, "a second document"},
		{"a list of providers", "- id: x\n", "must be a mapping"},
		{"an alias", strings.Replace(good, "id: x", "id: &a x\nname: *a", 1), "2:7: name: must be text"},
		{"brackets without end", "id: " + strings.Repeat("[", 1000), "not YAML: "},
		{"too long", "# " + strings.Repeat("x", yamlx.MaxSource), "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseProvider([]byte(tt.src))
			var parse *ParseError
			if !errors.As(err, &parse) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := ParseProvider([]byte(good)); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestParseProviders(t *testing.T) {
	const src = `forward: :3000
routes: [{path: /a}]
providers:
  one:
    scheme: token
    signature: {in: header, name: X-Token}
  two: {id: two, scheme: token, signature: {in: query, name: token}}
`
	ps, err := ParseProviders([]byte(src), "providers")
	if err != nil || len(ps) != 2 || ps[0].ID != "one" || ps[1].ID != "two" {
		t.Errorf("got %v, %v", ps, err)
	}
	tests := []struct{ name, src, want string }{
		{"another ID", strings.Replace(src, "id: two", "id: three", 1), `7:13: providers.two.id: is "three", but stands under "two"`},
		{"a wrong field", strings.Replace(src, "in: query", "on: query", 1), "7:45: providers.two.signature.on: unknown field (near: in, "},
		{"a missing field", strings.Replace(src, "    scheme: token\n", "", 1), "5:5: providers.one.scheme: is missing"},
	}
	for _, tt := range tests {
		if _, err := ParseProviders([]byte(strings.Replace(tt.src, "\nroutes", "\nroutes", 1)), "providers"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	for _, none := range []string{"forward: x\n", "providers:\n", "providers: {}\n"} {
		if ps, err := ParseProviders([]byte(none), "providers"); err != nil || len(ps) != 0 {
			t.Errorf("%q: %v, %v", none, ps, err)
		}
	}
}

// The reference has a row for each field, and no others.
func TestReferenceIsComplete(t *testing.T) {
	src, err := os.ReadFile("providers/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(src)) {
		if name, ok := strings.CutPrefix(line, "| `"); ok && !strings.HasPrefix(name, "{") {
			name, _, _ = strings.Cut(name, "`")
			documented = append(documented, name)
		}
	}
	var fields []string
	add := func(prefix string, names ...string) {
		for _, name := range names {
			fields = append(fields, prefix+name)
		}
	}
	add("", providerFields.names()...)
	add("secret.", sortedKeys(secretFields)...)
	add("with.NAME.", sortedKeys(needFields)...)
	add("signature.", sortedKeys(signatureFields)...)
	add("signature.list.", sortedKeys(listFields)...)
	add("sources.", sortedKeys(sourceFields)...)
	add("legacy.", sortedKeys(legacyFields)...)
	add("account.", sortedKeys(accountFields)...)
	add("timestamp.", sortedKeys(timestampFields)...)
	add("timestamp.tolerance.", sortedKeys(toleranceFields)...)
	add("marks.", sortedKeys(markFields)...)
	add("handshake.", sortedKeys(handshakeFields)...)
	add("handshake.respond.", sortedKeys(respondFields)...)
	add("handshake.visit.", sortedKeys(visitFields)...)
	add("ack.", sortedKeys(answerFields)...)
	add("answers.NAME.", sortedKeys(answerFields)...)
	add("stand_in.", sortedKeys(standInFields)...)
	add("checklist.", sortedKeys(checkFields)...)
	add("explain.", sortedKeys(explainFields)...)
	add("on_reject.", sortedKeys(answerFields)...)
	add("retry.", sortedKeys(retryFields)...)
	add("delivery_id.", "from", "fresh")
	add("digest.", sortedKeys(digestFields)...)
	add("signed_headers.", sortedKeys(signedHeadersFields)...)
	add("token.", sortedKeys(tokenFields)...)
	add("token.body.", sortedKeys(tokenBodyFields)...)
	add("key.", sortedKeys(keyFields)...)
	add("require.", sortedKeys(demandFields)...)
	add("algorithms.", sortedKeys(choiceFields)...)
	for _, name := range fields {
		hasParts := slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, name+".") })
		if !slices.Contains(documented, name) && !hasParts {
			t.Errorf("providers/README.md does not tell of %s", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(fields, name) {
			t.Errorf("providers/README.md tells of %s, which is not there", name)
		}
	}
	for name := range functions {
		if !strings.Contains(string(src), name) {
			t.Errorf("providers/README.md does not tell of the function %s", name)
		}
	}
}
