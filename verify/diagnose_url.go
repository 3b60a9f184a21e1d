package verify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// urls tries other spellings of the URL, where it is signed.
func (e *examination) urls() (Diagnosis, bool) {
	d := e.d
	if e.m.URL == nil || !slices.ContainsFunc(d.payloads(), template.coversURL) {
		return Diagnosis{}, false
	}
	tried := map[string]bool{}
	for _, u := range e.candidates() {
		if text := u.String(); tried[text] {
			continue
		} else {
			tried[text] = true
		}
		m := e.m
		m.URL, m.Header = u, e.m.Header.Clone()
		m.Header.Set("Host", u.Host)
		if e.fits(d, m, e.keys) {
			return Diagnosis{
				fmt.Sprintf("matches the URL %s", quote(u.String())),
				fmt.Sprintf("%s signs the URL that it was given: give it the very one that it reaches", d.name),
			}, true
		}
	}
	return Diagnosis{}, false
}

// coversURL reports whether the URL or a part of it is signed.
func (t template) coversURL() bool {
	return slices.ContainsFunc(t, func(p part) bool {
		return slices.Contains([]refKind{refURL, refHost, refPath, refQuery, refCode}, p.ref)
	})
}

// candidates gives what the sender may have called the URL. They differ in
// scheme, host and path, or in the query; and what proxies say counts.
func (e *examination) candidates() []*url.URL {
	var all []*url.URL
	add := func(scheme, host string, change func(u *url.URL)) {
		u := *e.m.URL
		u.Scheme, u.Host = scheme, host
		change(&u)
		all = append(all, &u)
	}
	u, paths, queries := e.m.URL, e.paths(), spelledQueries(e.m.URL.RawQuery)
	for _, scheme := range []string{u.Scheme, "https", "http"} {
		for _, host := range e.hosts() {
			for _, change := range paths {
				add(scheme, host, change)
			}
		}
		for _, q := range queries {
			add(scheme, u.Host, func(u *url.URL) { u.RawQuery, u.ForceQuery = q, false })
		}
	}
	return all
}

// hosts gives what the host may have been to the sender.
func (e *examination) hosts() []string {
	u, h := e.m.URL, e.m.Header
	all := []string{u.Host, u.Hostname()}
	for _, text := range []string{h.Get("Host"), h.Get("X-Forwarded-Host"), h.Get("X-Original-Host"), h.Get("X-Forwarded-Server"), forwardedPair(h, "host")} {
		text, _, _ = strings.Cut(text, ",")
		if text = strings.TrimSpace(text); text != "" && len(text) <= 255 && !strings.ContainsAny(text, "/?#@ ") {
			all = append(all, text)
		}
	}
	port := h.Get("X-Forwarded-Port")
	if _, err := strconv.ParseUint(port, 10, 16); err == nil {
		all = append(all, u.Hostname()+":"+port)
	}
	return append(all, u.Hostname()+":443", u.Hostname()+":80", strings.ToLower(u.Host))
}

// forwardedPair gives a parameter of the header Forwarded (RFC 7239 §4), of the
// first proxy.
func forwardedPair(h http.Header, name string) string {
	first, _, _ := strings.Cut(h.Get("Forwarded"), ",")
	for pair := range strings.SplitSeq(first, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(k, name) {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

// paths gives what proxies and people do to paths.
func (e *examination) paths() []func(u *url.URL) {
	set := func(u *url.URL, path string) {
		if plain, err := url.PathUnescape(path); err == nil {
			u.Path, u.RawPath = plain, path
		}
	}
	all := []func(u *url.URL){
		func(*url.URL) {},
		func(u *url.URL) { set(u, strings.TrimRight(u.EscapedPath(), "/")) },
		func(u *url.URL) { set(u, u.EscapedPath()+"/") },
		func(u *url.URL) { u.RawQuery = "" },
		func(u *url.URL) { u.Path, u.RawPath, u.RawQuery = "", "", "" },
		func(u *url.URL) { u.Path, u.RawPath, u.RawQuery = "/", "", "" },
		func(u *url.URL) { u.Path, u.RawPath = "", "" },
		func(u *url.URL) { u.Path, u.RawPath = "/", "" },
		func(u *url.URL) { // as net/http and proxies that decode and clean write it
			u.RawPath = ""
		},
	}
	h := e.m.Header
	if prefix := h.Get("X-Forwarded-Prefix"); strings.HasPrefix(prefix, "/") {
		all = append(all, func(u *url.URL) { set(u, strings.TrimRight(prefix, "/")+u.EscapedPath()) })
	}
	for _, name := range []string{"X-Original-Uri", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Uri", "X-Envoy-Original-Path"} {
		if target, err := url.Parse(h.Get(name)); err == nil && strings.HasPrefix(target.Path, "/") {
			all = append(all, func(u *url.URL) { u.Path, u.RawPath, u.RawQuery = target.Path, target.RawPath, target.RawQuery })
		}
	}
	return all
}

// spelledQueries gives other spellings of a query.
func spelledQueries(q string) []string {
	if q == "" || len(q) > 8<<10 {
		return nil
	}
	parts := strings.Split(q, "&")
	sorted, reversed := slices.Clone(parts), slices.Clone(parts)
	slices.Sort(sorted)
	slices.Reverse(reversed)
	all := []string{strings.Join(sorted, "&"), strings.Join(reversed, "&"), strings.ReplaceAll(q, "+", "%20"), strings.ReplaceAll(q, "%20", "+"),
		string(lowerEscapes([]byte(q))), string(upperEscapes([]byte(q)))}
	if plain, err := url.QueryUnescape(q); err == nil {
		all = append(all, plain) // it was escaped twice, or what is signed is not escaped
	}
	if plain, err := url.PathUnescape(q); err == nil {
		all = append(all, plain)
	}
	if len(parts) <= 4 {
		permutations(parts, func(order []string) { all = append(all, strings.Join(order, "&")) })
	}
	return all
}
