package tunnel

import (
	"context"
	"errors"
	"time"

	"golang.ngrok.com/ngrok/v2"
)

// A Diagnosis is what there is to say of the way to the ngrok service.
type Diagnosis struct {
	Address string // HOST:PORT of the service
	Region  string // that answered
	Latency time.Duration
}

// Diagnose looks whether the ngrok service can be reached as o says: by the network
// and its proxies, by TLS, and in its protocol. It needs no authtoken, asks for no
// URL and disturbs no tunnel that is open. It gives up with ctx. The error is an
// [*Error].
func Diagnose(ctx context.Context, o NgrokOptions) (Diagnosis, error) {
	if o.Authtoken == "" {
		o.Authtoken = "none" // which is not sent
	}
	c, err := o.resolve()
	if err != nil {
		return Diagnosis{}, err
	}
	d := Diagnosis{Address: c.address}
	dialer, err := c.dialer()
	if err != nil {
		return d, err
	}
	agent, err := c.agent(dialer, defaultLimits, c.sdkLog())
	if err != nil {
		return d, err
	}
	probe, ok := agent.(ngrok.Diagnoser)
	if !ok {
		return d, &Error{Text: "ngrok's SDK cannot look at the way to its service", Hint: "devhook up tells what it meets"}
	}
	found, err := probe.Diagnose(ctx, "")
	if err == nil {
		d.Region, d.Latency = found.Region, found.Latency
		return d, nil
	}
	if ctx.Err() != nil {
		return d, &Error{Text: c.address + " does not answer", Hint: c.networkHint(), Err: ctx.Err()}
	}
	if ngrok.IsTCPDiagnoseFailure(err) || ngrok.IsTLSDiagnoseFailure(err) || ngrok.IsMuxadoDiagnoseFailure(err) {
		err = errors.Unwrap(err) // without the words of the diagnosis
	}
	e, _ := c.translate(err)
	return d, e
}
