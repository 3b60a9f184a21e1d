package inspector

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"devhook/internal/param"
	"devhook/recorder"
	"devhook/verify"
)

// A detail is an exchange as its pane shows it.
type detail struct {
	row
	Verdict verdictCard
	Advice  string // what to do about the outcome, "" if nothing is
	Says    string // how the app's answer begins, if that is an error
	Host    string
	Docs    string // where the provider describes its signature
	Query   []pair
	Headers []pair
	Body    body
	Answers []answer
	Frames  []*recorder.Frame
	// WebSocket says that there can be frames; FramesError why they are not all here.
	WebSocket   bool
	FramesError string
	// Patience is how long the provider waits for an answer, 0 if that is not known,
	// Share the part of it that the answer took, in percent.
	Patience time.Duration
	Share    int
	Signable bool // can be signed anew
}

// A verdictCard is a verdict in words for people.
type verdictCard struct {
	verify.Verdict
	Class, Title string
}

// A pair is a name and a value of a header or a query. Mark is set for what has to
// do with the signature.
type pair struct {
	Name, Value string
	Mark        bool
}

// A body is what the viewer needs to show one.
type body struct {
	ID             string // unique in the page
	URL            string // of its bytes
	Size           int64
	Type, Encoding string
	Preview        string
	Truncated      bool
	Stored         bool // there are bytes to be shown
}

// An answer is a response, and whose it is.
type answer struct {
	*recorder.Response
	Title, About string
	Class        string
	Headers      []pair
	Shown        body
}

func (in *Inspector) exchangePage(w http.ResponseWriter, r *http.Request) {
	ex, err := in.o.Store.Get(r.PathValue("ref"))
	if err != nil {
		in.trouble(w, r, err)
		return
	}
	d := in.detail(ex)
	in.show(w, r, http.StatusOK, fmt.Sprintf("#%d %s", ex.Seq, clean(d.Name)), "exchange", d)
}

// shownFrames is how many frames of a WebSocket the pane has.
const shownFrames = 500

func (in *Inspector) detail(ex *recorder.Exchange) *detail {
	catalog := in.o.Catalog()
	d := &detail{row: in.row(ex, catalog), Verdict: card(ex.Verdict), Advice: advice(ex)}
	root, target := recorder.SplitURL(ex.Request.URL)
	d.Host = root
	if _, query, ok := strings.Cut(target, "?"); ok {
		d.Query = pairs(query)
	}
	d.Headers = headerPairs(ex.Request.Headers)
	base := "/devhook/v1/exchanges/" + string(ex.ID)
	d.Body = bodyOf("request", base+"/body", ex.Request.Body, ex.Request.Size, ex.Request.Truncated, ex.Request.Headers)
	if p, ok := catalog.Lookup(ex.Provider); ok {
		d.Docs, d.Patience = p.Docs, p.Retry.Timeout
		_, err := p.CheckSign(in.o.Keys()[p.ID])
		d.Signable = err == nil
	}
	if ex.Response != nil && d.Patience > 0 {
		d.Share = int(min(100, max(1, 100*ex.Response.Took/d.Patience)))
	}
	if res := ex.Response; res != nil {
		about := "what the sender got"
		switch {
		case ex.Outcome == recorder.Handled, ex.Outcome == recorder.Refused, ex.Outcome == recorder.Unrouted, ex.Outcome == recorder.Unreachable:
			about = "made by devhook, " + about
		case ex.App != nil:
			about = "a stand-in for the app’s answer, " + about
		case ex.Origin != recorder.Live:
			about = "what the app answered"
		}
		d.Answers = append(d.Answers, answerOf("response", "Response", about, base+"/response", res))
	}
	if ex.App != nil {
		d.Answers = append(d.Answers, answerOf("app", "The app’s own answer", "which the sender did not get", base+"/response?of=app", ex.App))
	}
	d.Says = says(ex)
	d.WebSocket = ex.Response != nil && ex.Response.Status == http.StatusSwitchingProtocols
	if d.WebSocket {
		for f, err := range readable(in.o.Store.Frames(ex, shownFrames), nil) {
			if err != nil {
				d.FramesError = err.Error()
				break
			}
			d.Frames = append(d.Frames, f)
		}
	}
	return d
}

// card puts a verdict in words.
func card(v verify.Verdict) verdictCard {
	c := verdictCard{Verdict: v, Class: "note"}
	switch v.Status {
	case verify.Valid:
		c.Class, c.Title = "ok", "Signature verified"
	case verify.Invalid:
		c.Class, c.Title = "fail", "Signature is not valid"
	case verify.Unsigned:
		c.Class, c.Title = "fail", "Not signed"
	case verify.Unverified:
		c.Class, c.Title = "wait", "Not verified"
	case verify.Skipped:
		c.Title = "Not checked"
	default:
		c.Title = "No verdict"
	}
	if v.Reason == verify.UnknownProvider && v.Hint == "" {
		c.Hint = "nothing in it tells who sent it; name the provider of this path in devhook.yaml, or with --provider; devhook solve finds out how an unknown one signs"
	}
	return c
}

// advice tells what to do about an outcome.
func advice(ex *recorder.Exchange) string {
	switch ex.Outcome {
	case recorder.Unreachable:
		return "Start the app, or have it sent elsewhere with “Edit and replay”. Nothing is lost: press r once the app is there."
	case recorder.Refused:
		return "It was not forwarded. “--verify report” lets such webhooks through, marked."
	case recorder.Unrouted:
		return "No route of devhook.yaml takes this path."
	case recorder.Pending:
		return "The app has not answered yet, or devhook ended before it did."
	case recorder.Queued:
		return "It is forwarded once the app can be reached."
	}
	return ""
}

// mostSaid is how much of an error is shown beside its status, in characters.
const mostSaid = 300

// says is how the app's answer begins if that is an error, and text that people read as it is.
func says(ex *recorder.Exchange) string {
	res := ex.Answer()
	if res == nil || res.Status < 400 || ex.App == nil && ex.Outcome != recorder.Answered || strings.Contains(res.Headers.Get("Content-Type"), "html") {
		return ""
	}
	text := []rune(strings.Join(strings.Fields(preview(res.Body)), " "))
	if len(text) > mostSaid {
		return string(text[:mostSaid]) + "…"
	}
	return string(text)
}

// pairs are the parameters of a query, decoded.
func pairs(query string) []pair {
	var list []pair
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		n, ok := param.Unescape(name)
		v, ok2 := param.Unescape(value)
		if !ok || !ok2 {
			n, v = name, value
		}
		if part != "" {
			list = append(list, pair{Name: n, Value: v, Mark: isSignature(n)})
		}
	}
	return list
}

func headerPairs(h http.Header) []pair {
	var list []pair
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			list = append(list, pair{name, v, isSignature(name)})
		}
	}
	return list
}

// isSignature reports whether name looks like that of a signature or of what one
// covers. It is for the eye alone.
func isSignature(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"signature", "hmac", "webhook-id", "webhook-timestamp"}, func(s string) bool { return strings.Contains(name, s) }) || name == "sign"
}

func bodyOf(id, url string, b recorder.Body, size int64, truncated bool, h http.Header) body {
	return body{
		ID: id, URL: url, Size: size, Type: h.Get("Content-Type"), Encoding: h.Get("Content-Encoding"), Truncated: truncated,
		Preview: preview(b), Stored: len(b.Bytes) > 0 || b.Sum != "",
	}
}

func answerOf(id, title, about, url string, res *recorder.Response) answer {
	class := "ok"
	switch {
	case res.Status >= 400:
		class = "fail"
	case res.Status >= 300:
		class = "note"
	}
	return answer{
		Response: res, Title: title, About: about, Class: class, Headers: headerPairs(res.Headers),
		Shown: bodyOf(id, url, res.Body, res.Size, res.Truncated, res.Headers),
	}
}
