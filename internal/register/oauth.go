package register

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// elsewhere returns the client for another host of the provider whose API is
// usually at usual. An emulator has all hosts at its one address.
func (c *Client) elsewhere(usual, host string) *Client {
	other := *c
	if c.Base == usual {
		other.Base = host
	}
	return &other
}

// An appToken calls an API as an app does: with a token that its id and its
// secret are exchanged for (RFC 6749 §4.4). It is asked for when it is first
// needed, and anew when it has expired.
type appToken struct {
	c           *Client
	usual, host string // of the API, and of what gives tokens
	path        string // of what gives tokens
	id          string // the app's; its secret is {client-secret}
}

// Do is [Client.Do].
func (a *appToken) Do(ctx context.Context, call Call, into any) error {
	had := a.c.Hidden["access"] != ""
	if !had {
		if err := a.ask(ctx); err != nil {
			return err
		}
	}
	err := a.c.Do(ctx, call, into)
	if had && StatusOf(err) == http.StatusUnauthorized {
		if err := a.ask(ctx); err != nil {
			return err
		}
		err = a.c.Do(ctx, call, into)
	}
	return err
}

func (a *appToken) ask(ctx context.Context) error {
	var token struct {
		Access string `json:"access_token"`
	}
	c := a.c.elsewhere(a.usual, a.host)
	c.Header = nil
	err := c.Do(ctx, Call{
		Method: http.MethodPost, Path: a.path, Idempotent: true,
		Body: url.Values{"client_id": {a.id}, "client_secret": {"{client-secret}"}, "grant_type": {"client_credentials"}},
	}, &token)
	switch {
	case err != nil:
		return advised(err, "are the client id and the client secret right, and of one app?", 400, 401, 403)
	case token.Access == "":
		return errors.New("the API gave no token")
	}
	a.c.Hidden["access"] = token.Access
	return nil
}
