package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// document is one YAML document of a file.
type document struct {
	path string
	// index counts the documents of the file from 0, those without content too.
	index int
	text  []byte
}

// notObjects are files beside manifests that no server ever sees.
var notObjects = map[string]bool{
	"kustomization.yaml": true,
	"Chart.yaml":         true,
	"values.yaml":        true,
}

// readAll reads the documents of files, and of the *.yaml files below folders.
func readAll(paths []string) ([]document, error) {
	var all []document
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if path != root && filepath.Ext(path) != ".yaml" || notObjects[entry.Name()] {
				return nil
			}
			documents, err := readFile(path)
			all = append(all, documents...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no object in %q", paths)
	}
	return all, nil
}

func readFile(path string) ([]document, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []document
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for index := 0; ; index++ {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", path, index, err)
		}
		if !onlyComments(text) {
			found = append(found, document{path, index, text})
		}
	}
}

func onlyComments(text []byte) bool {
	for _, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}
