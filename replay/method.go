package replay

import "devhook/recorder"

// A method is another method.
type method struct{ name string }

func parseMethod(rest string) (Mutation, error) {
	if !isToken(rest) {
		return nil, bad("write a method as in POST", "method %q: this is not a method", rest)
	}
	if rest == "CONNECT" {
		return nil, bad("", "method CONNECT is for proxies, and cannot be sent to an app")
	}
	return method{rest}, nil
}

func (m method) String() string { return "method " + m.name }

func (m method) Apply(req *recorder.Request) error {
	req.Method = m.name
	return nil
}
