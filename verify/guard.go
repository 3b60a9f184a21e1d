package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Handler lets only webhooks of p that are signed with one of k's secrets
// through to next. It is a [Guard] for one provider.
func Handler(next http.Handler, p Provider, k Keys) http.Handler {
	c, err := new(Catalog).With(p)
	if err != nil { // p is no provider: the Guard refuses everything
		c = new(Catalog)
	}
	return Guard{Catalog: c, Keys: map[string]Keys{p.ID: k}}.Handler(next)
}

// A Guard stands before an [http.Handler] and lets only webhooks through whose
// signature is right. The handler reads the body as if nobody had read it, and
// learns from [FromContext] who sent it. Put a Guard before all that reads or
// changes bodies. The zero Guard lets nothing through.
//
// What is refused gets the provider's own answer for that ([Provider.Reject],
// mostly 403), which never tells why; Refused does. If the fault is the
// receiver's, because a secret is missing, say, the answer is 500: senders try
// again later. A body that is too large is answered with 413, one that breaks
// off with 400. Questions of a provider whether the URL is right
// ([Provider.Handshake]) are answered here. One that hands over a secret is
// refused: who waits for it calls [Provider.Offer] before the Guard.
type Guard struct {
	// Keys are those of the senders to let in, by the ID or alias of each. If
	// there are several, any of them may have sent a message: the handler has
	// to look at Verified.Provider.
	Keys map[string]Keys
	// Catalog has the providers; nil means [Builtin].
	Catalog *Catalog
	// MaxBody bounds bodies in bytes, each of which is held in memory. 0 means
	// [MaxBody], and it cannot be more.
	MaxBody int64
	// BaseURL is the address that senders know this server by, if that is not
	// what the request says, as behind a proxy: scheme, host, and a path that
	// the proxy takes off. Some providers sign the URL. nil means the Host of
	// the request, and https if it came over TLS.
	BaseURL *url.URL
	// TrustForwarded takes scheme and host from X-Forwarded-Proto and
	// X-Forwarded-Host, where each is there once, and BaseURL is nil. It is for
	// servers that only a proxy can reach that sets both itself: anyone else
	// could name another URL.
	TrustForwarded bool
	// ReportOnly lets everything through, and answers nothing but bodies that
	// break off. The handler has to ask FromContext whether the message is
	// verified.
	ReportOnly bool
	// Now is the clock; nil means [time.Now].
	Now func() time.Time
	// Refused is told of each request that is refused, before it is answered.
	// v is what FromContext gives for r, whose body can be read. With
	// ReportOnly it is never called.
	Refused func(r *http.Request, v Verified)
}

// Verified is what a [Guard] knows of a request.
type Verified struct {
	Provider   string // the ID of the sender, "" if it is not recognised
	Verdict    Verdict
	Event      string // as Provider.Event
	DeliveryID string // as Provider.DeliveryID
}

type contextKey struct{}

// FromContext returns what a [Guard] knows of the request with the context ctx.
// ok tells whether it is verified: without a Guard, and for a request that only
// ReportOnly let through, it is false.
func FromContext(ctx context.Context) (v Verified, ok bool) {
	v, _ = ctx.Value(contextKey{}).(Verified)
	return v, v.Verdict.Status == Valid
}

// Check returns an error if g cannot verify the messages of all its senders: if
// there is none, one is not in the Catalog, or its keys cannot be used. It
// belongs at the start of a program. The error tells no secret.
func (g Guard) Check() error {
	senders, err := g.senders()
	for _, s := range senders {
		if _, bad := s.CheckKeys(s.keys); bad != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", s.ID, bad))
		}
	}
	return err
}

// A sender is a provider that a Guard lets in.
type sender struct {
	Provider
	keys Keys
}

func (g Guard) senders() (all []sender, err error) {
	if len(g.Keys) == 0 {
		return nil, errors.New("no sender is let in")
	}
	catalog := g.Catalog
	if catalog == nil {
		catalog = Builtin()
	}
	for _, id := range sortedKeys(g.Keys) {
		p, ok := catalog.Lookup(id)
		if !ok {
			err = errors.Join(err, unknown("provider", id, catalog.IDs()))
		} else if slices.ContainsFunc(all, func(s sender) bool { return s.ID == p.ID }) {
			err = errors.Join(err, fmt.Errorf("provider %s is there twice", p.ID))
		} else {
			all = append(all, sender{p, g.Keys[id]})
		}
	}
	return all, err
}

// Handler returns a handler that hands what g lets through to next. A later
// change of g's fields means nothing to it.
func (g Guard) Handler(next http.Handler) http.Handler {
	h := &guarded{Guard: g, next: next, limit: MaxBody}
	if 0 < g.MaxBody && g.MaxBody < MaxBody {
		h.limit = g.MaxBody
	}
	if g.Now == nil {
		h.Now = time.Now
	}
	if h.all, h.err = g.senders(); h.err != nil {
		return h
	}
	var ps []Provider
	for _, s := range h.all {
		ps = append(ps, s.Provider)
	}
	h.own, h.err = new(Catalog).With(ps...) // of these alone, so that no other is detected, or even read
	return h
}

// guarded is the handler that a Guard makes.
type guarded struct {
	Guard
	next  http.Handler
	all   []sender // by ID
	own   *Catalog // of all
	err   error    // why nothing can be verified
	limit int64
}

// ServeHTTP implements [http.Handler].
func (h *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, h.limit)
	if err != nil {
		http.Error(w, "the body breaks off", http.StatusBadRequest)
		return
	}
	m := Message{Method: r.Method, URL: h.address(r), Body: body, Header: maps.Clone(r.Header)}
	if m.Header == nil {
		m.Header = http.Header{}
	}
	m.Header["Host"] = []string{m.URL.Host} // which net/http takes out

	var j judgement
	tooLarge := r.ContentLength > h.limit || int64(len(body)) > h.limit
	if tooLarge {
		j = judgement{Verified: Verified{Verdict: Verdict{Unverified, TooLarge, fmt.Sprintf("body of more than %d bytes", h.limit), ""}}}
	} else {
		j = h.judge(m)
	}
	r = r.WithContext(context.WithValue(r.Context(), contextKey{}, j.Verified))
	if tooLarge {
		r.Body = rest{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	} else {
		giveBody(r, body)
	}
	switch {
	case h.ReportOnly:
		h.next.ServeHTTP(w, r)
	case j.handshake != nil:
		j.handshake.write(w)
	case j.Verdict.Status == Valid:
		h.next.ServeHTTP(w, r)
	default:
		if h.Refused != nil {
			h.Refused(r, j.Verified)
		}
		h.refuse(w, r, j)
	}
}

// A judgement is what is known of a message, and how it can be answered.
type judgement struct {
	Verified
	handshake *Answer // to a question of the provider; nil if it is none
	reject    *Answer // of the provider; nil if it is not recognised
}

// judge finds the sender whose signature m bears. If none's is right, the
// verdict is that of the one that m looks like, rather of one whose signature
// is there.
func (h *guarded) judge(m Message) (j judgement) {
	if h.err != nil {
		j.Verdict = Verdict{Unverified, NoSecret, h.err.Error(), ""}
		return j
	}
	now := h.Now()
	senders, recognised := h.candidates(m)
	j.Verdict = Verdict{Status: Unverified, Reason: UnknownProvider}
	var best *sender
	for i := range senders {
		s := &senders[i]
		v := s.Scheme.Verify(m, s.keys, now)
		isNearer := v.Status == Invalid && j.Verdict.Status == Unsigned // it is signed at least
		if i == 0 && recognised || isNearer || v.Status == Valid {
			best, j.Verdict = s, v
		}
		if v.Status == Valid {
			senders = senders[i : i+1]
			break
		}
	}
	if best != nil {
		j.Provider, j.reject = best.ID, &best.Reject
		if j.Verdict.Status == Valid || h.ReportOnly || h.Refused != nil {
			v := &view{m: m}
			j.Event, _ = v.first(best.own().event)
			j.DeliveryID, _ = v.first(best.own().delivery)
		}
	}
	for i := range senders {
		if a, ok := senders[i].Handshake(m, senders[i].keys, now); ok {
			j.handshake = &a
			break
		}
	}
	return j
}

// candidates gives all senders, first those that m looks like. recognised
// reports whether the first is one of these, or the only one.
func (h *guarded) candidates(m Message) (senders []sender, recognised bool) {
	if len(h.all) == 1 {
		return h.all, true
	}
	detected := h.own.Detect(m)
	place := func(s sender) int {
		if i := slices.IndexFunc(detected, func(p Provider) bool { return p.ID == s.ID }); i >= 0 {
			return i
		}
		return len(detected)
	}
	senders = slices.Clone(h.all)
	slices.SortStableFunc(senders, func(a, b sender) int { return place(a) - place(b) })
	return senders, len(detected) > 0
}

func (h *guarded) refuse(w http.ResponseWriter, r *http.Request, j judgement) {
	switch v := j.Verdict; {
	case v.Reason == TooLarge:
		if r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close") // rather than read on
		}
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
	case v.Status == Unverified && v.Reason != UnknownProvider:
		http.Error(w, "webhooks cannot be verified here", http.StatusInternalServerError)
	case j.reject == nil:
		defaultReject().write(w)
	default:
		j.reject.write(w)
	}
}

func (a Answer) write(w http.ResponseWriter) {
	for name, values := range a.Header {
		w.Header()[name] = slices.Clone(values)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // who has gone away needs no answer
}
