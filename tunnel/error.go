package tunnel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"

	"devhook/internal/neterr"
)

// An Error is why a tunnel did not open, or ended. It is safe to print: its
// fields hold no control characters, and neither the authtoken nor what a proxy
// URL says of the user.
type Error struct {
	Code string // ngrok's, "ERR_NGROK_334"; empty if the service gave none
	Text string // what went wrong: one line, lower case, no full stop
	Hint string // what the user can do: a command, a flag, a file or a URL
	Err  error  // the cause, for [errors.Is]; can be nil
}

// Error returns the text, with the code if there is one.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Text
	}
	return e.Text + " (" + e.Code + ")"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrOption is wrapped by an [*Error] about an option or a setting that cannot
// be right: nothing was sent.
var ErrOption = errors.New("invalid option")

// optionError is an Error about an option; hint can be empty.
func optionError(hint, format string, args ...any) *Error {
	return &Error{Text: printable(fmt.Sprintf(format, args...)), Hint: hint, Err: ErrOption}
}

// A kind tells how an error is to be met.
type kind int

const (
	passing kind = iota // it can be gone at the next attempt
	refusal             // the service said no: nothing but another request helps
	broken              // no connection can be made; trying again soon is of no use
)

// translate says in the user's words what the SDK, the network or the service
// reported while c's tunnel was opened or open.
func (c *config) translate(err error) (*Error, kind) {
	if text, code, ok := serviceError(err); ok {
		return c.fromService(text, code, err), refusal
	}
	for _, f := range []func(error) *Error{c.fromProxy, c.fromDial, c.fromTLS} {
		if e := f(err); e != nil {
			e.Err = c.safe(err)
			return e, kindOf(err)
		}
	}
	return &Error{
		Text: fmt.Sprintf("the connection to %s broke: %s", c.address, c.tidy(cause(err))),
		Hint: c.networkHint(),
		Err:  c.safe(err),
	}, passing
}

// kindOf tells whether an error of the network can pass soon.
func kindOf(err error) kind {
	var timeout net.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return broken
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		neterr.Broke(err), errors.Is(err, context.Canceled):
		return passing
	}
	return broken
}

// codePattern finds ngrok's code in a text. Newer ones have words in place of a
// number.
var codePattern = regexp.MustCompile(`ERR_NGROK_[0-9A-Z_]*[0-9A-Z]`)

// serviceError returns the message and the code of an error that came from the
// service. The types that the SDK has for it are internal, and those of a bind
// that failed after a reconnect are plain text; a code in the text is as good.
func serviceError(err error) (text, code string, ok bool) {
	var coded interface {
		error
		Code() string
	}
	var detailed interface {
		error
		Msg() string
		ErrorCode() string
	}
	switch {
	case errors.As(err, &detailed):
		text, code, ok = detailed.Error(), detailed.ErrorCode(), true
	case errors.As(err, &coded):
		text, code, ok = coded.Error(), coded.Code(), true
	default:
		text = err.Error()
	}
	if code == "" {
		code = codePattern.FindString(text)
	}
	if !codePattern.MatchString(code) || codePattern.FindString(code) != code {
		code = "" // the service can send anything
	}
	return text, code, ok || code != ""
}

// fromService makes an Error of what the service says.
func (c *config) fromService(text, code string, err error) *Error {
	for _, prefix := range []string{"failed to connect: ", "failed to accept connection: ", "authentication failed: ", "failed to start tunnel: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	text = c.message(text)
	if text == "" {
		text = "the ngrok service refused, without a reason"
	}
	return &Error{Code: code, Text: text, Hint: hintFor(code), Err: c.safe(err)}
}

// fromDial is about the connection to the service itself.
func (c *config) fromDial(err error) *Error {
	var dial *dialError
	if !errors.As(err, &dial) {
		return nil
	}
	var dns *net.DNSError
	text := "cannot connect to " + c.address + ": "
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		text += "there is no such host"
	case errors.As(err, &dns):
		text += "its name could not be looked up"
	case neterr.Is(err, syscall.ECONNREFUSED):
		text = c.address + " refused the connection"
	case isTimeout(err):
		text = c.address + " does not answer"
	default:
		text += c.tidy(cause(err))
	}
	return &Error{Text: text, Hint: c.networkHint()}
}

// fromTLS is about the handshake with the service.
func (c *config) fromTLS(err error) *Error {
	var (
		noTLS    tls.RecordHeaderError
		alert    tls.AlertError
		unknown  x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
		verifier *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &noTLS):
		return &Error{
			Text: fmt.Sprintf("%s does not speak TLS, so it is no ngrok service", c.address),
			Hint: c.networkHint(),
		}
	case errors.As(err, &unknown):
		return &Error{
			Text: fmt.Sprintf("the certificate of %s is signed by an authority that devhook does not trust here", c.address),
			Hint: casHint,
		}
	case errors.As(err, &name):
		return &Error{
			Text: fmt.Sprintf("the certificate of %s is for another host", c.address),
			Hint: "check --ngrok-connect-url; " + casHint,
		}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Error{
			Text: fmt.Sprintf("the certificate of %s has expired or is not valid yet", c.address),
			Hint: "check the clock of this machine; " + casHint,
		}
	case kindOf(err) == passing:
	case errors.As(err, &alert), errors.As(err, &verifier), errors.As(err, &invalid),
		strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "x509: "):
		return &Error{
			Text: fmt.Sprintf("cannot set up TLS with %s: %s", c.address, c.tidy(cause(err))),
			Hint: casHint,
		}
	}
	return nil
}

// cause is the innermost text worth reading: without the addresses of an
// [net.OpError], which differ at each attempt.
func cause(err error) string {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	var verifier *tls.CertificateVerificationError
	if errors.As(err, &verifier) {
		err = verifier.Err
	}
	text := neterr.Text(err)
	for _, prefix := range []string{"failed to send authentication request: ", "failed to start tunnel: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	switch text { // muxado's words
	case "read EOF from remote peer":
		return "the other side closed it"
	case "session closed":
		return "it was closed"
	}
	return text
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
