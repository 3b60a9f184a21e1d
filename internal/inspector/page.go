package inspector

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"devhook/fixtures"
	"devhook/recorder"
)

// The page is written here, by html/template, which makes text of all that it is
// given: no byte of a webhook becomes markup. Parts of it are fetched by htmx, rows
// and what is in a body are placed by the modules in static/.

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// templates are parsed when the first page is asked for: most commands show none.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(pageFuncs).ParseFS(templateFiles, "templates/*.html"))
})

// staticSum is in the path of each static file, so that a browser may keep them and
// never has one of another devhook's.
var staticSum = sync.OnceValue(sumStatic)

// styles are one file to a browser: what is first seen waits for it.
var styles = slices.Concat(mustRead("base.css"), mustRead("list.css"), mustRead("pane.css"))

// modules are app.js and what it imports, so that a browser need not read one to know of
// the next.
var modules = listModules()

func mustRead(name string) []byte {
	text, err := staticFiles.ReadFile("static/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return text
}

func listModules() (names []string) {
	all, _ := fs.Glob(staticFiles, "static/*.js") // the only error is that of a bad pattern
	for _, name := range all {
		if name = path.Base(name); name != "start.js" {
			names = append(names, name)
		}
	}
	return names
}

func sumStatic() string {
	h := sha256.New()
	fs.WalkDir(staticFiles, "static", func(name string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			h.Write([]byte(name))
			h.Write(mustRead(strings.TrimPrefix(name, "static/")))
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// page are the routes of the page that people look at.
func (in *Inspector) page() {
	in.handle("GET /{$}", in.homePage)
	in.handle("GET /x/{ref}", in.exchangePage)
	in.handle("GET /x/{ref}/family", in.familyPart)
	in.handle("GET /x/{ref}/curl", in.curlPart)
	in.handle("GET /x/{ref}/before", in.beforePage)
	in.handle("GET /diff/{ref}/{other}", in.diffPage)
	in.handle("GET /providers", in.providersPage)
	in.handle("GET /providers/{id}", in.providerPage)
	in.handle("GET /providers/{id}/recent", in.recentPart)
	in.handle("GET /page/rows", in.rowsPart)
	in.handle("GET /page/events", in.rowEvents)
	in.handle("GET /page/points", in.answered(in.points))
	in.handle("GET /page/failure", in.answered(in.failure))
	in.handle("GET /page/failures", in.failuresPart)
	in.handle("GET /page/status", in.statusPart)
	in.handle("GET /page/words", in.answered(in.words))
	in.handle("GET /static/{sum}/{file...}", static)
	in.handle("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { // that browsers ask for beside what is no page
		r.SetPathValue("file", "icon.svg")
		static(w, r)
	})
}

// A shell is the page around a pane: a frame up to the list, which is sent at once, and
// what comes after.
type shell struct {
	Title  string
	Static string
	// Modules are the scripts that are wanted soon.
	Modules []string
	Status  Status
	Filter  string
	Fault   *filterFault
	Notes   []string // where the filter may not mean what its writer did
	List    rowList
	Pane    template.HTML // made by a template of ours
	Open    string        // the id of the exchange in the pane
	Zone    string        // that times are shown in
	Offset  int           // of it now, in seconds east of UTC
}

// firstRows is how many rows come with the page: what most screens have. Each is time
// until something is seen; the rest is read once it was.
const firstRows = 14

// show answers with a pane: alone to htmx, else with the whole page around it.
func (in *Inspector) show(w http.ResponseWriter, r *http.Request, status int, title, name string, data any) {
	pane, err := in.render(name, data)
	if err != nil {
		in.failed(w, err)
		return
	}
	if r.Header.Get("HX-Request") == "true" {
		w.Header().Set("X-Devhook-Title", asciiTitle(title))
		html(w, status, pane)
		return
	}
	s := shell{Title: title, Static: "/static/" + staticSum(), Modules: modules, Status: in.o.Status(), Filter: r.URL.Query().Get("filter"), Pane: template.HTML(pane)}
	s.Zone, s.Offset = in.o.Now().Local().Zone()
	if ex, ok := data.(*detail); ok {
		s.Open = string(ex.Exchange.ID)
	}
	f, err := in.filter(s.Filter)
	if err != nil {
		s.Fault = faultOf(s.Filter, err)
	} else {
		s.Notes = notesOf(f)
	}
	frame, err := in.render("frame", s)
	if err != nil {
		in.failed(w, err)
		return
	}
	html(w, status, frame)
	http.NewResponseController(w).Flush() // it is seen while rows are read; an error shows when more is written
	if s.Fault == nil {
		s.List = in.firstRows(r.Context(), f)
	}
	rest, err := in.render("shell", s)
	if err != nil {
		rest = []byte("The page cannot be made.</body></html>")
	}
	w.Write(rest)
}

// render returns what a template makes of data. That it cannot be made is told here.
func (in *Inspector) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		in.o.Log.Warn("the page cannot be made", "template", name, "error", err)
		return nil, &Error{http.StatusInternalServerError, "the page cannot be made", ""}
	}
	return b.Bytes(), nil
}

// asciiTitle is title as a header can have it.
func asciiTitle(title string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, title)
}

func html(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request")
	w.WriteHeader(status)
	w.Write(text)
}

// part answers with a template that stands in no page of its own.
func (in *Inspector) part(w http.ResponseWriter, name string, data any) {
	text, err := in.render(name, data)
	if err != nil {
		in.failed(w, err)
		return
	}
	html(w, http.StatusOK, text)
}

// trouble shows that something is not there, in place of a pane.
func (in *Inspector) trouble(w http.ResponseWriter, r *http.Request, err error) {
	status, text, hint := http.StatusInternalServerError, err.Error(), ""
	var ambiguous *recorder.AmbiguousError
	switch {
	case errors.Is(err, recorder.ErrNotFound):
		status, text, hint = http.StatusNotFound, "There is no recording "+r.PathValue("ref"), "It may have been pruned. A number, an id, or “last” names one."
	case errors.As(err, &ambiguous):
		status, hint = http.StatusConflict, "Give more of the id."
	}
	in.show(w, r, status, text, "trouble", problem{text, hint})
}

func (in *Inspector) homePage(w http.ResponseWriter, r *http.Request) {
	in.show(w, r, http.StatusOK, "devhook", "home", in.home())
}

// A home is the pane of who has chosen nothing yet.
type home struct {
	Status  Status
	Pasting []string
	Empty   bool
	// Known are the providers whose secret is known here, Sample a sample of the
	// first.
	Known  []provider
	Sample string
}

func (in *Inspector) home() home {
	status := in.o.Status()
	h := home{Status: status, Pasting: status.pasting(), Empty: true, Sample: "github/ping"}
	for _, err := range in.o.Store.Query(recorder.Query{Newest: 1}) {
		h.Empty = err != nil
	}
	keys := in.o.Keys()
	for _, p := range in.o.Catalog().Providers() {
		if len(keys[p.ID].Secrets) > 0 {
			h.Known = append(h.Known, in.provider(p, keys))
		}
	}
	if !h.Empty {
		return h
	}
	all, _ := in.o.Fixtures() // what cannot be read is told where samples are listed
	for _, p := range h.Known {
		if i := slices.IndexFunc(all, func(f fixtures.Fixture) bool { return f.Provider == p.ID }); i >= 0 {
			h.Sample = p.ID + "/" + all[i].Name
			break
		}
	}
	return h
}

func (in *Inspector) statusPart(w http.ResponseWriter, _ *http.Request) {
	in.part(w, "status", in.o.Status())
}

// static serves what is embedded, for good.
func static(w http.ResponseWriter, r *http.Request) {
	name := path.Clean("/" + r.PathValue("file"))
	text, err := staticFiles.ReadFile("static" + name)
	if name == "/page.css" {
		text, err = styles, nil
	}
	if err != nil {
		fail(w, http.StatusNotFound, "there is no such file", "")
		return
	}
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // whatever the machine has set for them
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	}
	w.Header().Set("Content-Type", kind)
	if r.PathValue("sum") == staticSum() {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	w.Write(text)
}
