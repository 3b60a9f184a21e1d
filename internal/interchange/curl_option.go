package interchange

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"devhook/internal/similar"
)

// curlShort are the letters of curl's options, and their names.
var curlShort = map[byte]string{
	'X': "request", 'H': "header", 'd': "data", 'F': "form", 'u': "user", 'b': "cookie", 'A': "user-agent", 'e': "referer",
	'G': "get", 'I': "head", 'T': "upload-file", 'r': "range", 'o': "output", 'D': "dump-header", 'c': "cookie-jar", 'w': "write-out",
	'm': "max-time", 'x': "proxy", 'E': "cert", 'K': "config", 'k': "insecure", 's': "silent", 'S': "show-error", 'v': "verbose",
	'L': "location", 'i': "include", 'f': "fail", 'g': "globoff", 'N': "no-buffer", '4': "ipv4", '6': "ipv6", '0': "http1.0", 'O': "remote-name",
	'j': "junk-session-cookies", '#': "progress-bar", ':': "next", 'q': "disable", 'Z': "parallel", 'y': "speed-time", 'Y': "speed-limit", 'U': "proxy-user",
}

// curlValued are the options that take a value; true: it is of no matter for what
// is sent.
var curlValued = map[string]bool{
	"request": false, "header": false, "data": false, "data-ascii": false, "data-raw": false, "data-binary": false, "data-urlencode": false,
	"json": false, "form": false, "form-string": false, "user": false, "cookie": false, "user-agent": false, "referer": false,
	"upload-file": false, "range": false, "url": false, "request-target": false, "oauth2-bearer": false, "url-query": false, "config": false,
	"output": true, "dump-header": true, "cookie-jar": true, "write-out": true, "max-time": true, "proxy": true, "cert": true, "key": true,
	"cacert": true, "capath": true, "connect-timeout": true, "retry": true, "retry-delay": true, "retry-max-time": true, "resolve": true,
	"connect-to": true, "interface": true, "limit-rate": true, "max-redirs": true, "proxy-user": true, "ciphers": true, "tls-max": true,
	"unix-socket": true, "speed-time": true, "speed-limit": true, "max-filesize": true, "output-dir": true, "stderr": true, "trace": true, "trace-ascii": true,
	"proto": true, "noproxy": true, "keepalive-time": true, "expect100-timeout": true, "local-port": true, "dns-servers": true, "pinnedpubkey": true,
}

// curlPlain are the options without a value.
var curlPlain = strings.Fields(`get head compressed insecure silent show-error verbose location location-trusted include fail fail-with-body globoff
	no-buffer ipv4 ipv6 http1.0 http1.1 http2 http2-prior-knowledge http3 remote-name junk-session-cookies progress-bar next disable parallel path-as-is
	basic digest ntlm negotiate anyauth tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 ssl ssl-reqd tcp-nodelay tcp-fastopen no-keepalive raw tr-encoding
	create-dirs compressed-ssh no-progress-meter styled-output post301 post302 post303 remote-header-name retry-connrefused retry-all-errors`)

// option takes in one option; value is the option itself if it takes none.
func (c *curlCommand) option(name string, w, value shellWord) (err error) {
	v := value.text
	switch name {
	case "url":
		c.urls = append(c.urls, value)
	case "request":
		c.method = v
	case "request-target":
		c.target = v
	case "header":
		if strings.HasPrefix(v, "@") {
			return c.fail(value.at, "headers from a file are not read", "write them in its place")
		}
		c.header(v)
	case "user-agent":
		c.set("User-Agent", v)
	case "referer":
		c.set("Referer", strings.TrimSuffix(v, ";auto"))
	case "range":
		c.set("Range", "bytes="+v)
	case "cookie":
		if !strings.Contains(v, "=") {
			return c.fail(value.at, "cookies from a file are not read", "write them as NAME=VALUE")
		}
		if before := c.own.Get("Cookie"); before != "" {
			v = before + ";" + v
		}
		c.set("Cookie", v)
	case "user":
		c.set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(v)))
	case "oauth2-bearer":
		c.set("Authorization", "Bearer "+v)
	case "get":
		c.get = true
	case "head":
		c.head = true
	case "compressed":
		c.compressed = true
	case "next":
		return c.end()
	case "config":
		return c.fail(w.at, "options from a file are not read", "write them in its place")
	case "upload-file":
		if c.data, err = c.file(value, v); err != nil {
			return err
		}
		c.hasData, c.upload, c.method = true, true, cmp.Or(c.method, http.MethodPut)
	case "form", "form-string":
		return c.addPart(value, name == "form-string")
	case "url-query":
		plain, isPlain := strings.CutPrefix(v, "+")
		if !isPlain {
			if plain, err = c.encoded(value); err != nil {
				return err
			}
		}
		c.query = joined(c.query, plain)
	case "data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json":
		return c.addData(name, value)
	default:
		_, valued := curlValued[name]
		if valued || slices.Contains(curlPlain, name) || strings.HasPrefix(name, "no-") {
			return nil
		}
		hint := "leave it out if it does not change what is sent"
		if near := similar.Typo(name, append(slices.Sorted(maps.Keys(curlValued)), curlPlain...)); near != "" {
			hint = "did you mean --" + near + "?"
		}
		return c.fail(w.at, "--"+clipped(name)+" is an option of curl that import does not know", hint)
	}
	return nil
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "&" + b
}

// set takes in a header that an option beside --header gives: the last one counts, and
// --header before all.
func (c *curlCommand) set(name, value string) {
	if c.own == nil {
		c.own = http.Header{}
	}
	c.own.Set(name, value)
}

// header takes in NAME: VALUE; NAME: takes one away, NAME; is one without value.
func (c *curlCommand) header(line string) {
	name, value, ok := strings.Cut(line, ":")
	name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
	switch {
	case ok && value == "":
		c.without = append(c.without, name)
	case ok:
		c.headers = append(c.headers, field{name, value})
	case strings.HasSuffix(name, ";"):
		c.headers = append(c.headers, field{http.CanonicalHeaderKey(strings.TrimSuffix(name, ";")), ""})
	}
}

// file reads what an @ names.
func (c *curlCommand) file(at shellWord, name string) ([]byte, error) {
	if c.reader.Open == nil || name == "-" {
		return nil, c.fail(at.at, fmt.Sprintf("it sends the file %q, which import does not read by itself", clipped(name)), "devhook import --files reads files that commands name; look first whether they are meant to be read")
	}
	b, err := c.reader.Open(name)
	if err != nil {
		return nil, c.fail(at.at, err.Error(), "")
	}
	return b, nil
}

func (c *curlCommand) addData(name string, value shellWord) (err error) {
	data := []byte(value.text)
	file, isFile := strings.CutPrefix(value.text, "@")
	switch name {
	case "data", "data-ascii", "data-binary", "json":
		if !isFile {
			break
		}
		if data, err = c.file(value, file); err != nil {
			return err
		}
		if name == "data" || name == "data-ascii" {
			data = slices.DeleteFunc(data, func(b byte) bool { return b == '\r' || b == '\n' || b == 0 })
		}
	case "data-urlencode":
		text, err := c.encoded(value)
		if err != nil {
			return err
		}
		data = []byte(text)
	}
	if c.hasData && name != "json" {
		c.data = append(c.data, '&')
	}
	c.data = append(c.data, data...)
	c.hasData = true
	c.isJSON = c.isJSON || name == "json"
	return nil
}

// encoded gives CONTENT, =CONTENT, NAME=CONTENT, @FILE or NAME@FILE with the content
// escaped, as curl 7.86 and later do.
func (c *curlCommand) encoded(value shellWord) (string, error) {
	i := strings.IndexAny(value.text, "=@")
	if i < 0 {
		return url.QueryEscape(value.text), nil
	}
	prefix, content := value.text[:i], value.text[i+1:]
	if value.text[i] == '@' {
		read, err := c.file(value, content)
		if err != nil {
			return "", err
		}
		content = string(read)
	}
	if prefix != "" {
		prefix += "="
	}
	return prefix + url.QueryEscape(content), nil
}

// addPart takes in --form NAME=VALUE, with ;type= and ;filename= behind it.
func (c *curlCommand) addPart(value shellWord, plain bool) (err error) {
	name, content, ok := strings.Cut(value.text, "=")
	if !ok {
		return c.fail(value.at, "a form field is NAME=VALUE", "")
	}
	var contentType, filename string
	if !plain {
		for {
			i := strings.LastIndexByte(content, ';')
			if i < 0 {
				break
			}
			key, v, _ := strings.Cut(strings.TrimSpace(content[i+1:]), "=")
			if key == "type" {
				contentType = v
			} else if key == "filename" {
				filename = strings.Trim(v, `"`)
			} else {
				break
			}
			content = content[:i]
		}
	}
	body := []byte(content)
	if !plain && (strings.HasPrefix(content, "@") || strings.HasPrefix(content, "<")) {
		if body, err = c.file(value, content[1:]); err != nil {
			return err
		}
		if content[0] == '@' {
			filename = cmp.Or(filename, path.Base(content[1:]))
			contentType = cmp.Or(contentType, "application/octet-stream")
		}
	}
	c.form = append(c.form, newFormPart(name, filename, contentType, body))
	return nil
}
