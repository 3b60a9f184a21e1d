package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"devhook/internal/inspector"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// ask asks the inspector of a running `devhook up`, with the token that only its own
// user can read. in is sent as JSON, nil for nothing.
func (r *running) ask(ctx context.Context, method, path string, in, out any) error {
	if r.Inspect == "" {
		return errors.New("it has no inspector")
	}
	var body io.Reader
	if in != nil {
		text, err := jsonLine(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Inspect+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	// No proxy of the environment, and no other server, is to see the token.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the running devhook up cannot be asked: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("the running devhook up cannot be asked: %w", err)
	}
	if resp.StatusCode/100 == 2 {
		return json.Unmarshal(text, out)
	}
	var problem struct{ Error, Hint string }
	if err := json.Unmarshal(text, &problem); err != nil || problem.Error == "" {
		return fmt.Errorf("the running devhook up answers %s", resp.Status)
	}
	return &failure{code: 2, text: problem.Error, hint: problem.Hint}
}

// status asks how it fares.
func (r *running) status(ctx context.Context) (s inspector.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err = r.ask(ctx, http.MethodGet, "/devhook/v1/status", nil, &s)
	return s, err
}

// lent reports whether the running `devhook up` is to send what is of the provider
// with the given id, because only it has the secret: one that was typed there, that a
// provider has handed over, or that is in its environment. What this command was told
// itself comes first.
func (s *sending) lent(id string) bool {
	return s.onlyThere(id) && !s.c.IsSet("timeout") && !s.c.IsSet("host-header")
}

// onlyThere reports whether only the running `devhook up` has the secret of the
// provider, and this command was told none.
func (s *sending) onlyThere(id string) bool {
	if s.running == nil || s.running.Inspect == "" || s.sign == replay.SignNever {
		return false
	}
	p, ok := s.cfg.Catalog().Lookup(id)
	if !ok {
		return false
	}
	if _, err := p.CheckSign(s.keys.all[p.ID]); err == nil && s.keys.errs[p.ID] == nil {
		return false
	}
	s.lenders.Do(func() { s.lends = s.running.lends(s.c) }) // once, as this is asked for each webhook
	return slices.Contains(s.lends, p.ID)
}

// lends asks for the providers whose secret it has; none if the command was told a
// secret itself, or if it does not answer.
func (r *running) lends(c *cli.Context) []string {
	if c.IsSet("secret") || c.IsSet("with") {
		return nil
	}
	st, err := r.status(c.Context)
	if err != nil {
		return nil
	}
	return st.Secrets
}

// lend has the running `devhook up` send p, or say what it would send. ok is false if
// it is not to: this process sends it then.
func (s *sending) lend(ctx context.Context, p replay.Plan, dry bool) (done *recorder.Exchange, ok bool, err error) {
	if !s.lent(p.Source.Provider) || p.Source.Request.Size > verify.MaxBody {
		return nil, false, nil
	}
	unsigned := p
	unsigned.Sign = replay.SignNever
	if _, err := unsigned.Build(nil, time.Now()); err != nil { // what a change is wrong with is told in this command's words
		return nil, true, err
	}
	var text bytes.Buffer
	if err := s.store.WriteJSON(&text, p.Source); err != nil {
		return nil, false, err
	}
	req := struct {
		Exchange json.RawMessage `json:"exchange"`
		To       string          `json:"to,omitempty"`
		Changes  []string        `json:"changes,omitempty"`
		Body     *base64ed       `json:"body,omitempty"`
		Sign     replay.SignMode `json:"sign,omitempty"`
		At       string          `json:"at,omitempty"`
		FreshID  bool            `json:"fresh_id,omitempty"`
		DryRun   bool            `json:"dry_run,omitempty"`
	}{Exchange: text.Bytes(), To: p.To.String(), Sign: p.Sign, FreshID: p.FreshID, DryRun: dry}
	if !p.At.IsZero() {
		req.At = p.At.UTC().Format(time.RFC3339Nano)
	}
	for _, m := range p.Mutations {
		bytes, isBody := replay.NewBody(m)
		switch {
		case !isBody && utf8.ValidString(m.String()):
			req.Changes = append(req.Changes, m.String())
		case isBody && len(req.Changes) == 0:
			req.Body = &base64ed{bytes}
		default: // what JSON cannot hold; or one behind others, whose order counts
			return nil, false, nil
		}
	}
	path := "/devhook/v1/replay"
	if p.Origin == recorder.Trigger {
		path = "/devhook/v1/trigger"
	}
	var answer struct {
		Exchange *recorder.Exchange `json:"exchange"`
	}
	err = s.running.ask(ctx, http.MethodPost, path, req, &answer)
	return answer.Exchange, true, err
}

type base64ed struct {
	Base64 []byte `json:"base64"`
}
