package inspector

import (
	"encoding/json"
	"fmt"
	"net/http"

	"devhook/verify"
)

// A keysRequest asks for the public key of a provider's local pair.
type keysRequest struct {
	Provider string `json:"provider"`
	New      bool   `json:"new"` // another pair
}

// keyPair makes a key pair for a provider that keeps its own private key, or finds it,
// and answers the public one; the private one stays in the store.
func (in *Inspector) keyPair(_ *http.Request, req keysRequest) (any, error) {
	p, err := in.lookup(req.Provider)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Provider    string `json:"provider"`
		PublicKey   string `json:"public_key"`
		PrivateFile string `json:"private_key_file"`
	}{Provider: p.ID}
	answer.PublicKey, answer.PrivateFile, err = in.o.KeyPair(p, req.New)
	return answer, err
}

// A solveRequest is webhooks of a provider that nobody knows, and what signs them.
type solveRequest struct {
	Samples []source          `json:"samples"`
	Secret  string            `json:"secret"`
	With    map[string]string `json:"with"` // what else may be signed
}

// mostSamples bounds how many webhooks are looked at.
const mostSamples = 32

// solve finds out how webhooks are signed. The secret is used once and kept nowhere.
func (in *Inspector) solve(_ *http.Request, req solveRequest) (any, error) {
	samples, err := in.samples(req)
	if err != nil {
		return nil, err
	}
	keys := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(req.Secret)}, With: req.With}
	return in.o.Catalog().Solve(samples, keys, in.o.Now()).Tell(len(samples)), nil
}

// samples returns the messages of req.
func (in *Inspector) samples(req solveRequest) ([]verify.Message, error) {
	switch {
	case req.Secret == "":
		return nil, &Error{http.StatusBadRequest, "secret is missing", "it is what the provider signs with"}
	case len(req.Samples) == 0 || len(req.Samples) > mostSamples:
		return nil, &Error{http.StatusBadRequest, fmt.Sprintf("samples are no list of 1 to %d", mostSamples), `"samples": [{"ref": "last"}, {"ref": "last~1"}]`}
	}
	var list []verify.Message
	for i, s := range req.Samples {
		m, err := in.message(s)
		if err != nil {
			return nil, prefixed(fmt.Sprintf("samples[%d]: ", i), err)
		}
		list = append(list, m)
	}
	return list, nil
}

// message returns the message of s, of which all has to be there.
func (in *Inspector) message(s source) (m verify.Message, err error) {
	ex, err := in.open(s)
	if err != nil {
		return m, err
	}
	if ex.Request.Truncated || ex.Request.Body.Sum != "" {
		return m, &Error{http.StatusUnprocessableEntity, "not all of its body is there", ""}
	}
	if m, err = ex.Request.Message(); err != nil {
		err = &Error{http.StatusUnprocessableEntity, err.Error(), ""}
	}
	return m, err
}

// A checkRequest is descriptions of providers, and what they are tried on.
type checkRequest struct {
	Description string          `json:"description"` // in YAML: of one provider, or a devhook.yaml
	Vectors     json.RawMessage `json:"vectors"`     // as in a file of devhook providers --vectors
}

// check tries descriptions on messages that are made up, and on vectors.
func (in *Inspector) check(_ *http.Request, req checkRequest) (any, error) {
	wrong := func(what string, err error, hint string) (any, error) {
		return nil, &Error{http.StatusUnprocessableEntity, what + ": " + err.Error(), hint}
	}
	const language = "the language is described in verify/providers/README.md"
	list, err := verify.ParseDescriptions([]byte(req.Description))
	if err == nil {
		_, err = verify.Builtin().With(list...)
	}
	if err != nil {
		return wrong("description", err, language)
	}
	var by map[string][]verify.Vector
	if len(req.Vectors) > 0 && string(req.Vectors) != "null" {
		all, err := verify.ParseVectors(req.Vectors)
		if err == nil {
			by, err = verify.VectorsOf(list, all)
		}
		if err != nil {
			return wrong("vectors", err, `each is a request with what is found of it, and its "provider" where several are described`)
		}
	}
	answer := struct {
		OK     bool           `json:"ok"` // all of them
		Checks []verify.Tried `json:"checks"`
	}{OK: true}
	add := func(c verify.Tried) {
		answer.Checks, answer.OK = append(answer.Checks, c), answer.OK && c.OK
	}
	for _, one := range list {
		add(one.Try(in.o.Now()))
		for _, v := range by[one.ID] {
			add(one.TryVector(v))
		}
	}
	return answer, nil
}
