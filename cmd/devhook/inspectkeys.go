package main

import (
	"errors"
	"net/http"
	"path/filepath"
	"sync"

	"devhook/internal/inspector"
	"devhook/verify"
)

// pairing lets one key pair be made at a time.
var pairing sync.Mutex

// keyPair makes a key pair of a provider in the store, if there is none or another is
// wanted. What is made signs from now on.
func (u *up) keyPair(provider verify.Provider, anew bool) (public, path string, err error) {
	pairing.Lock()
	defer pairing.Unlock()
	public, path, made, err := makePair(u.store.Path(), provider, anew)
	if err != nil {
		return "", "", told(err)
	}
	if made != nil {
		u.gateway.SignWith(provider.ID, *made) // a reload finds the file
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return public, path, nil
}

// told returns err as the inspector tells it: misuse is the client's.
func told(err error) error {
	var bad *failure
	if errors.As(err, &bad) && bad.code == 2 {
		return &inspector.Error{Status: http.StatusUnprocessableEntity, Text: bad.text, Hint: bad.hint}
	}
	return err
}
