package config

import (
	"net/url"
	"strings"
	"time"

	"devhook/internal/yamlx"
)

var modes = []string{"enforce", "strict", "report", "off"}

// A route as devhook.yaml has it.
type route struct {
	node     yamlx.Node
	path     string
	provider string
	named    yamlx.Node // what names the provider
	forward  []*url.URL
	verify   string // "" for the general one
	timeout  time.Duration
	ack      *ack
}

var routeFields = yamlx.Fields[*route]{
	"path": func(r *route, n yamlx.Node) (err error) {
		if r.path, err = n.Label(); err == nil && !strings.HasPrefix(r.path, "/") {
			err = n.Errorf("must start with /")
		}
		return err
	},
	"provider": func(r *route, n yamlx.Node) (err error) {
		r.provider, err = n.Label()
		r.named = n
		return err
	},
	"forward": func(r *route, n yamlx.Node) error {
		for _, item := range n.List() {
			text, err := item.Scalar()
			if err != nil {
				return err
			}
			u, err := ParseForward(text)
			if err != nil {
				return misplaced(item, err)
			}
			r.forward = append(r.forward, u)
		}
		if len(r.forward) == 0 {
			return misplaced(n, errorf(forwardHint, "has no value"))
		}
		return nil
	},
	"verify": func(r *route, n yamlx.Node) (err error) {
		r.verify, err = n.Word("mode", modes)
		return err
	},
	"ack": (*route).readAck,
	"timeout": func(r *route, n yamlx.Node) error {
		text, err := n.Scalar()
		if err != nil {
			return err
		}
		r.timeout, err = parseTimeout(text)
		return misplaced(n, err)
	},
}

// letPass says what would have webhooks of the route pass unverified.
func (r route) letPass() string {
	if r.verify != "" {
		return "verify: report in that route"
	}
	return "--verify report"
}

func (r route) String() string {
	var parts []string
	if r.provider != "" {
		parts = append(parts, "provider "+r.provider)
	}
	for _, u := range r.forward {
		parts = append(parts, "forward "+u.String())
	}
	if r.verify != "" {
		parts = append(parts, "verify "+r.verify)
	}
	if r.timeout != 0 {
		parts = append(parts, "timeout "+r.timeout.String())
	}
	if r.ack != nil {
		parts = append(parts, r.ack.String())
	}
	return strings.Join(parts, ", ")
}

func (f *file) readRoutes(n yamlx.Node) error {
	seen := map[string]bool{}
	for _, item := range n.List() {
		r := route{node: item}
		if err := routeFields.Read(&r, item, "name"); err != nil {
			return err
		}
		if r.path == "" {
			return item.Errorf("has no path")
		}
		key := strings.TrimRight(r.path, "/")
		if seen[key] {
			return item.Errorf("path %s is there twice", r.path)
		}
		seen[key] = true
		for _, u := range r.forward {
			f.weigh("forward", u.String(), item)
		}
		f.weigh("verify", r.verify, item)
		if r.provider != "" {
			f.mentions = append(f.mentions, mention{id: r.provider, at: r.named})
		}
		f.routes = append(f.routes, r)
	}
	return nil
}
