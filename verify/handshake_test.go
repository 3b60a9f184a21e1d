package verify

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const handshakeFiles = `
crc:
  scheme: hmac
  algorithm: sha256
  signature: {in: header, name: X-Twitter-Webhooks-Signature, encoding: base64, prefix: "sha256="}
  payload: "{body}"
  handshake:
    - when: {method: GET, query: {crc_token: "{token}"}}
      stage: before
      respond: {type: application/json, body: '{"response_token":"sha256={hmac_sha256_base64(query.crc_token)}"}'}
hub:
  scheme: hmac
  algorithm: sha256
  signature: {in: header, name: X-Hub-Signature-256, encoding: hex, prefix: "sha256="}
  payload: "{body}"
  with: {verify_token: {about: "what the dashboard asks for"}}
  handshake:
    - when: {method: GET, query: {hub.mode: subscribe, hub.verify_token: "{with.verify_token}", hub.challenge: "*"}}
      stage: before
      respond: {body: "{query.hub.challenge}"}
    - when: {method: POST, body: {verify_token: "{with.verify_token}", challenge: "*"}}
      stage: before
      respond: {body: "{body.challenge}"}
`

// The CRC is that of the example that the provider's documentation refers to:
// https://gist.github.com/jcipriano/46c4b3f3.
func TestHandshakesWithSecrets(t *testing.T) {
	ps, err := ParseProviders([]byte(handshakeFiles), "")
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]Provider{}
	for _, p := range ps {
		byID[p.ID] = p
	}
	crc := Keys{Secrets: []Secret{NewSecret("z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu")}}
	hub := Keys{With: map[string]string{"verify_token": "my_verify_token"}}
	for _, tt := range []struct {
		name, id, query string
		keys            Keys
		want            string // "": not answered
	}{
		{"a CRC", "crc", "crc_token=9b4507b3-9040-4669-9ca3-6b94edb50553", crc, `{"response_token":"sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8="}`},
		{"a CRC without a secret", "crc", "crc_token=9b4507b3", Keys{}, ""},
		{"a body to be signed", "crc", "crc_token=" + url.QueryEscape(`{"for_user_id":"1"}`), crc, ""},
		{"a challenge", "hub", "hub.mode=subscribe&hub.verify_token=my_verify_token&hub.challenge=1158201444", hub, "1158201444"},
		{"a challenge with another token", "hub", "hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1", hub, ""},
		{"a challenge without one", "hub", "hub.mode=subscribe&hub.challenge=1", hub, ""},
		{"a challenge, no token known", "hub", "hub.mode=subscribe&hub.verify_token=&hub.challenge=1", Keys{}, ""},
	} {
		m := Message{Method: "GET", URL: &url.URL{Scheme: "https", Host: "h", Path: "/", RawQuery: tt.query}, Header: http.Header{}}
		a, ok := byID[tt.id].Handshake(m, tt.keys, someTime)
		if ok != (tt.want != "") || string(a.Body) != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, a.Body, ok, tt.want)
		}
	}
	for token, want := range map[string]bool{`"my_verify_token"`: true, `"guess"`: false, `null`: false, `{}`: false} {
		m := Message{Method: "POST", Header: http.Header{}, Body: []byte(`{"verify_token":` + token + `,"challenge":"1"}`)}
		if a, ok := byID["hub"].Handshake(m, hub, someTime); ok != want {
			t.Errorf("the token %s in a body: %q, %v, want %v", token, a.Body, ok, want)
		}
	}
}

func TestHandshakesThatAreRefused(t *testing.T) {
	for what, change := range map[string][2]string{
		"signs whatever is asked for": {`"{token}"`, `"*"`},
		"{absent} is for handshakes":  {"  payload: \"{body}\"\n  with", "  payload: \"{body}\"\n  marks: [{body: {a: \"{absent}\"}}]\n  with"},
		"must be in with":             {"with.verify_token", "with.other"},
		"is for handshakes only":      {"  payload: \"{body}\"\n  with", "  payload: \"{body}\"\n  marks: [{query: {a: \"{with.verify_token}\"}}]\n  with"},
		"unknown function":            {"{query.hub.challenge}", "{hmac_md5(query.hub.challenge)}"},
	} {
		src := strings.Replace(handshakeFiles, change[0], change[1], 1)
		if _, err := ParseProviders([]byte(src), ""); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v: %v, want %q", change, err, what)
		}
	}
}
