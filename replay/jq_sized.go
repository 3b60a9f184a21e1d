package replay

import (
	"fmt"
	"reflect"

	"github.com/itchyny/gojq"
)

// sizedDefs stand before an expression. One step of gojq cannot be ended, and some make
// gigabytes of a few bytes: a string times a number, and what writes out an array or a string
// that is there many times over. So the size is looked at first.
const sizedDefs = `
def _plain_add: add;
def _plain_join(s): join(s);
def _plain_flatten: flatten;
def _plain_flatten(n): flatten(n);
def _plain_tojson: tojson;
def _plain_tostring: tostring;
def _multiply(l; r): r as $r | l as $l | _fits_times($l; $r) | $l * $r;
def _add(l; r): r as $r | l as $l | _fits_both($l; $r) | $l + $r;
def add: _fits("") | _plain_add;
def join(s): s as $s | _fits($s) | _plain_join($s);
def flatten: _fits("") | _plain_flatten;
def flatten(n): n as $n | _fits("") | _plain_flatten($n);
def tojson: _fits("") | _plain_tojson;
def tostring: _fits("") | _plain_tostring;
.`

// operators are those of which a call is made, so that a definition can stand for them.
// Those of += and *= are calls already.
var operators = map[gojq.Operator]string{gojq.OpAdd: "_add", gojq.OpMul: "_multiply"}

var errJQText = fmt.Errorf("it makes a text of more than %d MiB in one step", maxJQOutput>>20)

// compileSized compiles q, which it changes.
func compileSized(q *gojq.Query) (*gojq.Code, error) {
	before, err := gojq.Parse(sizedDefs)
	if err != nil {
		return nil, err
	}
	callOperators(reflect.ValueOf(q))
	q.FuncDefs = append(before.FuncDefs, q.FuncDefs...)
	return gojq.Compile(q,
		gojq.WithFunction("_fits_times", 2, 2, func(_ any, args []any) any {
			if max(repeated(args[0], args[1]), repeated(args[1], args[0])) > maxJQOutput {
				return errJQText
			}
			return nil
		}),
		gojq.WithFunction("_fits_both", 2, 2, func(_ any, args []any) any {
			l, _ := args[0].(string)
			r, _ := args[1].(string)
			if len(l)+len(r) > maxJQOutput {
				return errJQText
			}
			return nil
		}),
		gojq.WithFunction("_fits", 1, 1, func(v any, args []any) any {
			list, _ := v.([]any)
			between, _ := args[0].(string)
			if room(v, maxJQOutput-len(list)*len(between)) < 0 {
				return errJQText
			}
			return v
		}))
}

// callOperators puts a call in the place of each of the operators below v.
func callOperators(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		callOperators(v.Elem())
		if q, ok := v.Interface().(*gojq.Query); ok && operators[q.Op] != "" {
			call := &gojq.Func{Name: operators[q.Op], Args: []*gojq.Query{q.Left, q.Right}}
			*q = gojq.Query{FuncDefs: q.FuncDefs, Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: call}}
		}
	case reflect.Slice:
		for i := range v.Len() {
			callOperators(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			callOperators(v.Field(i))
		}
	}
}

// repeated is how long text is so many times over, 0 if these are no string and a number.
func repeated(text, times any) float64 {
	s, isText := text.(string)
	n, isNumber := gojq.ToFloat64(times)
	if !isText || !isNumber {
		return 0
	}
	return float64(len(s)) * n
}
