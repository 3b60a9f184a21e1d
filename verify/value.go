package verify

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"devhook/internal/jsonx"
)

// Readers of the values that fields have.

var (
	idForm       = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	elementForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	headerForm   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$") // RFC 9110 §5.1
	failureForm  = regexp.MustCompile(`^[345](\d\d|xx)$`)
)

func (n node) variable() (string, error) {
	s, err := n.Text()
	if err == nil && !variableForm.MatchString(s) {
		err = n.Errorf("%s is no name of an environment variable", quote(s))
	}
	return s, err
}

func (n node) elementName() (string, error) {
	s, err := n.Text()
	if err == nil && !elementForm.MatchString(s) {
		err = n.Errorf("%s is no name of an element: letters, digits, '-' and '_' only", quote(s))
	}
	return s, err
}

// algorithm reads n as the name of one of the algorithms.
func (n node) algorithm(a *algorithm, known ...algorithm) error {
	var names []string
	for _, k := range known {
		names = append(names, k.name)
	}
	name, err := n.Word("algorithm", names)
	if err == nil {
		*a = known[slices.Index(names, name)]
	}
	return err
}

// word reads n as one of the known words. Later are words that will mean something one day.
func word[T ~string](n node, what string, known []T, later ...string) (T, error) {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	text, err := n.Word(what, names, later...)
	return T(text), err
}

func (n node) encoding(e *encoding) (err error) {
	*e, err = word(n, "encoding", encodings)
	return err
}

func (n node) placeKind(p *place, kinds ...placeKind) (err error) {
	p.in, err = word(n, "place", kinds)
	return err
}

func (n node) template(t *template, allowed []refKind) error {
	s, err := n.Text()
	if err != nil {
		return err
	}
	parsed, err := parseTemplate(s, allowed)
	if err == nil && len(parsed) == 0 {
		err = n.Errorf("is empty")
	}
	*t = parsed
	return n.Wrap(err)
}

// templates reads n as templates, of which the first that can be filled counts.
func (n node) templates() ([]template, error) {
	return listOf(n, func(item node) (t template, err error) {
		err = item.template(&t, messageRefs)
		return t, err
	})
}

// settle completes p from its kind and name.
func (p *place) settle(n node) (err error) {
	switch p.key = p.name; p.in {
	case inHeader:
		if !headerForm.MatchString(p.name) {
			return n.Errorf("%s is no name of a header", quote(p.name))
		}
		p.key = textproto.CanonicalMIMEHeaderKey(p.name)
	case inBody:
		p.path, err = jsonx.ParsePath(p.name)
	case inSignature:
		if !elementForm.MatchString(p.name) {
			return n.Errorf("%s is no name of an element", quote(p.name))
		}
	}
	return n.Wrap(err)
}

// defaultEnv is the variable for a secret that no env names.
func defaultEnv(id string) string {
	return fmt.Sprintf("%s_WEBHOOK_SECRET", strings.ToUpper(strings.ReplaceAll(id, "-", "_")))
}

// status reads n as a status that is no success, as in 429, or 5xx for all of a class.
func (n node) status() (string, error) {
	text, err := n.Scalar()
	if err == nil && !failureForm.MatchString(text) {
		err = n.Errorf("must be the status of a failure, as in 429, or a class of them, as in 5xx")
	}
	return text, err
}

func (n node) headerName() (string, error) {
	name, err := n.Label()
	if err == nil && !headerForm.MatchString(name) {
		err = n.Errorf("%s is no name of a header", quote(name))
	}
	return name, err
}
