// Nomad-agent is Nomad, agent and command line, from its own packages: what its makers release, without
// the web page. FLOKKR_CGROUP names the cgroup that the agent puts its own ones into, in place of Nomad's
// usual one, so that they can be told from those of another agent, and be removed.
package main

import (
	"fmt"
	"os"

	// These run a process of their own beside each task, and look at the arguments when they are initialized.
	_ "github.com/hashicorp/nomad/client/allocrunner/taskrunner/getter"
	_ "github.com/hashicorp/nomad/client/allocrunner/taskrunner/template/renderer"
	_ "github.com/hashicorp/nomad/client/logmon"
	_ "github.com/hashicorp/nomad/drivers/docker/docklog"
	_ "github.com/hashicorp/nomad/drivers/shared/executor"

	"github.com/hashicorp/cli"
	"github.com/hashicorp/nomad/client/lib/cgroupslib"
	"github.com/hashicorp/nomad/command"
	"github.com/hashicorp/nomad/version"
)

func main() {
	if parent := os.Getenv("FLOKKR_CGROUP"); parent != "" {
		cgroupslib.NomadCgroupParent = parent
	}
	meta := new(command.Meta)
	meta.SetupUi(os.Args[1:])
	ui := &cli.BasicUi{Reader: os.Stdin, Writer: os.Stdout, ErrorWriter: os.Stderr}
	program := cli.CLI{
		Name:       "nomad",
		Version:    version.GetVersion().FullVersionNumber(true),
		Args:       os.Args[1:],
		Commands:   command.Commands(meta, ui),
		HelpWriter: os.Stdout,
	}
	code, err := program.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
