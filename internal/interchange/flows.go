package interchange

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"devhook/recorder"
)

// flows reads what mitmdump -w writes. The version of a flow counts up with most releases
// of mitmproxy, and its members change; those of requests and answers that are read here
// are called the same in all of them (mitmproxy/io/compat.py). Others are passed over.
func (r Reader) flows(br *bufio.Reader, pos *position, each func(*recorder.Exchange, error) bool) {
	for n := 1; ; n++ {
		pos.next()
		flow, err := nextFlow(br)
		if err == io.EOF {
			return
		}
		if kind := textOf(flow["type"]); err == nil && kind != "http" {
			r.skip("flow %d is left out: %s is not HTTP", n, cmp.Or(clipped(kind), "it"))
			continue
		}
		var ex *recorder.Exchange
		if err == nil {
			ex, err = r.finished(exchangeOfFlow(flow), nil)
		}
		if err == nil {
			err = r.hand(ex, framesOfFlow(flow))
		}
		if err != nil {
			err = &Error{Text: fmt.Sprintf("flow %d: %v", n, err), Err: err}
		}
		if !each(ex, err) {
			return
		}
	}
}

type dict = map[string]any

func exchangeOfFlow(flow dict) *recorder.Exchange {
	req, _ := flow["request"].(dict)
	ex := &recorder.Exchange{At: timeOf(req["timestamp_start"])}
	ex.Request = recorder.Request{Method: textOf(req["method"]), Proto: textOf(req["http_version"]), Headers: headersOfFlow(req)}
	ex.Request.Body.Bytes, ex.Request.Truncated = contentOf(req)
	scheme := textOf(req["scheme"])
	host := textOf(req["host"])
	if port := textOf(req["port"]); port != map[string]string{"http": "80", "https": "443"}[scheme] {
		host = net.JoinHostPort(host, port)
	}
	ex.Request.URL = scheme + "://" + cmp.Or(textOf(req["authority"]), ex.Request.Headers.Get("Host"), host) + textOf(req["path"])
	client, _ := flow["client_conn"].(dict)
	for _, name := range []string{"peername", "address"} { // the later name, and the earlier one
		if at, _ := client[name].([]any); len(at) >= 2 {
			ex.Request.Remote = net.JoinHostPort(textOf(at[0]), textOf(at[1]))
		}
	}
	res, ok := flow["response"].(dict)
	if !ok {
		failed, _ := flow["error"].(dict)
		ex.Outcome, ex.Detail = recorder.Unreachable, "imported: "+cmp.Or(textOf(failed["msg"]), "there is no response in the flow")
		return ex
	}
	status, _ := strconv.Atoi(textOf(res["status_code"]))
	a := &recorder.Response{Status: status, Headers: headersOfFlow(res)}
	a.Body.Bytes, a.Truncated = contentOf(res)
	a.Size = int64(len(a.Body.Bytes))
	if end := timeOf(res["timestamp_end"]); !end.IsZero() && !ex.At.IsZero() {
		a.Took = end.Sub(ex.At)
	}
	ex.Response, ex.Outcome = a, recorder.Answered
	return ex
}

// contentOf returns a body as it passed, and whether it was passed on without being kept.
func contentOf(message dict) (body []byte, lost bool) {
	body, ok := message["content"].([]byte)
	return body, !ok
}

func headersOfFlow(message dict) http.Header {
	h := http.Header{}
	list, _ := message["headers"].([]any)
	for _, line := range list {
		if pair, _ := line.([]any); len(pair) == 2 {
			h.Add(textOf(pair[0]), textOf(pair[1]))
		}
	}
	return h
}

func framesOfFlow(flow dict) (frames []recorder.Frame) {
	ws, _ := flow["websocket"].(dict)
	list, _ := ws["messages"].([]any)
	for i, m := range list { // opcode, whether it is the client's, content, time, …
		m, _ := m.([]any)
		if len(m) < 4 {
			continue
		}
		f := recorder.Frame{N: int64(i + 1), At: timeOf(m[3]), Dir: recorder.Out, Op: recorder.OpText, Body: []byte(textOf(m[2]))}
		if m[1] == true {
			f.Dir = recorder.In
		}
		if textOf(m[0]) == "2" {
			f.Op = recorder.OpBinary
		}
		f.Size = int64(len(f.Body))
		frames = append(frames, f)
	}
	return frames
}

// textOf gives a text, bytes or a number as text; "" for all else.
func textOf(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case string:
		return v
	}
	return ""
}

func timeOf(v any) time.Time {
	seconds, err := strconv.ParseFloat(textOf(v), 64)
	if err != nil || !(seconds > 0 && seconds <= 1e11) { // NaN, too
		return time.Time{}
	}
	return time.UnixMicro(int64(seconds * 1e6)).UTC()
}
