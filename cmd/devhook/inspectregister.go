package main

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/inspector"
	"devhook/internal/register"
)

// planned opens a registration, for a look at what it would do, of the URL that the
// provider's webhooks are to go to now. What params says comes before devhook.yaml.
// Credentials are those of the environment and devhook.yaml, and so is where the API is:
// nobody who asks names a variable, a file or a host to send them to.
func (u *up) planned(p register.Provider, params map[string][]string) (reg *register.Registration, callback string, err error) {
	said, path, api := entryOf(u.cfg, p)
	for name, texts := range params {
		i := slices.IndexFunc(p.Params, func(param register.Param) bool { return param.Name == name })
		if i < 0 {
			return nil, "", &inspector.Error{Status: http.StatusBadRequest, Text: p.ID + " is told nothing by the name of " + name}
		}
		if p.Params[i].Kind == register.Secret {
			return nil, "", &inspector.Error{Status: http.StatusForbidden, Text: name + " is a secret, which no request names", Hint: cmp.Or(p.Params[i].Env, "register: in devhook.yaml") + " has it"}
		}
		said[name] = config.Value{Texts: texts, From: "params", Given: true}
	}
	values, err := config.Params(p, said, &config.Resolver{Getenv: u.p.getenv}) // which asks nobody
	if err == nil {
		reg, err = register.Open(register.Options{Store: u.store, Provider: p, Values: values, API: u.p.apiURL(p.ID, api)})
	}
	var missing *register.MissingError
	switch {
	case errors.As(err, &missing) && missing.Param.Kind == register.Secret:
		return nil, "", &inspector.Error{Status: http.StatusUnprocessableEntity, Text: err.Error(), Hint: "export " + missing.Param.Env + " for devhook up, or say it under register: in devhook.yaml"}
	case errors.As(err, &missing):
		return nil, "", &inspector.Error{Status: http.StatusUnprocessableEntity, Text: err.Error(), Hint: `say it as "params": {"` + missing.Param.Name + `": ["…"]}`}
	case err != nil:
		return nil, "", told(misuse(err))
	}
	callback = urlFor(u.gateway.Routes(), u.publicURL(), p.ID)
	if path != "" {
		callback = strings.TrimRight(u.publicURL(), "/") + path
	}
	return reg, callback, told(checkCallback(callback, reg, false))
}
