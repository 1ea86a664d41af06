# What a server refuses.
# bad: job/refused: line 19 isn't as `nomad fmt` writes it
# also: line 40: the key A is there twice
# also: Task group a validation failed
# also: Service name must be valid
# also: invalid check type ("grpc")
# also: group a: task -a: Docker can't call a container so
job "refused" {
  datacenters = []

  group "a" {
    network {
      port "http" {
        to = 80
      }
    }

    service {
      name = "Under_Score"
      port     = "http"
      provider = "nomad"

      check {
        type     = "grpc"
        interval = "5s"
        timeout  = "3s"
      }
    }

    task "-a" {
      driver = "docker"

      config {
        image = "a:1"
      }

      env = {
        "A" = "1"
        "B" = "2"
        "A" = "3"
      }
    }
  }
}
