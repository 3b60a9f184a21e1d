package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
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
	// How long a step that does not end is waited for, once no more may begin.
	maxJQStep = time.Second
	// What it may hold at once, but for the body: so much, and so many times the body.
	maxJQMemory  = 256 << 20 // bytes
	jqMemoryRate = 32
)

var (
	errJQTime   = fmt.Errorf("it takes longer than %v", maxJQTime)
	errJQMemory = errors.New("it takes too much memory")
	errJQLeft   = errors.New("an earlier expression that takes too long has not ended yet")
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
	code, err := compileSized(q)
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
	ctx, end := bounded(maxJQTime, maxJQMemory+jqMemoryRate*uint64(len(doc)))
	defer end()
	body, err := jqSteps.run(ctx, maxJQStep, func() ([]byte, error) { return j.body(ctx, in) })
	if e := new(Error); err != nil && !errors.As(err, &e) {
		return bad("", "%s: %v", j, err)
	}
	if err == nil {
		req.Body.Bytes = body
	}
	return err
}

// body is what j makes of in.
func (j jq) body(ctx context.Context, in any) ([]byte, error) {
	results := j.code.RunWithContext(ctx, in)
	out, err := j.result(ctx)(results.Next())
	if err != nil {
		return nil, err
	}
	if second, ok := results.Next(); ok {
		if _, err := j.result(ctx)(second, true); err != nil {
			return nil, err
		}
		return nil, bad("one value is one body; [ … ] makes an array of several", "%s: it gives more than one value", j)
	}
	// One value may be in out many times over, which costs no memory until it is written.
	var body []byte
	if room(out, maxJQOutput) >= 0 {
		if body, err = gojq.Marshal(out); err != nil {
			return nil, err
		}
	}
	if body == nil || len(body) > maxJQOutput {
		return nil, bad("", "%s: it gives more than %d MiB", j, maxJQOutput>>20)
	}
	return body, nil
}

// A leaver runs what asks a context between its steps, of which each may take any time
// and memory, and cannot be ended: one that goes on is left alone, and nothing more is
// begun until it has ended.
type leaver struct{ left atomic.Int64 }

var jqSteps leaver

// run returns what f returns, or, a while after ctx has ended, why that has.
func (l *leaver) run(ctx context.Context, while time.Duration, f func() ([]byte, error)) ([]byte, error) {
	if l.left.Load() > 0 {
		return nil, errJQLeft
	}
	var out []byte
	var err error
	done := make(chan struct{}) // closed when these are set
	go func() {
		defer close(done)
		defer func() { // here nobody else would, and a devhook up would end with all that is under way
			if fault := recover(); fault != nil {
				err = fmt.Errorf("a fault of the jq that is built in, please report it: %v", fault)
			}
		}()
		out, err = f()
	}()
	select {
	case <-done:
		return out, err
	case <-ctx.Done():
	}
	select {
	case <-done:
		return out, err
	case <-time.After(while):
	}
	l.left.Add(1)
	go func() {
		<-done
		l.left.Add(-1)
	}()
	return nil, context.Cause(ctx)
}

// result gives what is done with each value of an expression that runs under ctx.
func (j jq) result(ctx context.Context) func(v any, ok bool) (any, error) {
	return func(v any, ok bool) (any, error) {
		if cause := context.Cause(ctx); cause != nil { // also if it came to an end: what it made is too large
			return nil, bad("", "%s: %v", j, cause)
		}
		if !ok {
			return nil, bad("", "%s: it gives no value", j)
		}
		if err, is := v.(error); is {
			return nil, &Error{Text: fmt.Sprintf("%s: %v", j, err), Err: err}
		}
		return v, nil
	}
}

// room returns what v leaves of so many bytes at best, and less than 0 if that is nothing.
func room(v any, bytes int) int {
	switch v := v.(type) {
	case string:
		bytes -= len(v)
	case []any:
		for i := 0; i < len(v) && bytes >= 0; i++ {
			bytes = room(v[i], bytes)
		}
	case map[string]any:
		for name, value := range v {
			if bytes = room(value, bytes-len(name)); bytes < 0 {
				break
			}
		}
	}
	return bytes - 1
}

// bounded returns a context that ends after a time, or when devhook holds so many bytes
// more than now: gojq asks it before each step, and has no bounds of its own. The last
// step may have made more. end is to be called.
func bounded(most time.Duration, memory uint64) (ctx context.Context, end func()) {
	timed, cancelTime := context.WithTimeoutCause(context.Background(), most, errJQTime)
	ctx, cancel := context.WithCancelCause(timed)
	held := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	grown := func() bool {
		metrics.Read(held)
		return held[0].Value.Uint64() > memory
	}
	grown()
	memory += held[0].Value.Uint64()
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if !grown() {
				continue
			}
			runtime.GC() // what is no longer held does not count
			if grown() {
				cancel(errJQMemory)
			}
		}
	})
	return ctx, func() {
		cancel(nil)
		cancelTime()
		done.Wait()
	}
}

// Rewrites reports whether m writes a body anew, so that also what it does not
// name may be spelled in another way.
func Rewrites(m Mutation) bool {
	_, ok := m.(jq)
	return ok
}
