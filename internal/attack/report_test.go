package attack

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What is written is SARIF by the schema of the standard: without findings, with all
// that there are, and with texts that an app made up.
func TestSARIFSchema(t *testing.T) {
	const schemaURL = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	text, err := os.ReadFile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaURL, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(v)
	}
	all := []Finding{{Fault: FaultOf("a new one"), Detail: "\x1b[31m\xff \u2028 <&>"}}
	for _, f := range faults {
		all = append(all, Finding{Fault: f, Variants: []string{"control", "twice"}, Detail: "answered 500"})
	}
	for what, findings := range map[string][]Finding{"none": nil, "all": all} {
		for handler, place := range map[string]string{
			"http://127.0.0.1:3000/hooks/tiktok?a=1&b=%20": "hooks/tiktok", "http://[::1]:3000": ".", "https://app.example/a:b": "./a:b", "https://app.example//a%2Fb/%3A": "a%2Fb/%3A",
		} {
			u, err := url.Parse(handler)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := WriteSARIF(&b, "0.1.0", u, findings, ""); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(b.String(), `"uri": "`+place+`"`); n != len(findings) {
				t.Errorf("%s: %d of %d findings are at %s", handler, n, len(findings), place)
			}
			if err := valid(b.Bytes()); err != nil {
				t.Errorf("%s at %s: %v", what, handler, err)
			}
			// GitHub wants more than the schema does.
			if n := strings.Count(b.String(), `"fullDescription"`); n != len(faults) {
				t.Errorf("%d of %d rules have a full description", n, len(faults))
			}
			// The schema sees what is wrong.
			if valid(bytes.Replace(b.Bytes(), []byte(`"results"`), []byte(`"result"`), 1)) == nil {
				t.Error("a member that SARIF does not have is let through")
			}
		}
	}
	var b bytes.Buffer
	if err := WriteSARIF(&b, "0.1.0", nil, nil, "the app did not answer"); err != nil {
		t.Fatal(err)
	}
	if err := valid(b.Bytes()); err != nil {
		t.Errorf("one that broke off: %v", err)
	}
}
