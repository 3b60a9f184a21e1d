package gateway

import (
	"bytes"
	"net/url"

	"devhook/internal/jsonx"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// streamed is the verdict on what has no signature because it came by a
// connection that devhook opened itself.
var streamed = verify.Verdict{
	Status: verify.Skipped,
	Detail: "an event of a stream: it has no signature, the connection vouches for it",
}

// judgeSent is what is known of a message that devhook sends.
func (d *delivery) judgeSent(p replay.Plan, m verify.Message) judgement {
	if d.ex.Request.Proto != recorder.ProtoStream {
		j := d.routes.judge(d.route, m, d.ex.Request.Size, d.started)
		if j.verdict.Reason == verify.NoSecret && d.g.o.Judge != nil {
			if v, ok := d.g.o.Judge(j.provider, &d.ex.Request, d.started); ok {
				j.verdict = v
			}
		}
		return j
	}
	j := judgement{provider: p.Source.Provider, event: p.Source.Event, delivery: p.Source.DeliveryID, verdict: streamed}
	if src := p.Source.Request.Body; len(p.Mutations) > 0 && !bytes.Equal(m.Body, src.Bytes) {
		j.event, j.delivery = "", "" // it is not the one that the stream sent
		if v, err := jsonx.Find(m.Body, jsonx.Path{"type"}); err == nil {
			j.event, _ = jsonx.Unquote(v.Raw)
		}
	}
	return j
}

// routeStream returns the apps that an event of a stream goes to; first is nil
// if there is none. Other than what comes in, it is not refused where no route
// takes its path.
func (d *delivery) routeStream(path string) (first *url.URL, copies []*url.URL) {
	r, name, err := d.routes.Find(path)
	if err != nil {
		r, name = &d.routes.Default, ""
	}
	d.ex.Route = name
	d.route.Timeout = r.Timeout
	if len(r.Forward) == 0 {
		return nil, nil
	}
	d.ex.Target = targetURL(r.Forward[0], d.ex.Request.URL)
	return r.Forward[0], r.Forward[1:]
}
