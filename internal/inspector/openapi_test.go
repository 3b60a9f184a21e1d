package inspector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// described is openapi.json, parsed. The schemas of OpenAPI 3.1 are JSON Schema
// 2020-12, which a library of that checks; what is around them is little enough to
// be walked through here.
var described = sync.OnceValue(func() map[string]any {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi))
	if err != nil {
		panic(err)
	}
	return v.(map[string]any)
})

func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	if ref, ok := at1(v, "$ref").(string); ok { // to a component
		return at(described(), strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return v
}

func at1(v any, name string) any {
	m, _ := v.(map[string]any)
	return m[name]
}

// operations are those of openapi.json, as METHOD PATH.
func operations() []string {
	var list []string
	for path, item := range at(described(), "paths").(map[string]any) {
		for method := range item.(map[string]any) {
			list = append(list, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(list)
	return list
}

// A parameter that an operation does not have is refused by each, and what it may have
// been meant for is told.
func TestUnknownParameters(t *testing.T) {
	b := newBench(t)
	for _, o := range operations() {
		method, path, _ := strings.Cut(o, " ")
		if !strings.HasPrefix(path, "/devhook/v1/") {
			continue
		}
		body := ""
		if method == "POST" || method == "PUT" {
			body = "{}"
		}
		if r := b.must(400, method, path+"?nosuch=1", body, "Content-Type: application/json"); !strings.Contains(string(r.body), `there is no parameter \"nosuch\"`) {
			t.Errorf("%s: %s", o, r.body)
		}
	}
	if r := b.must(400, "GET", "/devhook/v1/exchanges?filer=status:5xx", ""); !strings.Contains(string(r.body), "(near: filter)") {
		t.Errorf("%s", r.body)
	}
}

// Each route has an operation, and each operation a route. The page and the API of
// ngrok's agent are described elsewhere.
func TestOpenAPINamesEachRoute(t *testing.T) {
	in := newBench(t).in
	var routes []string
	for _, pattern := range in.routes {
		_, path, _ := strings.Cut(pattern, " ")
		if strings.HasPrefix(path, "/devhook/") || slices.Contains([]string{"/metrics", "/healthz", "/readyz"}, path) {
			routes = append(routes, pattern)
		}
	}
	slices.Sort(routes)
	if got := operations(); !slices.Equal(got, routes) {
		t.Errorf("openapi.json has\n%s\nand there are\n%s", strings.Join(got, "\n"), strings.Join(routes, "\n"))
	}
}

// Names are unique, what is referred to is there, what is there is referred to, and the parameters of a path are
// those that stand in it.
func TestOpenAPIHoldsTogether(t *testing.T) {
	ids := map[string]bool{}
	for _, op := range operations() {
		method, path, _ := strings.Cut(op, " ")
		o := at(described(), "paths", path, strings.ToLower(method))
		id, _ := at1(o, "operationId").(string)
		if id == "" || ids[id] {
			t.Errorf("%s: its operationId %q is missing or there twice", op, id)
		}
		ids[id] = true
		for _, guards := range []string{"401", "403"} { // what the guard in front of all answers
			if at(o, "responses", guards) == nil && (guards == "403" || path != "/healthz" && path != "/readyz") {
				t.Errorf("%s: %s is not described", op, guards)
			}
		}
		var named []string
		params, _ := at1(o, "parameters").([]any)
		for _, p := range params {
			if p = at(p); at1(p, "in") == "path" {
				named = append(named, "{"+at1(p, "name").(string)+"}")
			}
		}
		for _, part := range strings.Split(path, "/") {
			if strings.HasPrefix(part, "{") && !slices.Contains(named, part) {
				t.Errorf("%s: %s is not described", op, part)
			}
		}
		if strings.Count(path, "{") != len(named) {
			t.Errorf("%s: describes %v", op, named)
		}
	}
	for _, kind := range []string{"schemas", "responses", "parameters"} {
		for name := range at(described(), "components", kind).(map[string]any) {
			if !bytes.Contains(openapi, []byte(`"$ref": "#/components/`+kind+"/"+name+`"`)) {
				t.Errorf("nothing is described by %s/%s", kind, name)
			}
		}
	}
	for ref := range bytes.SplitSeq(openapi, []byte(`"$ref": "#/`)) {
		name, _, _ := bytes.Cut(ref, []byte(`"`))
		if bytes.HasPrefix(name, []byte("components/")) && at(described(), strings.Split(string(name), "/")...) == nil {
			t.Errorf("%s is not there", name)
		}
	}
}

// Generators of clients make of a default in a body what has to be sent, and of an object of
// which nothing is said one that is empty.
func TestOpenAPIMakesClients(t *testing.T) {
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["default"]; ok && !strings.Contains(path, "/parameters/") {
				t.Errorf("%s has a default, which stands in its description", path)
			}
			if v["type"] == "object" && v["properties"] == nil && v["additionalProperties"] == nil {
				t.Errorf("%s has neither properties nor additionalProperties", path)
			}
			for name, one := range v {
				walk(one, path+"/"+name)
			}
		case []any:
			for i, one := range v {
				walk(one, path+"/"+strconv.Itoa(i))
			}
		}
	}
	walk(described(), "")
}

// operationFor returns the operation of a request, "" if there is none.
func operationFor(method, path string) string {
	best := ""
	for _, op := range operations() {
		m, pattern, _ := strings.Cut(op, " ")
		want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
		fits := m == method && len(want) == len(got)
		for i := range want {
			fits = fits && (want[i] == got[i] || strings.HasPrefix(want[i], "{"))
		}
		if fits && (best == "" || strings.Count(pattern, "{") < strings.Count(best, "{")) {
			best = op
		}
	}
	return best
}

// checkReply holds an answer against openapi.json: the status, the type of its
// content and, if that is JSON, all of it; and the request, if it was accepted.
func checkReply(t *testing.T, method, path string, sent []byte, r reply) {
	t.Helper()
	op := operationFor(method, path)
	if op == "" {
		return // a page, or nothing
	}
	_, pattern, _ := strings.Cut(op, " ")
	o := at(described(), "paths", pattern, strings.ToLower(method))
	answer := at(o, "responses", strconv.Itoa(r.status))
	if answer == nil {
		t.Errorf("%s: a status %d is not described: %s", op, r.status, r.body)
		return
	}
	kind, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	media := at(answer, "content", kind)
	if media == nil {
		t.Errorf("%s: %d: content of type %q is not described", op, r.status, kind)
		return
	}
	if kind == "application/json" {
		checkJSON(t, op, at1(media, "schema"), r.body)
	}
	if kind == "application/x-ndjson" {
		for line := range bytes.Lines(r.body) {
			checkJSON(t, op+": a line", at(media, "schema", "contentSchema"), line)
		}
	}
	if schema := at(o, "requestBody", "content", "application/json", "schema"); schema != nil && r.status < 300 {
		checkJSON(t, op+": its request", schema, sent)
	}
}

var schemas sync.Map // compiled, by their text

func checkJSON(t *testing.T, what string, schema any, text []byte) {
	t.Helper()
	key := fmt.Sprint(schema)
	cached, ok := schemas.Load(key)
	if !ok {
		c := jsonschema.NewCompiler()
		if err := c.AddResource("mem:///openapi.json", map[string]any{"components": described()["components"], "it": schema}); err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile("mem:///openapi.json#/it")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		cached, _ = schemas.LoadOrStore(key, compiled)
	}
	s := cached.(*jsonschema.Schema)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", what, err, text)
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	b := newBench(t)
	r := b.must(200, "GET", "/devhook/v1/openapi.json", "")
	var v struct {
		OpenAPI string `json:"openapi"`
	}
	if err := json.Unmarshal(r.body, &v); err != nil || v.OpenAPI != "3.1.0" {
		t.Errorf("it is of version %q, %v", v.OpenAPI, err)
	}
}
