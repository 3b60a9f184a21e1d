package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"

	"devhook/internal/gateway"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/tunnel"

	"github.com/urfave/cli/v2"
)

// levelCritical is the level of ngrok's agent for what ends it.
const levelCritical = slog.LevelError + 4

// An agentLog is --log: the lines that programs wait for which start ngrok, in the
// words of its agent. They are for those programs; what a person or devhook's own
// clients are told stands elsewhere, and stays.
// The zero agentLog writes nothing.
type agentLog struct {
	to     *slog.Logger // nil: nowhere
	file   *os.File     // to be closed; nil if there is none
	stdout bool         // it is what stands on stdout, alone
}

// openAgentLog opens the log that c asks for. Without --log nothing is written.
func (p *program) openAgentLog(c *cli.Context) (agentLog, error) {
	var l agentLog
	format := c.String("log-format")
	if format != "logfmt" && format != "json" {
		return l, &failure{code: 2, text: "--log-format is none of logfmt, json"}
	}
	var w io.Writer
	switch to := c.String("log"); to {
	case "", "false":
		return l, nil
	case "stdout":
		l.stdout = true
		if out := c.String("output"); c.Bool("json") || out == "json" || out == "lines" {
			return l, &failure{code: 2, text: "--log stdout and --output both want stdout", hint: "write the log to stderr or a file: --log stderr, --log devhook.log"}
		}
		w = terminal.Patient(p.stdout, unreadTime)
	case "stderr":
		w = terminal.Patient(p.stderr, unreadTime)
	default:
		f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return l, &failure{code: 2, text: "--log: " + err.Error(), hint: "name stdout, stderr or a file", err: err}
		}
		l.file, w = f, f
	}
	o := &slog.HandlerOptions{ReplaceAttr: agentAttr}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if format == "json" {
		h = slog.NewJSONHandler(w, o)
	}
	l.to = slog.New(h)
	return l, nil
}

// agentAttr gives an attribute the name and the form that ngrok's agent has for it.
func agentAttr(_ []string, a slog.Attr) slog.Attr {
	switch {
	case a.Key == slog.TimeKey:
		return slog.String("t", a.Value.Time().Format("2006-01-02T15:04:05-0700"))
	case a.Key == slog.LevelKey:
		level, _ := a.Value.Any().(slog.Level)
		name := map[slog.Level]string{slog.LevelDebug: "dbug", slog.LevelInfo: "info", slog.LevelWarn: "warn", slog.LevelError: "eror"}[level]
		if level >= levelCritical {
			name = "crit"
		}
		return slog.String("lvl", name)
	case a.Value.Kind() == slog.KindString: // what came from outside
		return slog.String(a.Key, terminal.Safe(a.Value.String()))
	}
	return a
}

func (l agentLog) write(level slog.Level, msg string, args ...any) {
	if l.to != nil {
		l.to.Log(context.Background(), level, msg, args...)
	}
}

func (l agentLog) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// logStarted tells that the tunnel is open.
func (u *up) logStarted() {
	u.agentLog.write(slog.LevelInfo, "client session established")
	u.agentLog.write(slog.LevelInfo, "tunnel session started")
	addr := ""
	for _, r := range append([]gateway.Route{u.routes.Default}, u.routes.List...) {
		if addr == "" && len(r.Forward) > 0 {
			addr = r.Forward[0].String()
		}
	}
	u.agentLog.write(slog.LevelInfo, "started tunnel", "name", cmp.Or(u.cfg.Get("name").Text(), "command_line"), "addr", addr, "url", u.publicURL())
}

// logTunnel tells of a change of the tunnel; of the first that it opens, logStarted
// has.
func (u *up) logTunnel(e tunnel.Event) {
	switch e.State {
	case tunnel.Reconnecting:
		u.agentLog.write(slog.LevelWarn, "session closed, starting reconnect loop", "err", cause(e.Err))
	case tunnel.Closed:
		u.agentLog.write(slog.LevelError, "session closed", "err", cause(e.Err))
	case tunnel.Connected:
		u.logStarted()
	}
}

func cause(err error) string {
	if err == nil {
		return "nil"
	}
	return explain(err).text
}

// logExchange tells of a webhook that is done.
func (u *up) logExchange(ex *recorder.Exchange) {
	status := 0
	if ex.Response != nil {
		status = ex.Response.Status
	}
	u.agentLog.write(slog.LevelInfo, "exchange", "id", string(ex.ID), "seq", ex.Seq, "origin", string(ex.Origin), "provider", ex.Provider, "event", ex.Event,
		"verdict", string(ex.Verdict.Status), "outcome", string(ex.Outcome), "status", status)
}
