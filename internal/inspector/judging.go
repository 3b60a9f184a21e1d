package inspector

import (
	"net/http"
	"strings"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A judgeRequest is a webhook whose signature is to be checked or made.
type judgeRequest struct {
	source
	provided
	KeysOf  string `json:"keys_of"` // another provider, whose keys are used
	At      string `json:"at"`
	FreshID bool   `json:"fresh_id"` // for sign
}

// A provided says whose a webhook is, if that is not recorded, and what signs it. The
// secret is that of the running devhook unless one is given, which is used once and
// kept nowhere.
type provided struct {
	Provider string            `json:"provider"`
	Secret   string            `json:"secret"`
	With     map[string]string `json:"with"`
}

// A subject is what is judged.
type subject struct {
	judgeRequest
	ex       *recorder.Exchange
	provider verify.Provider
	keys     verify.Keys
}

// subject reads what is asked about.
func (in *Inspector) subject(req judgeRequest) (s subject, err error) {
	s.judgeRequest = req
	if s.ex, err = in.open(s.source); err != nil {
		return s, err
	}
	if s.ex.Request.Truncated || s.ex.Request.Body.Sum != "" {
		return s, &Error{http.StatusUnprocessableEntity, "not all of its body is there to be checked or signed", ""}
	}
	if s.provider, s.keys, err = in.providerOf(s.ex, s.provided); err == nil && s.KeysOf != "" {
		of := s.provided
		of.Provider = s.KeysOf
		_, s.keys, err = in.providerOf(s.ex, of)
	}
	return s, err
}

// providerOf returns the provider of ex, and what signs its webhooks.
func (in *Inspector) providerOf(ex *recorder.Exchange, given provided) (p verify.Provider, k verify.Keys, err error) {
	id := given.Provider
	if id == "" {
		id = ex.Provider
	}
	if id == "" {
		id = ex.Request.Detect(in.o.Catalog())
	}
	if id == "" {
		return p, k, &Error{http.StatusUnprocessableEntity, "no provider is recognised in it", `name one as "provider"; GET /devhook/v1/providers lists all`}
	}
	p, ok := in.o.Catalog().Lookup(id)
	if !ok {
		return p, k, in.noProvider(http.StatusUnprocessableEntity, id)
	}
	k = in.o.Keys()[p.ID]
	if given.Secret != "" {
		k.Secrets = []verify.Secret{verify.NewSecret(given.Secret)}
	}
	if given.With != nil {
		k.With = given.With
	}
	return p, k, nil
}

// verify checks a signature: of a recording as of when it came, of all else as of
// now, unless a time is named.
func (in *Inspector) verify(_ *http.Request, req judgeRequest) (any, error) {
	s, err := in.subject(req)
	if err != nil {
		return nil, err
	}
	usual := s.ex.At
	if usual.IsZero() {
		usual = in.o.Now()
	}
	at, err := in.when("at", s.At, usual)
	if err == nil {
		err = checked(s.provider)(s.provider.CheckKeys(s.keys))
	}
	if err != nil {
		return nil, err
	}
	m, err := s.ex.Request.Message()
	if err != nil {
		return nil, &Error{http.StatusUnprocessableEntity, err.Error(), ""}
	}
	known := in.o.Keys()
	if s.Secret != "" {
		known = map[string]verify.Keys{s.provider.ID: s.keys}
	}
	return struct {
		Provider string         `json:"provider"`
		Verdict  verify.Verdict `json:"verdict"`
	}{s.provider.ID, in.o.Catalog().Judge(s.provider, m, s.keys, known, at)}, nil
}

// sign answers the webhook, signed anew.
func (in *Inspector) sign(_ *http.Request, req judgeRequest) (any, error) {
	s, err := in.subject(req)
	if err != nil {
		return nil, err
	}
	at, err := in.when("at", s.At, in.o.Now())
	if err == nil {
		err = checked(s.provider)(s.provider.CheckSign(s.keys))
	}
	if err != nil {
		return nil, err
	}
	s.ex.Provider = s.provider.ID
	signed, err := replay.Plan{Source: s.ex, Sign: replay.SignAlways, FreshID: s.FreshID}.Build(replay.Keys(s.provider, s.keys), at)
	if err != nil {
		return nil, err
	}
	return struct {
		Exchange *recorder.Exchange `json:"exchange"`
	}{&recorder.Exchange{Provider: s.provider.ID, Request: signed.Request}}, nil
}

// checked turns the answer of CheckKeys and CheckSign of p into an error.
func checked(p verify.Provider) func(hint string, err error) error {
	return func(hint string, err error) error {
		if err == nil {
			return nil
		}
		if hint == "" {
			hint = "give it with --secret " + p.ID + "=REF"
		}
		return &Error{http.StatusUnprocessableEntity, p.ID + ": " + err.Error(), keyWords.Replace(hint)}
	}
}

// keyWords is flagWords where a request can bring a key itself.
var keyWords = strings.NewReplacer(
	" with --secret ", ` as "secret", or to devhook up with --secret `,
	" with --with ", ` as "with", or to devhook up with --with `,
)
