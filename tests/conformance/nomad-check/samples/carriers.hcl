# Nothing is bad here, and everything that carries a value to a process is in use.
# flags: -kv tests/conformance/nomad-check/samples/carriers.keys
job "carriers" {
  datacenters = ["dc1"]

  meta {
    dollar = "$"
    empty  = ""
    cr     = "\r"
  }

  group "zk" {
    count = 2

    network {
      mode     = "bridge"
      hostname = "zk-${NOMAD_ALLOC_INDEX}"

      port "client" {
        static = 2181
        to     = 2182
      }

      port "admin" {}
    }

    volume "shared" {
      type            = "host"
      source          = "shared"
      per_alloc       = true
      read_only       = false
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
    }

    service {
      name     = "zk-${NOMAD_ALLOC_INDEX}"
      provider = "consul"
      port     = "client"
      tags     = ["index-${NOMAD_ALLOC_INDEX}"]

      check {
        type     = "tcp"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "wait" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      config {
        image   = "wait:1"
        command = "true"
      }

      resources {
        cpu    = 10
        memory = 32
      }
    }

    task "zk" {
      driver = "docker"
      user   = "1000:1000"

      config {
        image   = "zk:1"
        command = "zk"
        args    = ["--id", "${NOMAD_ALLOC_INDEX}", "$$${literal}", "%%%{x}", "$HOME", "\t\"'\\ é 😀", "a$${NOMAD_META_cr}b"]
        ports   = ["client"]

        labels = {
          "A.b c" = "$$${x}"
        }

        mount {
          type   = "volume"
          source = "zk-${NOMAD_ALLOC_INDEX}"
          target = "/data"
        }

        mount {
          type     = "bind"
          source   = "local/conf"
          target   = "/etc/zk"
          readonly = true
        }

        volumes = ["secrets/password:/etc/password:ro", "../alloc/data/scratch:/scratch"]
      }

      env = {
        "CORE-SITE.XML_a"      = "$${NOMAD_META_dollar}{user.name} $${sys:x} $HOME $(date) $$ %%{x}"
        "CORE-SITE.XML_nfd"    = "e${NOMAD_META_empty}\u0301"
        "SERVER.CONF!CFG_id"   = "${NOMAD_ALLOC_INDEX}"
        "LINES"                = " a\nb\r\n\\ \"\t"
        "EMPTY"                = ""
        "A B"                  = "1"
        "OVERRIDDEN"           = "by the template"
        "port"                 = "${NOMAD_PORT_client} ${NOMAD_HOST_PORT_client} ${NOMAD_PORT_admin}"
        "CORE-SITE.XML_double" = "$${NOMAD_META_dollar}$${NOMAD_META_dollar}{NOMAD_TASK_DIR}"
      }

      template {
        destination = "local/conf/zoo.cfg"
        data        = "id={{ env \"NOMAD_ALLOC_INDEX\" | parseInt | add 1 }}\n{{ \"AP8=\" | base64Decode }}"
      }

      template {
        destination     = "local/conf/raw"
        left_delimiter  = "<<"
        right_delimiter = ">>"
        change_mode     = "noop"
        data            = "{{ not a template }} $${x}"
      }

      template {
        destination = "secrets/password"
        perms       = "0400"
        data        = "{{ with secret \"secret/data/zk\" }}{{ .Data.data.password }}{{ end }}"
      }

      template {
        destination = "local/known"
        data        = "{{ key \"zk/known\" }}"
      }

      template {
        destination = "local/names"
        data        = "{{ range nomadService \"native-0\" }}{{ .Address }}{{ end }}"
      }

      template {
        destination = "secrets/zk.env"
        env         = true
        data        = "ZOO_MY_ID={{ add 1 (env \"NOMAD_ALLOC_INDEX\" | parseInt) }}\nOVERRIDDEN=yes\n"
      }

      vault {}

      volume_mount {
        volume      = "shared"
        destination = "/shared"
      }

      resources {
        cpu    = 100
        memory = 256
      }
    }
  }

  group "native" {
    network {
      port "http" {
        to = 80
      }
    }

    service {
      name     = "native-${NOMAD_ALLOC_INDEX}"
      provider = "nomad"
      port     = "http"
    }

    task "native" {
      driver = "docker"

      config {
        image = "native:1"
        ports = ["http"]
      }

      resources {
        cpu    = 10
        memory = 32
      }
    }
  }
}
