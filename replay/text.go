package replay

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
	"devhook/recorder"
)

// A rewriting gives what becomes of a text that a request holds under a name; the
// same text if nothing does.
type rewriting func(name, text string) string

// notRewritten are headers that tell of the way and of the form of a request.
var notRewritten = []string{"Host", "Content-Length", "Content-Type", "Content-Encoding", "Accept", "User-Agent"}

// rewriteTexts has f change the texts of req: the values of headers and, where one
// is a list, of its elements NAME=VALUE; the parameters of the query; and in the
// body the scalars of JSON, also of JSON in strings, and the fields of forms. All
// other bytes stay. Another body, one that is compressed, and one that is not in
// memory are left as they are.
func rewriteTexts(req *recorder.Request, f rewriting) {
	if headers := rewriteHeaders(req.Headers, f); headers != nil {
		req.Headers = headers
	}
	if _, raw, ok := strings.Cut(req.URL, "?"); ok {
		req.URL = withQuery(req.URL, rewriteParams(raw, f))
	}
	if body := rewriteBody(req, f); body != nil {
		req.Body.Bytes = body
	}
}

// rewriteHeaders returns nil if nothing changes.
func rewriteHeaders(h http.Header, f rewriting) http.Header {
	var made http.Header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		values := h[name]
		if slices.Contains(notRewritten, name) {
			continue
		}
		for i, v := range values {
			now := f(name, v)
			if now == v {
				now = rewriteElements(v, f)
			}
			if now == v {
				continue
			}
			if made == nil {
				made = h.Clone()
			}
			made[name][i] = now
		}
	}
	return made
}

// rewriteElements changes the values of a list such as t=1,v1=abc.
func rewriteElements(list string, f rewriting) string {
	if !strings.Contains(list, "=") {
		return list
	}
	var b strings.Builder
	for list != "" {
		end := strings.IndexAny(list, ",; ")
		if end < 0 {
			end = len(list)
		}
		if name, value, ok := strings.Cut(list[:end], "="); ok {
			b.WriteString(name + "=" + f(name, value))
		} else {
			b.WriteString(list[:end])
		}
		if end < len(list) {
			b.WriteByte(list[end])
			end++
		}
		list = list[end:]
	}
	return b.String()
}

func rewriteParams(raw string, f rewriting) string {
	var b strings.Builder
	from := 0 // raw[:from] is written
	for _, p := range param.Fields(raw) {
		text, ok := param.Unescape(raw[p.Value:p.End])
		if !ok || text == "" {
			continue
		}
		if now := rewriteField(p.Name, text, f); now != text {
			alone := param.Field{Name: p.Name, Value: p.Value - p.Start, End: p.End - p.Start}
			b.WriteString(raw[from:p.Start] + param.Put(raw[p.Start:p.End], alone, now))
			from = p.End
		}
	}
	return b.String() + raw[from:]
}

// rewriteField changes the text of a field, or the JSON that it holds.
func rewriteField(name, text string, f rewriting) string {
	if holdsJSON(text) {
		if made := rewriteJSON([]byte(text), f); made != nil {
			return string(made)
		}
		return text
	}
	return f(name, text)
}

// rewriteBody returns nil if nothing changes.
func rewriteBody(req *recorder.Request, f rewriting) []byte {
	if len(req.Body.Bytes) == 0 || req.Body.Sum != "" || compressed(req.Headers) {
		return nil
	}
	in, ok := formOf(req)
	if !ok {
		return rewriteJSON(req.Body.Bytes, f)
	}
	if u, ok := in.(urlForm); ok {
		if now := rewriteParams(string(u), f); now != string(u) {
			return []byte(now)
		}
		return nil
	}
	m := in.(*multipartForm)
	var made []byte
	from := 0 // m.body[:from] is in made
	for i, p := range m.parts {
		text, err := decodePart(p.encoded, m.raw(i))
		if err != nil {
			continue
		}
		coded, err := encodePart(p.encoded, m.raw(i), rewriteField(p.name, text, f), m.eol)
		if err == nil && coded != m.raw(i) && m.check(coded) == nil { // the same text is coded as it was
			made = append(append(made, m.body[from:p.value]...), coded...)
			from = p.end
		}
	}
	if from == 0 {
		return nil
	}
	return append(made, m.body[from:]...)
}

// rewriteJSON returns nil if nothing changes, or doc is not JSON.
func rewriteJSON(doc []byte, f rewriting) []byte {
	changed := false
	made, err := jsonx.Rewrite(doc, func(p jsonx.Path, raw []byte) []byte {
		text, ok := jsonx.Text(raw)
		kind := jsonx.KindOf(raw)
		if !ok || kind == jsonx.Boolean {
			return nil
		}
		now := f(lastName(p), text)
		if now == text {
			return nil
		}
		changed = true
		if kind == jsonx.Number {
			return []byte(now)
		}
		return jsonx.AppendQuote(nil, now)
	})
	if err != nil || !changed {
		return nil
	}
	return made
}

// lastName returns the last name of p that does not count elements.
func lastName(p jsonx.Path) string {
	for _, name := range slices.Backward(p) {
		if strings.Trim(name, "0123456789") != "" {
			return name
		}
	}
	return ""
}

// topTexts returns the texts at the top of a JSON body or of a form, by their names.
func topTexts(req *recorder.Request) map[string]string {
	top := map[string]string{}
	if f, ok := formOf(req); ok {
		for i, name := range f.names() {
			if i == 100 { // each is looked for from the beginning
				break
			}
			if text := f.value(i); len(text) <= 200 {
				top[name] = text
			}
		}
		return top
	}
	if req.Body.Sum != "" || jsonx.TopKind(req.Body.Bytes) != jsonx.Object || !jsonx.Valid(req.Body.Bytes) {
		return top
	}
	for s := jsonx.NewScanner(req.Body.Bytes); s.Next(); {
		name, ok1 := jsonx.Unquote(s.Member.Name)
		text, ok2 := jsonx.Text(s.Member.Value)
		if ok1 && ok2 {
			top[name] = text
		}
	}
	return top
}
