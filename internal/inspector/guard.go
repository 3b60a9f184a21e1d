package inspector

import (
	"crypto/sha256"
	"crypto/subtle"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devhook/internal/loopback"
)

// maxRequest is the most that a request to the inspector may hold, in bytes: a
// body of 32 MiB, which is the most that is signed, in base64.
const maxRequest = 48 << 20

// contentPolicy lets a page use what this server has, and nothing else; no script
// and no style stands in a page itself. Images are also those that a script
// has made of bytes.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A guard decides who is let in. What stands against whom:
//
//   - A page of any site can have a name of its own point at this machine (DNS
//     rebinding), and is then, for the browser, of one origin with the inspector.
//     Its requests have its name as Host.
//   - A page of any site can send forms here, and requests that it cannot read the
//     answer of. Browsers say so in Sec-Fetch-Site, and in Origin.
//   - A tunnel or a gateway in front of the port, as one that was told the wrong
//     port, brings the internet. It says so in Forwarded headers.
//   - Whoever is on the network, if the port is open to it, has to have the token.
type guard struct {
	o     *Options
	next  http.Handler
	token [sha256.Size]byte
}

func newGuard(o *Options, next http.Handler) *guard {
	return &guard{o: o, next: next, token: sha256.Sum256([]byte(o.Token))}
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if site := r.Header.Get("Sec-Fetch-Site"); site != "none" && site != "same-origin" {
		// Who typed the address or comes from the page itself has no foreign opener to be
		// parted from, and would wait 25 ms for the new process that a browser starts.
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if g.o.Shared && g.signIn(w, r) {
		return
	}
	switch {
	case !g.rightHost(r):
		refuse(w, r, http.StatusForbidden, "this is not the host of the inspector", "ask for http://"+g.o.Addr+"; --inspect-host lets another name in")
	case !g.o.Shared && cameThrough(r) && !g.named(r.Host):
		refuse(w, r, http.StatusForbidden, "this came through a proxy", "a proxy of yours is let in by --inspect-host NAME, if it asks by that name")
	case !fromHere(r):
		refuse(w, r, http.StatusForbidden, "a page elsewhere asks for this", "the inspector answers its own pages, and programs")
	case g.o.Shared && !g.known(r) && !isProbe(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="devhook"`)
		refuse(w, r, http.StatusUnauthorized, "the token is missing or wrong", "open the URL that devhook up printed, or send it as Authorization: Bearer TOKEN")
	case !isJSON(r):
		refuse(w, r, http.StatusUnsupportedMediaType, "the content type is not application/json", "send Content-Type: application/json")
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		g.next.ServeHTTP(w, r)
	}
}

// refuse answers r as who asks for it expects: the routes of ngrok's agent have errors of
// their own form.
func refuse(w http.ResponseWriter, r *http.Request, status int, text, hint string) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		agentFail(w, status, codeOther, text, hint)
		return
	}
	fail(w, status, text, hint)
}

// rightHost reports whether r asks for a host that no stranger can give a name
// of his own. Where a token is needed, that is what counts: a page that was bound
// here under another name has no cookie of it.
func (g *guard) rightHost(r *http.Request) bool {
	if g.o.Shared {
		return true
	}
	host, port := splitHost(r.Host)
	_, own := splitHost(g.o.Addr)
	return loopback.Is(host) && port == own || g.named(r.Host)
}

// named reports whether a Host is one that was configured.
func (g *guard) named(s string) bool {
	host, _ := splitHost(s)
	return slices.ContainsFunc(g.o.Hosts, func(name string) bool {
		return strings.EqualFold(name, s) || strings.EqualFold(name, host)
	})
}

// cameThrough reports whether something has passed r on, as a tunnel does, and a
// gateway: who writes to the inspector's own port says nothing of the kind.
func cameThrough(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Via"} {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return false
}

// splitHost returns name and port of a Host; the port of http if it has none.
func splitHost(s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), "80"
	}
	return strings.TrimSuffix(host, "."), port
}

// fromHere reports whether r comes from a page of the inspector, or from no page:
// https://www.w3.org/TR/fetch-metadata/. Another port of this machine is another
// site, too, because anything can run there. A link that somebody follows to a
// page is let in: nobody but him sees where it leads.
func fromHere(r *http.Request) bool {
	if origin := r.Header.Values("Origin"); len(origin) > 0 {
		u, err := url.Parse(origin[0])
		if err != nil || len(origin) > 1 || !strings.EqualFold(u.Host, r.Host) || u.Scheme != "http" && u.Scheme != "https" {
			return false
		}
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
		return true
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	followed := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return read && followed && !strings.HasPrefix(r.URL.Path, "/devhook/") && !strings.HasPrefix(r.URL.Path, "/api/")
}

// isJSON reports whether what r sends says that it is JSON, which no form can
// say. A POST has to say so even if it sends nothing.
func isJSON(r *http.Request) bool {
	if r.Method != http.MethodPost && r.ContentLength == 0 {
		return true
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// isProbe reports whether r asks only whether devhook lives.
func isProbe(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// known reports whether r has the token.
func (g *guard) known(r *http.Request) bool {
	if c, err := r.Cookie(g.cookie()); err == nil && g.same(c.Value) {
		return true
	}
	return g.bears(r)
}

// bears reports whether r has the token in Authorization, as a program has it.
func (g *guard) bears(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && g.same(strings.TrimSpace(token))
}

// same compares in a time that tells nothing of the token.
func (g *guard) same(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return g.o.Token != "" && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

func (g *guard) cookie() string { return Cookie(g.o.Addr, "").Name }

// Cookie is how a page shows the token to the inspector at addr: it lets in, and no
// more. Cookies do not know ports: two inspectors on one host must not take each
// other's away.
func Cookie(addr, token string) *http.Cookie {
	_, port := splitHost(addr)
	return &http.Cookie{Name: "devhook_" + port, Value: token}
}

// signIn takes the token out of the URL that devhook has printed, so that it
// stays in no history, and into a cookie. It reports whether r is answered.
func (g *guard) signIn(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if r.Method != http.MethodGet || !query.Has("token") || !g.same(query.Get("token")) {
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name: g.cookie(), Value: g.o.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	query.Del("token")
	to := url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: query.Encode()}
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return true
}
