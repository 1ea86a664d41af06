module flokkr/tests/conformance/witness

go 1.26
