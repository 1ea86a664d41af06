package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/client/taskenv"
	"github.com/hashicorp/nomad/drivers/docker"
	"github.com/hashicorp/nomad/nomad/structs"
)

// client starts tasks as far as that goes without running anything: a node that has Docker.
type client struct {
	// consul is what templates find in Consul.
	consul map[string]string
}

// record is what one task of one allocation gets.
type record struct {
	File string `json:"file"`
	Job  string `json:"job"`
	// Type is service, batch, system or sysbatch.
	Type  string `json:"type"`
	Group string `json:"group"`
	Index int    `json:"index"`
	Task  string `json:"task"`
	// Role is main, or the hook of the task's life at which it runs.
	Role    string `json:"role"`
	Sidecar bool   `json:"sidecar,omitempty"`
	Driver  string `json:"driver"`
	User    string `json:"user,omitempty"`
	// Environment has the variables that the job sets, Provided those that Nomad adds.
	Environment map[string]string `json:"environment"`
	Provided    map[string]string `json:"provided"`
	// Config has those options of the driver that are set.
	Config    map[string]any    `json:"config"`
	Meta      map[string]string `json:"meta"`
	Services  []service         `json:"services"`
	Networks  []network         `json:"networks"`
	Volumes   []volume          `json:"volumes"`
	Templates []template        `json:"templates"`
	// Files are the rendered templates where the container sees them, by bind mounts too;
	// BinaryFiles those that are no UTF-8, in base64.
	Files       map[string]string `json:"files"`
	BinaryFiles map[string]string `json:"binaryFiles"`
}

type service struct {
	Name     string            `json:"name"`
	Provider string            `json:"provider"`
	Port     string            `json:"port"`
	Address  string            `json:"address,omitempty"`
	Tags     []string          `json:"tags"`
	Meta     map[string]string `json:"meta"`
	Checks   []check           `json:"checks"`
}

type check struct {
	Type    string   `json:"type"`
	Port    string   `json:"port,omitempty"`
	Method  string   `json:"method,omitempty"`
	Path    string   `json:"path,omitempty"`
	Command string   `json:"command,omitempty"`
	Args    []string `json:"args,omitempty"`
}

type network struct {
	Mode     string `json:"mode"`
	Hostname string `json:"hostname,omitempty"`
	// Ports has the number inside the network, by label; Static those of the node that are fixed.
	Ports       map[string]int `json:"ports"`
	Static      map[string]int `json:"static"`
	DNSServers  []string       `json:"dnsServers,omitempty"`
	DNSSearches []string       `json:"dnsSearches,omitempty"`
}

type volume struct {
	Type        string `json:"type"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	ReadOnly    bool   `json:"readOnly,omitempty"`
}

// The address of the node, and the first of the ports that it gives out.
const (
	nodeAddress      = "192.0.2.10"
	allocAddress     = "172.26.64.2"
	firstDynamicPort = 20000
)

// The folders of an allocation and of its task on the node.
const (
	allocFolder = "/client"
	taskFolder  = allocFolder + "/task"
)

// node has the attributes that every node has. Text that happens to name one of them is replaced.
func node() *structs.Node {
	return &structs.Node{
		ID:         "11111111-1111-1111-1111-111111111111",
		Name:       "node-1",
		Datacenter: "dc1",
		NodePool:   "default",
		NodeClass:  "class-1",
		Attributes: map[string]string{
			"cpu.arch":                  "amd64",
			"cpu.numcores":              "8",
			"consul.datacenter":         "dc1",
			"driver.docker":             "1",
			"kernel.name":               "linux",
			"nomad.version":             "1.11.3",
			"os.name":                   "debian",
			"unique.hostname":           "node-1",
			"unique.network.ip-address": nodeAddress,
		},
		Meta: map[string]string{},
	}
}

// start starts every task of a job: in `count` allocations a group, or one where each node has one.
func (c client) start(j *job) []record {
	if j.parsed == nil {
		return nil
	}
	var records []record
	for _, group := range j.parsed.TaskGroups {
		count := group.Count
		if j.parsed.Type == structs.JobTypeSystem || j.parsed.Type == structs.JobTypeSysBatch {
			count = 1
		}
		for index := range count {
			run := groupRun{client: c, job: j, alloc: allocate(j.parsed, group, index), group: group, index: index}
			env := run.builder(nil).Build()
			services, networks := run.services(env, group.Services), run.networks(env)
			for _, task := range group.Tasks {
				record := taskRun{groupRun: run, task: task}.start()
				record.Services, record.Networks = slices.Concat(services, record.Services), networks
				records = append(records, record)
			}
		}
	}
	return records
}

// allocate places an allocation of a group on the node.
func allocate(parsed *structs.Job, group *structs.TaskGroup, index int) *structs.Allocation {
	alloc := &structs.Allocation{
		ID:        fmt.Sprintf("00000000-0000-0000-0000-%012d", index),
		Namespace: parsed.Namespace,
		JobID:     parsed.ID,
		Job:       parsed,
		TaskGroup: group.Name,
		Name:      structs.AllocName(parsed.ID, group.Name, uint(index)),
	}
	var ports structs.AllocatedPorts
	for _, n := range group.Networks {
		for _, port := range append(slices.Clone(n.ReservedPorts), n.DynamicPorts...) {
			value := port.Value
			if value == 0 {
				value = firstDynamicPort + len(ports)
			}
			to := port.To
			if to == -1 {
				to = value
			}
			ports = append(ports, structs.AllocatedPortMapping{Label: port.Label, Value: value, To: to, HostIP: nodeAddress})
		}
	}
	alloc.AllocatedResources = &structs.AllocatedResources{
		Tasks:  map[string]*structs.AllocatedTaskResources{},
		Shared: structs.AllocatedSharedResources{Networks: group.Networks, Ports: ports},
	}
	return alloc
}

// groupRun is one allocation of a group.
type groupRun struct {
	client
	job   *job
	alloc *structs.Allocation
	group *structs.TaskGroup
	index int
}

func (r groupRun) bad(format string, args ...any) {
	r.job.bad("group %s: %s", r.group.Name, fmt.Sprintf(format, args...))
}

// builder has what the client knows before anything runs; without a task what it has for a group.
func (r groupRun) builder(task *structs.Task) *taskenv.Builder {
	builder := taskenv.NewBuilder(node(), r.alloc, task, "global").
		SetAllocDir("/alloc").SetTaskLocalDir("/local").SetSecretsDir("/secrets").
		SetClientTaskRoot(taskFolder).SetClientSharedAllocDir(allocFolder + "/alloc").
		SetClientTaskLocalDir(taskFolder + "/local").SetClientTaskSecretsDir(taskFolder + "/secrets")
	for _, n := range r.group.Networks {
		if n.Mode == "bridge" {
			builder.SetNetworkStatus(&structs.AllocNetworkStatus{InterfaceName: "eth0", Address: allocAddress})
		}
	}
	return builder
}

// taskRun is the start of one task.
type taskRun struct {
	groupRun
	task *structs.Task
}

func (r taskRun) bad(format string, args ...any) {
	r.groupRun.bad("task %s: %s", r.task.Name, fmt.Sprintf(format, args...))
}

// start does what the client does, in its order: templates, environment, options of the driver.
func (r taskRun) start() record {
	builder := r.builder(r.task)
	templates, variables := r.renderAll(builder.Build())
	builder.SetTemplateEnv(variables)
	env := builder.Build()

	record := record{
		File:        r.job.path,
		Job:         r.alloc.JobID,
		Type:        r.alloc.Job.Type,
		Group:       r.group.Name,
		Index:       r.index,
		Task:        r.task.Name,
		Role:        "main",
		Driver:      r.task.Driver,
		User:        r.task.User,
		Environment: map[string]string{},
		Provided:    map[string]string{},
		Config:      map[string]any{},
		Meta:        map[string]string{},
		Services:    r.services(env, r.task.Services),
		Volumes:     r.volumes(),
		Templates:   templates,
		Files:       map[string]string{},
		BinaryFiles: map[string]string{},
	}
	if r.task.Lifecycle != nil {
		record.Role, record.Sidecar = r.task.Lifecycle.Hook, r.task.Lifecycle.Sidecar
	}
	for name, value := range env.Map() {
		_, written := r.task.Env[name]
		_, rendered := variables[name]
		if written || rendered {
			record.Environment[name] = value
		} else {
			record.Provided[name] = value
		}
	}
	for name, value := range r.alloc.Job.CombinedTaskMeta(r.group.Name, r.task.Name) {
		record.Meta[name] = env.ReplaceEnv(value)
	}
	r.checkVariables(env)
	if r.task.Driver == "docker" {
		var options docker.TaskConfig
		record.Config, options = r.dockerConfig(env)
		r.checkDocker(options)
		for path, t := range r.mounted(options, templates) {
			if t.Binary != "" {
				record.BinaryFiles[path] = t.Binary
			} else {
				record.Files[path] = t.Data
			}
		}
	}
	return record
}

// A process takes no longer text, the end included; a variable with its name and the sign.
const longestText = 131072

// checkVariables looks for what starts a task with another environment than the one that is written.
func (r taskRun) checkVariables(env *taskenv.TaskEnv) {
	all := env.All()
	for _, name := range slices.Sorted(maps.Keys(r.task.Env)) {
		value := r.task.Env[name]
		if name == "" || strings.ContainsAny(name, "=\x00") {
			r.bad("env: %q can't be the name of a variable", name)
		}
		if strings.Contains(value, "\x00") || len(name)+len("=")+len(all[name]) >= longestText {
			r.bad("env %s: no process can be given this value", name)
		}
		for _, match := range reference.FindAllStringSubmatch(value, -1) {
			if _, sibling := r.task.Env[match[1]]; sibling {
				r.bad("env %s: whether ${%s} is replaced depends on chance: env has no order", name, match[1])
			} else if _, known := all[match[1]]; !known {
				r.bad("env %s: ${%s} stays on this node and may be replaced on another", name, match[1])
			}
		}
	}
}

// serviceName is what both providers take, once it is interpolated.
var serviceName = regexp.MustCompile(`^(?i:[a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])$`)

func (r groupRun) services(env *taskenv.TaskEnv, written []*structs.Service) []service {
	services := []service{}
	for _, s := range taskenv.InterpolateServices(env, written) {
		if !serviceName.MatchString(s.Name) {
			r.bad("service %s: the name is none for DNS", s.Name)
		}
		if rest := reference.FindString(strings.Join(append(slices.Clone(s.Tags), s.Name, s.PortLabel, s.Address), " ")); rest != "" {
			r.bad("service %s: nothing replaces %s", s.Name, rest)
		}
		out := service{
			Name:     s.Name,
			Provider: s.Provider,
			Port:     s.PortLabel,
			Address:  s.Address,
			Tags:     append([]string{}, s.Tags...),
			Meta:     map[string]string{},
			Checks:   []check{},
		}
		maps.Copy(out.Meta, s.Meta)
		for _, c := range s.Checks {
			out.Checks = append(out.Checks, check{Type: c.Type, Port: c.PortLabel, Method: c.Method, Path: c.Path, Command: c.Command, Args: c.Args})
		}
		services = append(services, out)
	}
	return services
}

// hostName is what a container can be called.
var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)

func (r groupRun) networks(env *taskenv.TaskEnv) []network {
	ports := map[string]int{}
	for _, p := range r.alloc.AllocatedResources.Shared.Ports {
		ports[p.Label] = p.Value
		if p.To > 0 {
			ports[p.Label] = p.To
		}
	}
	networks := []network{}
	for _, n := range taskenv.InterpolateNetworks(env, r.group.Networks) {
		if n.Hostname != "" && !hostName.MatchString(n.Hostname) {
			r.bad("network: the hostname %q is none", n.Hostname)
		}
		out := network{Mode: n.Mode, Hostname: n.Hostname, Ports: map[string]int{}, Static: map[string]int{}}
		for _, p := range n.ReservedPorts {
			out.Ports[p.Label], out.Static[p.Label] = ports[p.Label], p.Value
		}
		for _, p := range n.DynamicPorts {
			out.Ports[p.Label] = ports[p.Label]
		}
		if n.DNS != nil {
			out.DNSServers, out.DNSSearches = n.DNS.Servers, n.DNS.Searches
		}
		networks = append(networks, out)
	}
	return networks
}

// volumes finds what the group's volumes are for this allocation.
func (r taskRun) volumes() []volume {
	volumes := []volume{}
	for _, m := range r.task.VolumeMounts {
		request := r.group.Volumes[m.Volume]
		if request == nil {
			r.bad("volume_mount %s: the group has no such volume", m.Volume)
			continue
		}
		source := request.Source
		if request.PerAlloc {
			source += "[" + strconv.Itoa(r.index) + "]"
		}
		volumes = append(volumes, volume{Type: request.Type, Source: source, Destination: m.Destination, ReadOnly: m.ReadOnly || request.ReadOnly})
	}
	return volumes
}
