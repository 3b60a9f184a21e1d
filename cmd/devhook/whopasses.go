package main

import (
	"slices"
	"strings"

	"devhook/internal/gateway"
	"devhook/internal/inspector"
	"devhook/internal/terminal"
)

// unsigned says which webhooks without a right signature pass a route, when the secrets of the
// providers known are known: all, unknown (those in which no such provider is recognised), or none.
func unsigned(provider string, mode gateway.Mode, known []string) string {
	switch {
	case mode == gateway.Off || mode == gateway.Report:
		return "all"
	case mode == gateway.Strict || provider != "":
		return "none"
	case len(known) == 0:
		return "all"
	}
	return "unknown"
}

// toldUnsigned is s, which tells where webhooks go, with who passes there.
func toldUnsigned(s inspector.Status) inspector.Status {
	s.Unsigned = unsigned(s.Provider, gateway.Mode(s.Verify), s.Secrets)
	for i := range s.Routes {
		r := &s.Routes[i]
		r.Unsigned = unsigned(r.Provider, gateway.Mode(r.Verify), s.Secrets)
		if i == 0 || r.Unsigned == "all" || r.Unsigned == "unknown" && s.Unsigned == "none" {
			s.Unsigned = r.Unsigned // webhooks that no route takes go nowhere
		}
	}
	return s
}

// describeVerify says who gets through, a line for each route if they differ in that.
func describeVerify(t *terminal.Terminal, s inspector.Status) []string {
	who := func(provider, mode, unsigned string) string {
		known := s.Secrets
		if provider != "" { // nobody else is recognised
			known = []string{provider}
		}
		return whoPasses(t, mode, unsigned, known)
	}
	if len(s.Routes) == 0 {
		return []string{who(s.Provider, s.Verify, s.Unsigned)}
	}
	first := s.Routes[0]
	if !slices.ContainsFunc(s.Routes, func(r inspector.Route) bool { return r.Verify != first.Verify || r.Unsigned != first.Unsigned }) {
		return []string{who("", first.Verify, first.Unsigned)}
	}
	var lines []string
	for _, r := range s.Routes {
		lines = append(lines, terminal.Safe(r.Path)+"  "+who(r.Provider, r.Verify, r.Unsigned))
	}
	return lines
}

func whoPasses(t *terminal.Terminal, mode, unsigned string, known []string) string {
	names := terminal.Safe(strings.Join(known, ", "))
	switch m := gateway.Mode(mode); {
	case m == gateway.Off:
		return t.Warn("off: nothing is verified")
	case m == gateway.Report:
		return t.Warn("report: nothing is refused, what is wrong is marked")
	case m == gateway.Strict && len(known) == 0:
		return t.Warn("strict: everything is refused, because no secret is known")
	case unsigned == "none" && len(known) == 0:
		return "what is not signed right is refused"
	case m == gateway.Strict:
		return "strict: " + names + "; all else is refused"
	case unsigned == "all":
		return t.Warn("no secret is known, so everything passes") + "; --provider ID --secret env:NAME closes it, and so does --verify strict"
	case unsigned == "none":
		return names + "; what is not signed right is refused"
	}
	return names + "; what no provider is recognised in passes (--verify strict closes it)"
}
