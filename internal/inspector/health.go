package inspector

import (
	"io"
	"net/http"
)

// health are the routes for whoever starts devhook and waits for it.
func (in *Inspector) health() {
	in.handle("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	in.handle("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s := in.o.Status(); !s.Ready || s.Tunnel.State != "connected" {
			plain(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, text)
}
