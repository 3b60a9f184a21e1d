package jsonx_test

import (
	"errors"
	"fmt"

	"devhook/internal/jsonx"
)

func ExampleSet() {
	doc := []byte(`{"event":"authorization.removed", "content":"{\"reason\": 1, \"note\":\"caf\\u00e9\"}"}`)
	path, _ := jsonx.ParsePath("content.reason")
	doc, _ = jsonx.Set(doc, path, []byte("5"))
	fmt.Printf("%s\n", doc)
	// Output: {"event":"authorization.removed", "content":"{\"reason\": 5, \"note\":\"caf\\u00e9\"}"}
}

func ExampleFind() {
	path, _ := jsonx.ParsePath("data.itmes")
	_, err := jsonx.Find([]byte(`{"data":{"items":[],"total":0}}`), path)
	var missing *jsonx.NotFoundError
	if errors.As(err, &missing) {
		fmt.Println(missing.Near())
	}
	// Output: [items total]
}

func ExampleUnset() {
	doc, _ := jsonx.Unset([]byte("{\n  \"a\": 1,\n  \"b\": 2\n}"), jsonx.Path{"b"})
	fmt.Printf("%s\n", doc)
	// Output:
	// {
	//   "a": 1
	// }
}

func ExampleScanner() {
	s := jsonx.NewScanner([]byte(`{"id":"evt_1","object":"event"}`))
	for s.Next() {
		fmt.Printf("%s %s\n", s.Member.Name, s.Member.Value)
	}
	// Output:
	// "id" "evt_1"
	// "object" "event"
}
