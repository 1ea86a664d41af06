// Consul-agent is Consul, agent and command line, from its own packages: what its makers release.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/hashicorp/consul/command"
	"github.com/hashicorp/consul/command/cli"
	"github.com/hashicorp/consul/version"
	mcli "github.com/mitchellh/cli"
)

func main() {
	log.SetOutput(io.Discard)
	ui := &cli.BasicUI{BasicUi: mcli.BasicUi{Writer: os.Stdout, ErrorWriter: os.Stderr}}
	program := mcli.CLI{
		Name:       "consul",
		Version:    version.GetHumanVersion(),
		Args:       os.Args[1:],
		Commands:   command.RegisteredCommands(ui),
		HelpWriter: os.Stdout,
	}
	code, err := program.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
