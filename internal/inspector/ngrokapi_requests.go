package inspector

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

// throughTunnel are the recordings that ngrok's agent would have: what came in, and
// what was sent again.
const throughTunnel = "origin:live,replay,trigger"

// atOnce is how many recordings of a list are held in memory: each may have bodies of
// 256 KiB, as more is in a file.
const atOnce = 32

// listRequests answers what came, the newest first, however much that is: large bodies go
// from their file to the client, and of the others a few are held at a time.
func (a *agentAPI) listRequests(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, err := number(query, "limit", usualExchanges, mostExchanges)
	if err != nil {
		a.failed(w, err)
		return
	}
	f, err := recorder.ParseFilter(a.in.o.Now(), throughTunnel)
	if err != nil {
		a.failed(w, err)
		return
	}
	list := a.in.backwards(r.Context(), recorder.Query{Filter: f, Newest: min(atOnce, limit)})
	if name := query.Get("tunnel_name"); name != "" && name != a.name() {
		list = func(func(*recorder.Exchange, error) bool) {}
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	io.WriteString(out, `{"uri":"/api/requests/http","requests":[`)
	written := 0
	for ex, err := range list {
		if err != nil && written == 0 {
			a.failed(w, err)
			return
		}
		if err == nil && a.shows(ex) {
			if written > 0 {
				out.WriteByte(',')
			}
			written++
			err = a.write(out, ex)
		}
		if err != nil {
			a.in.o.Log.Debug("a list ends early", "error", err)
			return // and its JSON has no end, so that nobody takes it for the whole
		}
		if written == limit || ex.Seq <= a.hidden.Load() {
			break
		}
	}
	io.WriteString(out, "]}\n")
	out.Flush()
}

// shows reports whether ex is one that is listed.
func (a *agentAPI) shows(ex *recorder.Exchange) bool {
	return ex.Seq > a.hidden.Load() && ex.Request.Proto != recorder.ProtoStream
}

// find returns the recording that ref names: an id of this API, or what else names
// one for devhook.
func (a *agentAPI) find(ref string) (*recorder.Exchange, error) {
	ex, err := a.in.o.Store.Get(ref)
	if err == nil && !a.shows(ex) {
		err = fmt.Errorf("%s: %w", ref, recorder.ErrNotFound)
	}
	return ex, err
}

func (a *agentAPI) oneRequest(w http.ResponseWriter, r *http.Request) {
	ex, err := a.find(r.PathValue("id"))
	if err != nil {
		a.failed(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	if err := a.write(out, ex); err != nil {
		a.in.o.Log.Debug("a request ends early", "error", err)
		return
	}
	out.WriteByte('\n')
	out.Flush()
}

// hideRequests has the API list nothing of what there is, as if it were deleted,
// until devhook is started anew. A script must not be able to wipe the store.
func (a *agentAPI) hideRequests(w http.ResponseWriter, _ *http.Request) {
	for ex, err := range a.in.o.Store.Query(recorder.Query{Newest: 1}) {
		if err != nil {
			a.failed(w, err)
			return
		}
		a.hidden.Store(ex.Seq)
	}
	w.WriteHeader(http.StatusNoContent)
}

// replay sends a recording again, signed anew, and answers when the app has.
func (a *agentAPI) replay(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID         string  `json:"id"`
		TunnelName *string `json:"tunnel_name"`
		// TunnelNameJS is how the npm package ngrok spells it.
		TunnelNameJS *string `json:"tunnelName"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.ID == "" {
		agentFail(w, http.StatusBadRequest, codeOther, "invalid replay request", `it is not {"id":"…"}`)
		return
	}
	if name := cmp.Or(req.TunnelName, req.TunnelNameJS); name != nil && *name != "" && *name != a.name() {
		agentFail(w, http.StatusNotFound, codeOther, "tunnel not found", fmt.Sprintf("tunnel %q not found", *name))
		return
	}
	ex, err := a.find(req.ID)
	if err == nil {
		err = a.in.load(&ex.Request)
	}
	if err != nil {
		a.failed(w, err)
		return
	}
	plan, err := a.in.plan(sendRequest{source: source{Ref: string(ex.ID)}}, recorder.Replay)
	if err == nil {
		err = a.in.aim(&plan, false)
	}
	if err == nil {
		_, err = a.in.o.Send(r.Context(), plan)
	}
	var bad *replay.Error
	switch {
	case errors.As(err, &bad):
		agentFail(w, http.StatusBadRequest, codeOther, bad.Text, cmp.Or(bad.Hint, bad.Text))
	case err != nil:
		a.failed(w, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// write writes ex as the agent has it. Its duration is in nanoseconds; its raw
// messages are in base64.
func (a *agentAPI) write(w *bufio.Writer, ex *recorder.Exchange) error {
	remote := ex.Request.Remote
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	var took time.Duration
	if ex.Response != nil {
		took = ex.Response.Took
	}
	req := ex.Request
	target := req.Target()
	o := object{w: w}
	o.begin()
	o.member("uri", "/api/requests/http/"+url.PathEscape(string(ex.ID)))
	o.member("id", ex.ID)
	o.member("tunnel_name", a.name())
	o.member("remote_addr", remote)
	o.member("start", ex.At.Local().Format(time.RFC3339))
	o.member("duration", took.Nanoseconds())
	o.name("request")
	o.begin()
	o.member("method", req.Method)
	o.member("proto", cmp.Or(req.Proto, "HTTP/1.1")) // a sample came by none
	o.member("headers", req.Headers)
	o.member("uri", target)
	o.name("raw")
	a.raw(&o, req.Method+" "+target+" "+wireProto(req.Proto), req.Headers, req.Body, req.Size)
	o.end()
	o.name("response")
	if res := ex.Response; res == nil {
		o.text("null")
	} else {
		status := strings.TrimRight(fmt.Sprintf("%d %s", res.Status, http.StatusText(res.Status)), " ")
		o.begin()
		o.member("status", status)
		o.member("status_code", res.Status)
		o.member("proto", "HTTP/1.1")
		o.member("headers", res.Headers)
		o.name("raw")
		a.raw(&o, "HTTP/1.1 "+status, res.Headers, res.Body, res.Size)
		o.end()
	}
	o.end()
	return o.err
}

// wireProto returns the version that a message is written down in.
func wireProto(proto string) string {
	if strings.HasPrefix(proto, "HTTP/1.") {
		return proto
	}
	return "HTTP/1.1"
}

// raw writes a whole message. One that came in chunks gets its length, without
// which its body would not be read; of one that is cut, the length stays as it was.
func (a *agentAPI) raw(o *object, start string, h http.Header, body recorder.Body, size int64) {
	if o.err != nil {
		return
	}
	f, err := a.in.o.Store.OpenBody(body)
	if err != nil { // a file that is gone; the rest can be told
		a.in.o.Log.Debug("a body cannot be read", "error", err)
		f, size = nil, 0
	} else {
		defer f.Close()
	}
	o.text(`"`)
	enc := base64.NewEncoder(base64.StdEncoding, o.w)
	io.WriteString(enc, start+"\r\n")
	h.Write(enc)
	if h.Get("Content-Length") == "" && size > 0 {
		fmt.Fprintf(enc, "Content-Length: %d\r\n", size)
	}
	io.WriteString(enc, "\r\n")
	if f != nil {
		_, o.err = io.Copy(enc, f)
	}
	o.err = cmp.Or(o.err, enc.Close())
	o.text(`"`)
}

// An object writes JSON whose members have an order, and some of which are too
// large to be held.
type object struct {
	w     *bufio.Writer
	inner bool // a member stands before the next
	err   error
}

func (o *object) text(s string) {
	if o.err == nil {
		_, o.err = o.w.WriteString(s)
	}
}

func (o *object) begin() { o.text("{"); o.inner = false }

func (o *object) end() { o.text("}"); o.inner = true }

func (o *object) name(name string) {
	if o.inner {
		o.text(",")
	}
	o.inner = true
	o.text(`"` + name + `":`)
}

func (o *object) member(name string, v any) {
	o.name(name)
	if h, ok := v.(http.Header); ok && h == nil {
		v = http.Header{}
	}
	text, err := encode("", v)
	if o.err == nil {
		o.err = err
	}
	o.text(strings.TrimSuffix(string(text), "\n"))
}
