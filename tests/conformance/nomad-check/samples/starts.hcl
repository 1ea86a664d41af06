# What a server takes, and what fails or changes when the task starts.
# bad: job/starts: Task group a validation failed
# also: env A: whether ${B} is replaced depends on chance
# also: env C: ${attr.nothing} stays on this node
# also: "E=F" can't be the name of a variable
# also: config: ports: the group's network has no port missing
# also: config: two mounts at /data
# also: config: mount at /etc/a: nothing makes /client/task/local/missing
# also: service starts_0: the name is none for DNS
# also: network: the hostname "a_0" is none
# also: template local/bad: parse
# also: template /local/twice: there are two
# also: template local/env: error on line 1: key characters
# also: template local/key: nothing sets kv.block(missing)
# flags: -kv tests/conformance/nomad-check/samples/carriers.keys
# also: task unknown: config: Invalid label: No argument or block type is named "imaje"
# also: task reference: config: Unknown variable
job "starts" {
  datacenters = ["dc1"]

  group "a" {
    network {
      mode     = "bridge"
      hostname = "a_${NOMAD_ALLOC_INDEX}"
    }

    service {
      name     = "${NOMAD_JOB_NAME}_${NOMAD_ALLOC_INDEX}"
      provider = "nomad"
    }

    task "a" {
      driver = "docker"

      config {
        image = "a:1"
        ports = ["missing"]

        mount {
          type   = "volume"
          source = "a"
          target = "/data"
        }

        mount {
          type   = "volume"
          source = "b"
          target = "/data"
        }

        mount {
          type   = "bind"
          source = "local/missing"
          target = "/etc/a"
        }
      }

      env = {
        "A"   = "$${B}"
        "B"   = "1"
        "C"   = "$${attr.nothing}"
        "E=F" = "1"
      }

      template {
        destination = "local/bad"
        data        = "{{ nothing }}"
      }

      template {
        destination = "local/twice"
        data        = "1"
      }

      template {
        destination = "local/twice"
        data        = "2"
      }

      template {
        destination = "local/key"
        data        = "{{ key \"missing\" }}"
      }

      template {
        destination = "local/env"
        env         = true
        data        = "A-B=1\n"
      }

      resources {
        cpu    = 10
        memory = 32
      }
    }

    task "unknown" {
      driver = "docker"

      config {
        image = "a:1"
        imaje = "a:1"
      }

      resources {
        cpu    = 10
        memory = 32
      }
    }

    task "reference" {
      driver = "docker"

      config {
        image = "a:1"
        args  = ["$${nothing}"]
      }

      resources {
        cpu    = 10
        memory = 32
      }
    }
  }
}
