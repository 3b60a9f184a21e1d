package inspector

import (
	"io"
	"net/http"
	"time"

	"devhook/recorder"
)

// serveBytes serves a body as it was recorded. Whatever it claims to be, a browser
// saves it, or shows it as text: it is never a page, a script or a style of the
// inspector's.
func (in *Inspector) serveBytes(w http.ResponseWriter, r *http.Request, b recorder.Body, name string) {
	f, err := in.o.Store.OpenBody(b)
	if err != nil {
		in.failed(w, err)
		return
	}
	defer f.Close()
	inertly(w, "application/octet-stream", name)
	http.ServeContent(w, r, "", time.Time{}, io.ReadSeeker(f))
}

// inertly sets the headers of what came from outside. kind is text/plain or
// application/octet-stream.
func inertly(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	if kind == "text/plain" {
		kind += "; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
}
