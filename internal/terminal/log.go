package terminal

import (
	"context"
	"log/slog"
	"strings"
)

// LogHandler returns a handler that writes records of the given level and
// above, as a person reads them: warnings and errors in words, what is below
// with all its parts.
func (t *Terminal) LogHandler(level slog.Level) slog.Handler { return &logHandler{t: t, level: level} }

type logHandler struct {
	t      *Terminal
	level  slog.Level
	prefix string // parts that With gave
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(Safe(r.Message) + h.prefix)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(part(a))
		return true
	})
	switch {
	case r.Level >= slog.LevelError:
		h.t.told(h.t.style.bad, "devhook: error:", b.String())
	case r.Level >= slog.LevelWarn:
		h.t.told(h.t.style.warn, "devhook: warning:", b.String())
	default:
		h.t.Printf("%s %s", h.t.style.dim(strings.ToLower(r.Level.String())+":"), b.String())
	}
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	for _, a := range attrs {
		next.prefix += part(a)
	}
	return &next
}

func (h *logHandler) WithGroup(string) slog.Handler { return h }

func part(a slog.Attr) string {
	value := Safe(a.Value.Resolve().String())
	if a.Key == "error" {
		return ": " + value
	}
	return " " + Safe(a.Key) + "=" + value
}
