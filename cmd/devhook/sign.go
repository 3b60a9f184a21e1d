package main

import (
	"math/rand/v2"

	"devhook/fixtures"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) signCommand() *cli.Command {
	return &cli.Command{
		Name: "sign", Usage: "sign a message, offline", ArgsUsage: "FILE|REF|-",
		Description: `Prints the HTTP message, signed anew. FILE is an HTTP message or an exchange in JSON,
- is stdin, REF a recording.

  devhook sign --provider github --secret env:GITHUB_SECRET ./message.http
  devhook sign last --at -10m | devhook verify -`,
		Flags:  offlineFlags("the `TIME` of the signature: -5m, unix seconds, RFC 3339 (default: now)"),
		Action: taking(1, "one file, recording or -", "devhook help sign", p.sign),
	}
}

func (p *program) sign(c *cli.Context) error {
	at, err := signedAt(c, p.now())
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = p.now()
	}
	s, err := p.offline(c, func(f fixtures.Fixture) (fixtures.Fixture, error) { return f.Fill(at, rand.Uint64()) })
	defer func() { s.close() }()
	if err != nil {
		return err
	}
	signed := &recorder.Exchange{Provider: s.provider.ID}
	if signed.Request, err = s.sign(at); err != nil {
		return err
	}
	if c.Bool("json") {
		return p.printJSON(nil, signed)
	}
	return p.printMessage(nil, signed)
}
