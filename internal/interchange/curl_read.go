package interchange

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strings"

	"devhook/recorder"
)

// curl reads curl commands.
func (r Reader) curl(text string, each func(*recorder.Exchange, error) bool) {
	commands, err := shellCommands(text)
	if errors.As(err, new(errCmd)) {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		commands, err = cmdCommands(text)
	}
	if err != nil {
		each(nil, err)
		return
	}
	for _, words := range commands {
		if words[0].text == "$" && len(words) > 1 { // a prompt that was copied, too
			words = words[1:]
		}
		c := &curlCommand{reader: r, text: text, words: words}
		list, err := c.requests()
		if err != nil {
			each(nil, err)
			return
		}
		for _, req := range list {
			ex, err := r.finished(&recorder.Exchange{Request: req}, nil)
			if err != nil {
				err = c.fail(words[0].at, err.Error(), "")
			}
			if !each(ex, err) {
				return
			}
		}
	}
	if len(commands) == 0 {
		each(nil, &Error{Text: "there is no curl command in it"})
	}
}

// A curlCommand is one, as far as it is read.
type curlCommand struct {
	reader Reader
	text   string
	words  []shellWord
	list   []recorder.Request
	made   int // what list has in it, in bytes

	curlRequest
}

// A curlRequest is what the options before --next say.
type curlRequest struct {
	method, target, query string
	urls                  []shellWord
	headers               []field     // of --header
	own                   http.Header // of the other options
	without               []string    // headers that are not sent
	data                  []byte
	hasData, isJSON       bool
	upload                bool // the data is of --upload-file
	get, head, compressed bool
	form                  []formPart
}

func (c *curlCommand) fail(at int, text, hint string) error { return failAt(c.text, at, text, hint) }

// requests reads the options, and gives what curl would send.
func (c *curlCommand) requests() ([]recorder.Request, error) {
	if name := path.Base(c.words[0].text); name != "curl" && name != "curl.exe" {
		return nil, c.fail(c.words[0].at, fmt.Sprintf("%q is not curl", clipped(c.words[0].text)), "only curl commands are read")
	}
	for rest := c.words[1:]; len(rest) > 0; {
		w := rest[0]
		rest = rest[1:]
		var err error
		name, isLong := strings.CutPrefix(w.text, "--")
		switch {
		case isLong:
			rest, err = c.read(name, w, "", rest)
		case len(w.text) > 1 && w.text[0] == '-':
			rest, err = c.letters(w, rest)
		default:
			c.urls = append(c.urls, w)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.list, c.end()
}

// letters reads the options in a word such as -sXPOST. rest are the words behind it, of which
// the last option may take one for its value; what is left of them is returned.
func (c *curlCommand) letters(w shellWord, rest []shellWord) ([]shellWord, error) {
	for at := 1; at < len(w.text); at++ {
		name, known := curlShort[w.text[at]]
		if !known {
			return nil, c.fail(w.at, fmt.Sprintf("-%c is an option of curl that import does not know", w.text[at]), "leave it out if it does not change what is sent")
		}
		if _, takes := curlValued[name]; takes {
			option := w
			option.text = "-" + w.text[at:at+1]
			return c.read(name, option, w.text[at+1:], rest)
		}
		if err := c.option(name, w, w); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// read reads the option w with the given name, whose value is joined or, if that is empty,
// the first of rest.
func (c *curlCommand) read(name string, w shellWord, joined string, rest []shellWord) ([]shellWord, error) {
	value := shellWord{joined, w.at}
	switch _, takes := curlValued[name]; {
	case !takes:
		value = w
	case joined != "":
	case len(rest) == 0:
		return nil, c.fail(w.at, w.text+" has no value", "")
	default:
		value, rest = rest[0], rest[1:]
	}
	return rest, c.option(name, w, value)
}

var errNoURL = errors.New("this curl command has no URL")

// maxMade is how much a command may make, in bytes: each of its URLs gets all its headers and its body.
const maxMade = maxText

// end adds what the options so far say.
func (c *curlCommand) end() error {
	if len(c.urls) == 0 {
		return c.fail(c.words[0].at, errNoURL.Error(), "")
	}
	for _, u := range c.urls {
		req := c.request(u.text)
		if c.made += weight(&req); c.made > maxMade && len(c.list) > 0 {
			return c.fail(u.at, fmt.Sprintf("what this curl command sends to all its URLs is over %d MiB", maxMade>>20), "write fewer URLs in a command")
		}
		c.list = append(c.list, req)
	}
	c.curlRequest = curlRequest{}
	return nil
}

// weight is about how much of memory req takes.
func weight(req *recorder.Request) int {
	const header = 150 // beside its texts
	n := len(req.URL) + len(req.Body.Bytes)
	for name, values := range req.Headers {
		n += header + len(name)
		for _, v := range values {
			n += len(v) + 16
		}
	}
	return n
}

func (c *curlCommand) request(address string) recorder.Request {
	address, _, _ = strings.Cut(address, "#")
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	root, target := recorder.SplitURL(address)
	scheme, host, _ := strings.Cut(root, "://")
	headers := http.Header{"Accept": {"*/*"}}
	if user, bare, ok := strings.Cut(host, "@"); ok {
		host = bare
		if plain, err := url.PathUnescape(user); err == nil {
			headers.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(plain)))
		}
	}
	body, contentType := c.data, ""
	switch {
	case len(c.form) > 0:
		body, contentType = multipart(c.form)
	case c.isJSON:
		contentType = "application/json"
		headers.Set("Accept", "application/json")
	case c.hasData && !c.upload:
		contentType = "application/x-www-form-urlencoded"
	}
	query := c.query
	if c.get && c.hasData {
		query, body, contentType = joined(query, string(c.data)), nil, ""
	}
	if query != "" {
		sep := "?"
		if strings.Contains(target, "?") {
			sep = "&"
		}
		target += sep + query
	}
	if strings.HasPrefix(target, "?") {
		target = "/" + target
	}
	switch c.target {
	case "":
	case "*": // which has no path
		target = ""
	default:
		target = c.target
	}
	method := c.method
	switch {
	case method != "":
	case c.head:
		method = http.MethodHead
	case c.get || !c.hasData && len(c.form) == 0:
		method = http.MethodGet
	default:
		method = http.MethodPost
	}
	headers.Set("Host", host)
	if contentType != "" {
		headers.Set("Content-Type", contentType)
	}
	if c.compressed {
		headers.Set("Accept-Encoding", "deflate, gzip")
	}
	maps.Copy(headers, c.own)
	seen := map[string]bool{}
	for _, f := range c.headers {
		if !seen[f.name] {
			headers.Del(f.name)
			seen[f.name] = true
		}
		headers.Add(f.name, f.value)
	}
	for _, name := range c.without {
		if !seen[name] {
			headers.Del(name)
		}
	}
	if len(body) > 0 || c.hasData && !c.get {
		headers.Set("Content-Length", fmt.Sprint(len(body)))
	}
	return recorder.Request{
		Method: method, URL: scheme + "://" + host + target, Proto: "HTTP/1.1", Headers: headers,
		Body: recorder.Body{Bytes: body}, Size: int64(len(body)),
	}
}
