package tunnel

import (
	"context"
	"log/slog"
	"reflect"
)

// An sdkLog is the handler of what the SDK logs. It hands on to next what the
// user asked to see, made safe, and nothing to anybody else: the SDK would log
// to the default logger. Nothing of it is above Info: what goes wrong is told
// once, as an Error or an Event.
//
// It also picks out the one thing that the SDK tells nowhere else: the URL in
// the service's answer to a bind. After a reconnect the SDK asks for the URL
// anew, takes whatever URL it gets, and goes on to report the old one. Should
// the SDK's log change, a changed URL goes unnoticed again; nothing else is
// lost.
type sdkLog struct {
	clean scrubber
	bound func(url string)
	watch func(slog.Record)
	next  slog.Handler // nil: nobody wants to see it
}

func (h *sdkLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelDebug }

func (h *sdkLog) Handle(ctx context.Context, r slog.Record) error {
	h.watch(r)
	if r.Level == slog.LevelDebug {
		r.Attrs(func(a slog.Attr) bool {
			if url := boundURL(a); url != "" {
				h.bound(url)
			}
			return true
		})
	}
	level := min(r.Level, slog.LevelInfo)
	if h.next == nil || !h.next.Enabled(ctx, level) {
		return nil
	}
	out := slog.NewRecord(r.Time, level, h.clean.tidy(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(h.safeAttr(a))
		return true
	})
	return h.next.Handle(ctx, out)
}

func (h *sdkLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	if h.next == nil {
		return h
	}
	safe := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		safe = append(safe, h.safeAttr(a))
	}
	return &sdkLog{h.clean, h.bound, h.watch, h.next.WithAttrs(safe)}
}

func (h *sdkLog) WithGroup(name string) slog.Handler {
	if h.next == nil {
		return h
	}
	return &sdkLog{h.clean, h.bound, h.watch, h.next.WithGroup(name)}
}

// safeAttr returns a without secrets. Of a message of the protocol only the
// type is left: it can hold the authtoken, cookies, and secrets in a traffic
// policy.
func (h *sdkLog) safeAttr(a slog.Attr) slog.Attr {
	switch v := a.Value; v.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64:
		return a
	case slog.KindString:
		return slog.String(a.Key, h.clean.tidy(v.String()))
	default:
		switch x := v.Any().(type) {
		case nil:
			return a
		case error:
			return slog.String(a.Key, h.clean.tidy(x.Error()))
		case interface{ String() string }:
			return slog.String(a.Key, h.clean.tidy(x.String()))
		default:
			return slog.String(a.Key, h.clean.tidy(reflect.TypeOf(x).String()))
		}
	}
}

// boundURL returns the URL in an attribute that is the service's answer to a
// bind, and "" of any other attribute. The type is internal to the SDK; what it
// is known by is its fields.
func boundURL(a slog.Attr) string {
	if k := a.Value.Kind(); k != slog.KindAny && k != slog.KindLogValuer {
		return ""
	}
	v := reflect.ValueOf(a.Value.Any())
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return ""
	}
	url, proto, failed := v.FieldByName("URL"), v.FieldByName("Proto"), v.FieldByName("Error")
	for _, f := range []reflect.Value{url, proto, failed} {
		if !f.IsValid() || f.Kind() != reflect.String {
			return ""
		}
	}
	if failed.String() != "" {
		return ""
	}
	return url.String()
}
