package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// The laws that every scheme obeys, for each provider in Providers().

// law runs test for each built-in provider, and for providers of the features
// that no built-in one has.
func law(t *testing.T, test func(t *testing.T, p Provider, d *declared)) {
	t.Helper()
	for _, p := range append(Providers(), featureProviders(t)...) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			d, ok := p.Scheme.(*declared)
			if !ok {
				t.Fatalf("the scheme is a %T", p.Scheme)
			}
			test(t, p, d)
		})
	}
}

func TestSignedIsValid(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		times := []time.Time{
			time.Unix(0, 0), time.Unix(1, 999999999), someTime, time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
			time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC),
		}
		for i := range 50 {
			now := times[i%len(times)]
			m, k := messageFor(d, r), keysFor(d, r, 1+i%3)
			sign(t, p, &m, k, now)
			before := dump(m)
			want(t, p.Scheme.Verify(m, k, now), Valid, "")
			if after := dump(m); after != before {
				t.Fatalf("Verify changed the message:\n%s\nwas\n%s", after, before)
			}
		}
	})
}

func TestWrongSecretIsRefused(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &m, k, someTime)
		k.Secrets = keysFor(d, r, 2).Secrets
		want(t, p.Scheme.Verify(m, k, someTime), Invalid, BadSignature)
	})
}

func TestAnySecretOfSeveralVerifies(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 3)
		for i := range k.Secrets {
			one := Keys{Secrets: k.Secrets[i : i+1], With: k.With}
			sign(t, p, &m, one, someTime)
			k.Secrets = append([]Secret{{}, NewSecret("")}, k.Secrets...) // empty ones are passed over
			want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
			k.Secrets = k.Secrets[2:]
		}
	})
}

func TestEmptySecretVerifiesNothing(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		k := keysFor(d, r, 1)
		m := messageFor(d, r)
		empty := Keys{With: k.With, Secrets: []Secret{{}, NewSecret(""), NewSecret(d.form.strip)}}
		if d.form.strip == "" {
			empty.Secrets = empty.Secrets[:2]
		}
		// A message that is signed with the empty key.
		forged := &key{form: d.form}
		if d.form.kind == schemePair { // there is no empty one: somebody else's
			forged = NewSecret(nextPrivateKey(d.form.algorithm, r)).key(d.form)
		}
		forgery := clone(m)
		if err := d.sign(&forgery, forged, k.With, SignOptions{}, someTime); err != nil {
			t.Fatal(err)
		}
		want(t, p.Scheme.Verify(forgery, empty, someTime), Unverified, NoSecret)
		want(t, p.Scheme.Verify(m, Keys{}, someTime), Unverified, NoSecret)
		if err := p.Scheme.Sign(&m, empty, SignOptions{}, someTime); err == nil {
			t.Error("Sign with an empty secret gives no error")
		}
		for _, s := range empty.Secrets {
			if p.CheckSecret(s) == nil {
				t.Error("CheckSecret lets an empty secret pass")
			}
		}
	})
}

func TestUnsigned(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		want(t, p.Scheme.Verify(m, k, someTime), Unsigned, MissingSignature)
	})
}

func TestTooLarge(t *testing.T) {
	large := make([]byte, MaxBody+1)
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		m.Body = large
		want(t, p.Scheme.Verify(m, k, someTime), Unverified, TooLarge)
		if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err == nil {
			t.Error("Sign gives no error")
		}
	})
}

func TestNeedsAreNeeded(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		for _, need := range p.Needs {
			if !need.Required {
				continue
			}
			m, k := messageFor(d, r), keysFor(d, r, 1)
			sign(t, p, &m, k, someTime)
			delete(k.With, need.Name)
			v := p.Scheme.Verify(m, k, someTime)
			want(t, v, Unverified, NoSecret)
			if v.Detail != need.Name+" is missing" || !strings.Contains(v.Hint, "--with "+p.ID+"."+need.Name) {
				t.Errorf("got %+v", v)
			}
		}
	})
}

func TestTimeIsJudged(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		if d.stamp == nil {
			return
		}
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		made := someTime.Truncate(time.Second)
		sign(t, p, &m, k, made)
		if d.stamp.expiry {
			made = made.Add(d.stamp.ttl)
		}
		if d.stamp.past != unlimited {
			want(t, p.Scheme.Verify(m, k, made.Add(d.stamp.past)), Valid, "")
			want(t, p.Scheme.Verify(m, k, made.Add(d.stamp.past+time.Second)), Invalid, Stale)
			want(t, p.Scheme.Verify(m, k, made.Add(100*365*24*time.Hour)), Invalid, Stale)
			want(t, p.Scheme.Verify(m, k, time.Unix(1<<40, 0)), Invalid, Stale)
			other := keysFor(d, r, 1) // a wrong signature is wrong whenever it was made
			other.With = k.With
			want(t, p.Scheme.Verify(m, other, made.Add(d.stamp.past+time.Hour)), Invalid, BadSignature)
		}
		if d.stamp.future != unlimited {
			want(t, p.Scheme.Verify(m, k, made.Add(-d.stamp.future)), Valid, "")
			want(t, p.Scheme.Verify(m, k, made.Add(-d.stamp.future-time.Second)), Invalid, Future)
			want(t, p.Scheme.Verify(m, k, time.Unix(0, 0)), Invalid, Future)
			want(t, p.Scheme.Verify(m, k, time.Unix(-1<<40, 0)), Invalid, Future)
		}
		before := dump(m)
		if err := p.Scheme.Sign(&m, k, SignOptions{}, time.Unix(-5000, 0)); err == nil || dump(m) != before {
			t.Errorf("Sign before 1970: %v", err)
		}
	})
}

// A change of anything that the payload refers to makes the signature wrong.
func TestChangesAreNoticed(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		for range 20 {
			signed, k := messageFor(d, r), keysFor(d, r, 1)
			if len(d.fields) == 0 {
				signed.Body = append(signed.Body, "some bytes"...)
			}
			sign(t, p, &signed, k, someTime)
			for part := range d.payload.flat() {
				m, withs := clone(signed), maps.Clone(k.With)
				switch part.ref {
				case refBody:
					m.Body[r.IntN(len(m.Body))] ^= byte(1 + r.IntN(255))
				case refTime:
					moveTime(t, d, &m)
				case refForms:
					m.Body = append(m.Body, "&more=1"...)
				case refDecoded:
					m.Body = append(m.Body, ' ')
				case refHeaders:
					name := d.headers.names[0]
					if d.headers.in == inHeader {
						name = d.stamp.key
					}
					m.Header.Set(name, m.Header.Get(name)+"0")
				case refMethod:
					m.Method = "PUT"
				case refCode:
					m.URL.RawQuery += "&more=1"
				case refURL, refQuery:
					m.URL.RawQuery += "&"
				case refPath:
					m.URL.Path += "x"
				case refHost:
					m.Header.Set("Host", "other.example")
				case refHeader:
					if d.stamp != nil && part.key == d.stamp.key {
						moveTime(t, d, &m)
						break
					}
					if d.bodyDigest != nil && part.key == d.bodyDigest.key {
						m.Body = append(m.Body, ' ')
						break
					}
					m.Header[part.key] = []string{m.Header[part.key][0] + "x"}
				case refParam:
					m.URL.RawQuery = param.Set(m.URL.RawQuery, part.text, "changed")
				case refField:
					m.Body, _ = jsonx.Set(m.Body, part.path, []byte(`"changed"`))
				case refWith:
					withs[part.text] += "x"
				case refForm:
					if d.stamp == nil {
						m.Body = []byte(param.Set(string(m.Body), part.text, "changed"))
						break
					}
					moveTime(t, d, &m)
				case refSig:
					moveTime(t, d, &m)
				default:
					continue
				}
				v := p.Scheme.Verify(m, Keys{Secrets: k.Secrets, With: withs}, someTime)
				if v.Status != Invalid || v.Reason != BadSignature && len(d.fields) == 0 {
					t.Errorf("%s changed: %+v", part, v)
				}
			}
		}
	})
}

// moveTime makes the time in m's signature one step later.
func moveTime(t *testing.T, d *declared, m *Message) {
	t.Helper()
	var c claim
	if v, ok := d.read(m, &c); !ok {
		t.Fatal(v)
	}
	made, precision, _ := d.stamp.unit.parse(c.stamp)
	later, err := d.stamp.unit.format(made.Add(precision), c.stamp)
	if err != nil {
		t.Fatal(err)
	}
	if d.stamp.in == inSignature {
		h := m.Header[d.signature.key]
		h[0] = strings.Replace(h[0], d.stamp.name+d.list.assign+c.stamp, d.stamp.name+d.list.assign+later, 1)
		return
	}
	if err := d.stamp.write(m, later, true); err != nil {
		t.Fatal(err)
	}
}

// A second signature or time could be the one that the app takes.
func TestDuplicatesAreMalformed(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		signed, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &signed, k, someTime)
		places := []place{d.signature}
		if d.stamp != nil {
			places = append(places, d.stamp.place)
		}
		for _, at := range places {
			m := clone(signed)
			switch at.in {
			case inHeader:
				m.Header[at.key] = append(m.Header[at.key], m.Header[at.key][0])
			case inQuery:
				value, _ := param.Find(m.URL.RawQuery, at.name)
				m.URL.RawQuery += "&" + at.name + "=" + value
			case inForm:
				value, _ := param.Find(string(m.Body), at.name)
				m.Body = append(m.Body, "&"+at.name+"="+value...)
			case inBody:
				v, err := jsonx.Find(m.Body, at.path)
				if err != nil {
					t.Fatal(err)
				}
				parent, err := jsonx.Find(m.Body, at.path[:len(at.path)-1])
				if err != nil {
					t.Fatal(err)
				}
				member := fmt.Sprintf("%q:%s,", at.path[len(at.path)-1], v.Raw)
				m.Body = slices.Insert(m.Body, parent.Start+1, []byte(member)...)
			case inSignature:
				value, _ := d.list.find(m.Header.Get(d.signature.name), at.name)
				m.Header[d.signature.key][0] += d.list.separator + at.name + d.list.assign + value
			}
			want(t, p.Scheme.Verify(m, k, someTime), Invalid, MalformedSignature)
		}
	})
}

func TestNothingTellsTheSecret(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		text := d.form.strip + "c2VjcmV0LXRleHQtdGhhdC1pcy1rZXB0" // any decoding takes it or refuses it
		k.Secrets = []Secret{NewSecret(text)}
		right := clone(m)
		var signature string
		if err := p.Scheme.Sign(&right, k, SignOptions{}, someTime); err == nil {
			var c claim
			d.read(&right, &c)
			signature = c.texts[0]
		}
		k.Secrets = append(k.Secrets, NewSecret("!"+text))
		for _, m := range []Message{m, right, tampered(right)} {
			for _, now := range []time.Time{someTime, someTime.Add(time.Hour), someTime.Add(-time.Hour)} {
				v := p.Scheme.Verify(m, k, now)
				said := fmt.Sprintf("%+v %#v", v, k)
				if strings.Contains(said, text[len(d.form.strip):]) || signature != "" && strings.Contains(said, signature) {
					t.Errorf("told: %s", said)
				}
			}
		}
	})
}

func tampered(m Message) Message {
	m = clone(m)
	m.Body = append(m.Body, ' ')
	return m
}

// Whoever can reach the door has what he sends diagnosed: no message may be too
// odd for that, whatever is wrong with it.
func TestAnyMessageCanBeDiagnosed(t *testing.T) {
	catalog := Builtin()
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		sign(t, p, &m, k, someTime)
		wrong := Keys{Secrets: keysFor(d, r, 2).Secrets, With: k.With}
		for _, body := range []string{string(m.Body), "", "{", "\xff", "a=b&a=b"} {
			changed := m
			changed.Body = []byte(body)
			before := dump(changed)
			catalog.Diagnose(p, changed, map[string]Keys{p.ID: wrong}, someTime)
			if after := dump(changed); after != before {
				t.Fatalf("Diagnose changed the message:\n%s\nwas\n%s", after, before)
			}
		}
	})
}
