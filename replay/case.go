package replay

import (
	"bytes"
	"fmt"
	"time"

	"devhook/internal/yamlx"
	"devhook/recorder"
)

// A Case is a webhook, and what an app should make of it.
type Case struct {
	Name    string
	Line    int    // where it stands in its file
	Send    string // PROVIDER/EVENT, or a file if it begins with ./ or ../
	Changes []Mutation
	Sign    SignMode // "": auto
	At      string   // the time of the signature, as with --at; "": now
	Times   int      // how often it is sent; at least 1
	Expect  Expectation
	// Contains is what the body of the answer has in it, Within how long the app
	// may take; zero values expect nothing.
	Contains string
	Within   time.Duration
}

// maxTimes bounds how often a case is sent.
const maxTimes = 10_000

// ParseCases reads a file of cases: one, or several under cases:.
//
//	name: a refund is booked once
//	send: stripe/charge.refunded
//	changes: [set data.object.amount=50]
//	times: 2
//	expect: 2xx
//
// Without expect any 2xx is right. Errors are of package yamlx, with line and
// column.
func ParseCases(src []byte) ([]Case, error) {
	doc, err := yamlx.Parse(src)
	if err != nil {
		return nil, err
	}
	if doc.Empty() {
		return nil, doc.Errorf("there is no case in it")
	}
	if doc.Get("cases").Field == "" {
		c, err := parseCase(doc)
		return []Case{c}, err
	}
	var all []Case
	err = yamlx.Fields[*[]Case]{"cases": func(all *[]Case, n yamlx.Node) error {
		for _, item := range n.List() {
			c, err := parseCase(item)
			if err != nil {
				return err
			}
			*all = append(*all, c)
		}
		if len(*all) == 0 {
			return n.Errorf("there is no case in it")
		}
		return nil
	}}.Read(&all, doc)
	return all, err
}

func parseCase(n yamlx.Node) (Case, error) {
	c := Case{Times: 1}
	c.Line, _ = n.Pos()
	c.Expect, _ = ParseExpectation("2xx")
	if err := caseFields.Read(&c, n); err != nil {
		return c, err
	}
	if c.Send == "" {
		return c, n.Errorf("a case needs send: PROVIDER/EVENT or a file, as in ./refund.json")
	}
	return c, nil
}

var caseFields = yamlx.Fields[*Case]{
	"name":     func(c *Case, n yamlx.Node) (err error) { c.Name, err = n.Label(); return err },
	"send":     func(c *Case, n yamlx.Node) (err error) { c.Send, err = n.Label(); return err },
	"at":       func(c *Case, n yamlx.Node) (err error) { c.At, err = n.Scalar(); return err },
	"contains": func(c *Case, n yamlx.Node) (err error) { c.Contains, err = n.Scalar(); return err },
	"within":   func(c *Case, n yamlx.Node) (err error) { c.Within, err = n.Duration(); return err },
	"times":    func(c *Case, n yamlx.Node) (err error) { c.Times, err = n.Int(1, maxTimes); return err },
	"changes":  func(c *Case, n yamlx.Node) (err error) { c.Changes, err = readMutations(n); return err },
	"sign": func(c *Case, n yamlx.Node) error {
		text, err := n.Label()
		if err == nil {
			c.Sign, err = ParseSignMode(text)
		}
		return n.Wrap(err)
	},
	"expect": func(c *Case, n yamlx.Node) error {
		text, err := n.Scalar()
		if err == nil {
			c.Expect, err = ParseExpectation(text)
		}
		return n.Wrap(err)
	},
}

// Check returns "" if what sent became is as c expects, and else what is
// different. source is what sent was made of, body the body of the answer.
func (c Case) Check(sent, source *recorder.Exchange, body []byte) string {
	if why := c.Expect.Check(sent, source); why != "" {
		return why
	}
	switch {
	case c.Contains != "" && !bytes.Contains(body, []byte(c.Contains)):
		return fmt.Sprintf("expected %q in the answer, and it is not there", c.Contains)
	case c.Within > 0 && sent.Response != nil && sent.Response.Took > c.Within:
		return fmt.Sprintf("expected an answer within %v, and it took %v", c.Within, sent.Response.Took.Round(time.Millisecond))
	}
	return ""
}
