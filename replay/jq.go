package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"devhook/internal/jsonx"
	"devhook/recorder"

	"github.com/itchyny/gojq"
)

// Bounds of an expression: it may be another's, in a recipe.
const (
	maxExpression = 64 << 10 // bytes
	maxJQTime     = 2 * time.Second
	maxJQOutput   = 32 << 20 // bytes
)

// A jq puts what an expression makes of the JSON body in its place. Unlike with a
// [set], the whole body is written anew: white space, order and the spelling of
// strings and numbers are lost.
type jq struct {
	text string
	code *gojq.Code
}

// parseJQ reads an expression of jq, as its manual describes it
// (https://jqlang.org/manual/). It has no access to files, modules, further input
// or the environment.
func parseJQ(rest string) (Mutation, error) {
	if len(rest) > maxExpression {
		return nil, bad("", "jq: the expression is longer than %d bytes", maxExpression)
	}
	if strings.TrimSpace(rest) == "" {
		return nil, bad("write an expression, as in '.data.amount *= 2'", "jq: the expression is empty")
	}
	q, err := gojq.Parse(rest)
	if err != nil {
		return nil, bad("https://jqlang.org/manual/ describes the language", "jq %s: %v", rest, err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, bad("https://jqlang.org/manual/ describes the language", "jq %s: %v", rest, err)
	}
	return jq{rest, code}, nil
}

func (j jq) String() string { return "jq " + j.text }

func (j jq) Apply(req *recorder.Request) error {
	if err := jsonx.Check(req.Body.Bytes); err != nil {
		return cannotChange(j, req, err)
	}
	doc := bytes.TrimPrefix(req.Body.Bytes, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber() // an id of 19 digits stays what it is
	var in any
	if err := d.Decode(&in); err != nil {
		return bad("", "%s: %v", j, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxJQTime)
	defer cancel()
	results := j.code.RunWithContext(ctx, in)
	out, err := j.result(results.Next())
	if err != nil {
		return err
	}
	if second, ok := results.Next(); ok {
		if _, err := j.result(second, true); err != nil {
			return err
		}
		return bad("one value is one body; [ … ] makes an array of several", "%s: it gives more than one value", j)
	}
	body, err := gojq.Marshal(out)
	if err != nil {
		return bad("", "%s: %v", j, err)
	}
	if len(body) > maxJQOutput {
		return bad("", "%s: it gives more than %d bytes", j, maxJQOutput)
	}
	req.Body.Bytes = body
	return nil
}

func (j jq) result(v any, ok bool) (any, error) {
	if !ok {
		return nil, bad("", "%s: it gives no value", j)
	}
	if err, is := v.(error); is {
		if err == context.DeadlineExceeded {
			return nil, bad("", "%s: it takes longer than %v", j, maxJQTime)
		}
		return nil, &Error{Text: fmt.Sprintf("%s: %v", j, err), Err: err}
	}
	return v, nil
}

// Rewrites reports whether m writes a body anew, so that also what it does not
// name may be spelled in another way.
func Rewrites(m Mutation) bool {
	_, ok := m.(jq)
	return ok
}
