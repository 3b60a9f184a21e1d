package redact

import (
	"devhook/recorder"
)

// Exchange returns ex for others to have, and what was replaced or left out, as
// [Redactor.Request] tells it, of the answers with "response" or "app" before
// it. Headers that are credentials by their name, as Authorization, Cookie and
// X-Api-Key, are left out; credentials elsewhere become zeros. Signatures stay:
// nobody can make another with one, and without it the webhook cannot be
// verified. They fit no more where something that they cover was replaced.
//
// Bodies that are in files are not read: load them first. What ex refers to is
// not written to.
func (r *Redactor) Exchange(ex recorder.Exchange) (redacted recorder.Exchange, changed []string) {
	p := r.pass()
	p.drop = true
	p.settle(func() { redacted = p.exchange(ex) })
	return redacted, p.changed
}

// Frame is [Redactor.Exchange] of a message of the WebSocket that an exchange has opened.
func (r *Redactor) Frame(f recorder.Frame) (redacted recorder.Frame, changed []string) {
	p := r.pass()
	p.settle(func() {
		redacted = f
		p.of = "message "
		redacted.Body, redacted.Size = p.sized(f.Body, nil, f.Size)
		p.part = "reason"
		for _, s := range []*string{&redacted.Reason, &redacted.Detail} {
			if clean := p.hide(p.text(*s, inBody)); clean != *s {
				p.note("")
				*s = clean
			}
		}
	})
	if len(p.changed) > 0 {
		redacted.Wire = 0 // nobody has compressed this
	}
	return redacted, p.changed
}

func (p *pass) exchange(ex recorder.Exchange) recorder.Exchange {
	p.of = ""
	ex.Request = p.request(ex.Request)
	ex.Response = p.response("response ", ex.Response)
	ex.App = p.response("app ", ex.App)
	if p.of = "target "; ex.Target != "" {
		ex.Target = p.url(ex.Target)
	}
	p.of, p.part = "", ""
	texts := func(name string, list ...*string) {
		for _, s := range list {
			if clean := p.text(*s, inBody); clean != *s {
				p.note(name)
				*s = clean
			}
		}
	}
	ex.Changes = append([]string(nil), ex.Changes...)
	for i := range ex.Changes {
		texts("changes", &ex.Changes[i])
	}
	texts("detail", &ex.Detail, &ex.Verdict.Detail, &ex.Verdict.Hint)
	texts("delivery_id", &ex.DeliveryID)
	if ex.Ending != nil {
		end := *ex.Ending
		texts("ended", &end.Detail)
		ex.Ending = &end
	}
	return ex
}

func (p *pass) response(of string, r *recorder.Response) *recorder.Response {
	if r == nil {
		return nil
	}
	out := *r
	p.of, p.part = of, "header"
	out.Headers = p.headers(r.Headers)
	out.Body.Bytes, out.Size = p.sized(r.Body.Bytes, out.Headers, r.Size)
	return &out
}
