package inspector

import (
	"net/http"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A judgeRequest is a webhook whose signature is to be checked or made. The secret
// is that of the running devhook unless one is given, which is used once and kept
// nowhere.
type judgeRequest struct {
	source
	Provider string            `json:"provider"`
	Secret   string            `json:"secret"`
	With     map[string]string `json:"with"`
	At       string            `json:"at"`
}

// A subject is what is judged.
type subject struct {
	judgeRequest
	ex       *recorder.Exchange
	provider verify.Provider
	keys     verify.Keys
}

// subject reads what r asks about.
func (in *Inspector) subject(r *http.Request) (s subject, err error) {
	if err := decode(r, &s.judgeRequest); err != nil {
		return s, err
	}
	if s.ex, err = in.open(s.source); err != nil {
		return s, err
	}
	if s.ex.Request.Truncated || s.ex.Request.Body.Sum != "" {
		return s, &Error{http.StatusUnprocessableEntity, "not all of its body is there to be checked or signed", ""}
	}
	id := s.Provider
	if id == "" {
		id = s.ex.Provider
	}
	if id == "" {
		id = in.detected(s.ex)
	}
	if id == "" {
		return s, &Error{http.StatusUnprocessableEntity, "no provider is recognised in it", `name one as "provider"; GET /devhook/v1/providers lists all`}
	}
	p, ok := in.o.Catalog().Lookup(id)
	if !ok {
		return s, &Error{http.StatusUnprocessableEntity, "there is no provider " + id, "GET /devhook/v1/providers lists all"}
	}
	s.provider, s.keys = p, in.o.Keys()[p.ID]
	if s.Secret != "" {
		s.keys.Secrets = []verify.Secret{verify.NewSecret(s.Secret)}
	}
	if s.With != nil {
		s.keys.With = s.With
	}
	return s, nil
}

// verify checks a signature: of a recording as of when it came, of all else as of
// now, unless a time is named.
func (in *Inspector) verify(w http.ResponseWriter, r *http.Request) {
	s, err := in.subject(r)
	if err != nil {
		in.failed(w, err)
		return
	}
	usual := s.ex.At
	if usual.IsZero() {
		usual = in.o.Now()
	}
	at, err := in.when(s.At, usual)
	if err == nil {
		err = s.checked(s.provider.CheckKeys(s.keys))
	}
	if err != nil {
		in.failed(w, err)
		return
	}
	m, err := s.ex.Request.Message()
	if err != nil {
		in.failed(w, &Error{http.StatusUnprocessableEntity, err.Error(), ""})
		return
	}
	v := s.provider.Scheme.Verify(m, s.keys, at)
	if v.Status != verify.Valid {
		known := in.o.Keys()
		if s.Secret != "" {
			known = map[string]verify.Keys{s.provider.ID: s.keys}
		}
		if found, _ := in.o.Catalog().Diagnose(s.provider, m, known, at); found.Finding != "" {
			v.Hint = found.Finding + ": " + found.Do
		}
	}
	writeJSON(w, http.StatusOK, struct {
		V        int            `json:"v"`
		Provider string         `json:"provider"`
		Verdict  verify.Verdict `json:"verdict"`
	}{1, s.provider.ID, v})
}

// sign answers the webhook, signed anew.
func (in *Inspector) sign(w http.ResponseWriter, r *http.Request) {
	s, err := in.subject(r)
	if err != nil {
		in.failed(w, err)
		return
	}
	at, err := in.when(s.At, in.o.Now())
	if err == nil {
		err = s.checked(s.provider.CheckSign(s.keys))
	}
	if err != nil {
		in.failed(w, err)
		return
	}
	s.ex.Provider = s.provider.ID
	signed, err := replay.Plan{Source: s.ex, Sign: replay.SignAlways}.Build(replay.Keys(s.provider, s.keys), at)
	if err != nil {
		in.failed(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		V        int                `json:"v"`
		Exchange *recorder.Exchange `json:"exchange"`
	}{1, &recorder.Exchange{Provider: s.provider.ID, Request: signed.Request}})
}

// checked turns the answer of CheckKeys and CheckSign into an error.
func (s subject) checked(hint string, err error) error {
	if err == nil {
		return nil
	}
	if hint == "" {
		hint = `give it as "secret", or to devhook up with --secret`
	}
	return &Error{http.StatusUnprocessableEntity, s.provider.ID + ": " + err.Error(), hint}
}
