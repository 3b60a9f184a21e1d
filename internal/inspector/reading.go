package inspector

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"devhook/recorder"
)

// A source is a webhook that a request names, or has in it.
type source struct {
	Ref      string          `json:"ref"`
	Exchange json.RawMessage `json:"exchange"` // of which the request is enough
	Message  *octets         `json:"message"`  // as it goes over the wire
}

// octets are bytes in JSON: a text, or {"base64": …}.
type octets []byte

// UnmarshalJSON reads either form.
func (o *octets) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*o = octets(text)
		return nil
	}
	var coded struct {
		Base64 *string `json:"base64"`
	}
	if err := json.Unmarshal(data, &coded); err != nil || coded.Base64 == nil {
		return errors.New(`it is neither a text nor {"base64": "…"}`)
	}
	b, err := base64.StdEncoding.DecodeString(*coded.Base64)
	*o = b
	return err
}

// decode reads the body of r into v, strictly: a word that is misspelled must not
// be taken for one that is missing.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.Decode(new(json.RawMessage)) != io.EOF {
		err = errors.New("there is more behind the object")
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &Error{http.StatusRequestEntityTooLarge, "the request is larger than 48 MiB", ""}
	case err != nil:
		return &Error{http.StatusBadRequest, "the body is not as it should be: " + unfit(err), "GET /devhook/v1/openapi.json tells what it may hold"}
	}
	return nil
}

// unfit says what is wrong with JSON, in words of JSON.
func unfit(err error) string {
	var other *json.UnmarshalTypeError
	if !errors.As(err, &other) || other.Type == nil {
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	want := map[reflect.Kind]string{
		reflect.String: "a string", reflect.Bool: "true or false", reflect.Slice: "an array", reflect.Map: "an object", reflect.Struct: "an object",
		reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number from 0", reflect.Float64: "a number",
	}[other.Type.Kind()]
	field := other.Field[strings.LastIndexByte(other.Field, '.')+1:] // before it can stand names of Go's
	return fmt.Sprintf("%s is %s, want %s", cmp.Or(field, "it"), other.Value, cmp.Or(want, other.Type.String()))
}

// open returns the webhook that s is, with its body in memory if it can be signed.
func (in *Inspector) open(s source) (*recorder.Exchange, error) {
	given := 0
	for _, is := range []bool{s.Ref != "", len(s.Exchange) > 0, s.Message != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, &Error{http.StatusBadRequest, "one of ref, exchange and message is needed", ""}
	}
	if s.Ref != "" {
		ex, err := in.o.Store.Get(s.Ref)
		if err == nil {
			err = in.load(&ex.Request)
		}
		return ex, err
	}
	text := []byte(s.Exchange)
	if s.Message != nil {
		text = *s.Message
	}
	list, err := recorder.Parse(text)
	if err != nil || len(list) != 1 {
		return nil, &Error{http.StatusBadRequest, "that is not one webhook", "a message begins with POST /path HTTP/1.1, an exchange has a request"}
	}
	return list[0], nil
}
