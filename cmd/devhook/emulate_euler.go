package main

import "github.com/urfave/cli/v2"

func (p *program) emulateEulerCommand() *cli.Command {
	return &cli.Command{
		Name: "euler", Usage: "the WebSocket of Euler Stream",
	}
}
