package main

import (
	"fmt"
	"strings"

	"devhook/internal/similar"

	"github.com/urfave/cli/v2"
)

// emulateCommand is the platforms' far side, on this machine: each emulator is
// a subcommand in a file of its own, emulate_NAME.go.
func (p *program) emulateCommand() *cli.Command {
	return &cli.Command{
		Name: "emulate", Usage: "be the far side of a platform, on this machine", ArgsUsage: "WHAT",
		Description: `Starts a server that speaks a platform's documented protocol, to develop against
without an account. devhook help emulate WHAT tells its flags.`,
		Subcommands: []*cli.Command{
			p.emulateTuniformCommand(),
			p.emulateEulerCommand(),
			p.emulateWSCommand(),
			p.emulateTencentCommand(),
			p.emulateTiktokCommand(),
			p.emulateTiktokShopCommand(),
		},
		Action: func(c *cli.Context) error {
			var known []string
			for _, sub := range p.emulateCommand().Subcommands {
				known = append(known, sub.Name)
			}
			name := c.Args().First()
			if name == "" {
				return &failure{code: 2, text: "emulate what? (known: " + strings.Join(known, ", ") + ")", hint: "devhook emulate " + known[0]}
			}
			return &failure{
				code: 2, text: fmt.Sprintf("there is no emulator %q (near: %s)", name, strings.Join(similar.Names(name, known, 3), ", ")),
				hint: "devhook help emulate lists them",
			}
		},
	}
}
