// Witness is the only program of an image, and says what a process in there really gets: a line of
// JSON with its words, its environment and the files below /f. Then it waits to be ended, or ends
// where there is a folder /ends: who shares its network needs it alive.
//
// As /check it is run by the engine to check a container, and its words are said by the container
// like all else: the engine keeps only 4 kB of what a check prints.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf16"
	"unicode/utf8"
)

// seen is what the process got.
type seen struct {
	Words []string `json:"words,omitempty"`
	// Environment is as the kernel has it: a name may be there twice.
	Environment []string          `json:"environment,omitempty"`
	Files       map[string]string `json:"files,omitempty"`
	// Check are the words of a check, and all that is known then.
	Check []string `json:"check,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "witness: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	ended := make(chan os.Signal, 1)
	// The first process of a container is ended by no signal that it doesn't ask for.
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	if os.Args[0] == "/check" {
		out, err := os.OpenFile("/proc/1/fd/1", os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return say(out, seen{Check: shown(os.Args)})
	}
	environment, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return err
	}
	files, err := below("/f")
	if err != nil {
		return err
	}
	all := seen{Words: shown(os.Args), Files: files}
	if len(environment) > 0 {
		all.Environment = shown(strings.Split(strings.TrimSuffix(string(environment), "\x00"), "\x00"))
	}
	if err := say(os.Stdout, all); err != nil {
		return err
	}
	if _, err := os.Stat("/ends"); errors.Is(err, fs.ErrNotExist) {
		<-ended
	}
	return nil
}

// below has the content of all files there.
func below(folder string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = text(string(content))
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return files, err
}

func shown(texts []string) []string {
	all := make([]string, len(texts))
	for i, bytes := range texts {
		all[i] = text(bytes)
	}
	return all
}

// text is one as JSON can have it.
func text(bytes string) string {
	if utf8.ValidString(bytes) {
		return bytes
	}
	return "no UTF-8: " + base64.StdEncoding.EncodeToString([]byte(bytes))
}

// say prints a line in ASCII: the engine cuts long lines into pieces of its log, and a character in
// two pieces is lost.
func say(out *os.File, what seen) error {
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	var ascii strings.Builder
	for _, c := range string(line) {
		switch {
		case c < utf8.RuneSelf:
			ascii.WriteRune(c)
		case c < 0x10000:
			fmt.Fprintf(&ascii, "\\u%04x", c)
		default:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&ascii, "\\u%04x\\u%04x", high, low)
		}
	}
	ascii.WriteByte('\n')
	_, err = out.WriteString(ascii.String())
	return err
}
