package inspector

import (
	"net/http"

	"devhook/internal/interchange"
	"devhook/internal/redact"
)

// curlPart answers a command for a POSIX shell that sends the webhook to where it
// went, as it was signed and without credentials.
func (in *Inspector) curlPart(w http.ResponseWriter, r *http.Request) {
	ex, err := in.named(r, "ref")
	if err == nil {
		err = in.load(&ex.Request)
	}
	if err != nil {
		in.failed(w, err)
		return
	}
	if ex.Request.Truncated || ex.Request.Body.Sum != "" {
		fail(w, http.StatusUnprocessableEntity, "not all of its body is there for a command", "devhook show "+string(ex.ID)+" --body has what was kept")
		return
	}
	out, _ := redact.Credentials(in.o.Secrets()...).Exchange(*ex)
	if out.Target != "" { // there, Host is that of the app
		out.Request.URL = out.Target
		out.Request.Headers = out.Request.Headers.Clone()
		out.Request.Headers.Del("Host")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", "attachment")
	if err := interchange.NewWriter(w, interchange.Curl).Write(&out); err != nil {
		in.o.Log.Debug("cannot write a command", "id", string(ex.ID), "error", err)
	}
}
