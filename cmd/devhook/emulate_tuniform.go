package main

import "github.com/urfave/cli/v2"

func (p *program) emulateTuniformCommand() *cli.Command {
	return &cli.Command{
		Name: "tuniform", Usage: "the Stream Alerts service: a WebSocket for overlays",
	}
}
