package inspector

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"devhook/internal/similar"
)

// strict refuses a request of the API that has a parameter in its query which openapi.json
// does not name for it. Passed over in silence, a slip in the name of a filter would let
// everything through.
func strict(pattern string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			known := parameters()[pattern]
			for name := range r.URL.Query() {
				if !slices.Contains(known, name) {
					failParameter(w, name, known)
					return
				}
			}
		}
		h(w, r)
	}
}

func failParameter(w http.ResponseWriter, name string, known []string) {
	text, hint := fmt.Sprintf("there is no parameter %q", name), "it takes none in the URL"
	if len(known) > 0 {
		hint = "it takes " + strings.Join(known, ", ")
		if near := similar.Typo(name, known); near != "" {
			text += " (near: " + near + ")"
		}
	}
	fail(w, http.StatusBadRequest, text, hint)
}

// parameters are the names that openapi.json has for the query of each operation, by its
// pattern.
var parameters = sync.OnceValue(func() map[string][]string {
	type parameter struct {
		Ref  string `json:"$ref"`
		In   string
		Name string
	}
	var doc struct {
		Paths      map[string]map[string]struct{ Parameters []parameter }
		Components struct{ Parameters map[string]parameter }
	}
	if err := json.Unmarshal(openapi, &doc); err != nil {
		panic(err) // it is a part of the program
	}
	all := map[string][]string{}
	for path, operations := range doc.Paths {
		for method, o := range operations {
			pattern := strings.ToUpper(method) + " " + path
			for _, p := range o.Parameters {
				if p.Ref != "" {
					p = doc.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				}
				if p.In == "query" {
					all[pattern] = append(all[pattern], p.Name)
				}
			}
		}
	}
	return all
})
