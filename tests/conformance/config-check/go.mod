module flokkr/tests/conformance/config-check

go 1.26.0

require (
	github.com/docker/cli v28.5.2+incompatible
	gopkg.in/ini.v1 v1.67.0
	gopkg.in/yaml.v2 v2.4.0
)

require (
	github.com/stretchr/testify v1.12.1 // indirect
	gotest.tools/v3 v3.5.2 // indirect
)
