// clock.go: how long the real Go takes to render templates over many events, for scripts/bench templates.
//
// Reads JSON lines {"template", "mode": "text"|"html", "events": [...], "rounds"} and answers each with one line:
// {"render": ns per render, best round; "compile": ns, best of 20; "bytes": of all events together}.
// Integral numbers become int64, others float64, as in oracle.go. Standard library only, Go >= 1.18.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	htmpl "html/template"
	"io"
	"os"
	ttmpl "text/template"
	"time"
)

type request struct {
	Template string `json:"template"`
	Mode     string `json:"mode"`
	Events   []any  `json:"events"`
	Rounds   int    `json:"rounds"`
}

type answer struct {
	Render  float64 `json:"render"`
	Compile float64 `json:"compile"`
	Bytes   int     `json:"bytes"`
}

type executor interface{ Execute(io.Writer, any) error }

func numbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		float, _ := value.Float64()
		return float
	case []any:
		for at := range value {
			value[at] = numbers(value[at])
		}
	case map[string]any:
		for key := range value {
			value[key] = numbers(value[key])
		}
	}
	return value
}

// compiled parses; html/template escapes at the first execution, which belongs to compiling.
func compiled(asked request) (executor, error) {
	if asked.Mode == "html" {
		made, err := htmpl.New("t").Parse(asked.Template)
		if err == nil {
			err = made.Execute(io.Discard, asked.Events[0])
		}
		return made, err
	}
	return ttmpl.New("t").Parse(asked.Template)
}

func measured(asked request) (result answer, err error) {
	var run executor
	for round := 0; round < 20; round++ {
		started := time.Now()
		if run, err = compiled(asked); err != nil {
			return
		}
		if took := float64(time.Since(started)); round == 0 || took < result.Compile {
			result.Compile = took
		}
	}
	var out bytes.Buffer
	for round := 0; round < asked.Rounds; round++ {
		result.Bytes = 0
		started := time.Now()
		for _, event := range asked.Events {
			out.Reset()
			if err = run.Execute(&out, event); err != nil {
				return
			}
			result.Bytes += out.Len()
		}
		took := float64(time.Since(started)) / float64(len(asked.Events))
		if round == 0 || took < result.Render {
			result.Render = took
		}
	}
	return
}

func main() {
	lines, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	lines.UseNumber()
	for lines.More() {
		var asked request
		if err := lines.Decode(&asked); err != nil {
			fmt.Fprintln(os.Stderr, "clock: bad request:", err)
			os.Exit(1)
		}
		for at := range asked.Events {
			asked.Events[at] = numbers(asked.Events[at])
		}
		result, err := measured(asked)
		if err != nil {
			fmt.Fprintln(os.Stderr, "clock:", err)
			os.Exit(1)
		}
		answers.Encode(result)
	}
}
