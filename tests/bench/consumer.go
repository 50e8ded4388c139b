// What one would write by hand in Go for one endpoint: read a batch, render, claim the cool-down, POST, confirm, XACK.
//
// It does the steps of a delivery and nothing that makes them safe: no retries, no dead letters, nothing taken over from
// a consumer that died, no metrics. So it is the yardstick for CPU of an event, not a program to run.
//
//	consumer HOST:PORT STREAM GROUP URL COUNT
//
// Built from Debian's golang-go and golang-github-gomodule-redigo-dev, without modules; see tests/bench_compare.py.
package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"text/template"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	atOnce   = 128 // requests under way
	perRead  = 128 // entries a read, and confirmations a call
	lease    = 30_000
	coolDown = 60_000 // both in milliseconds
)

var webhook = template.Must(template.New("webhook").Parse(`{
  "event": "{{.Type}}",
  "message": "{{.Meta.Message}}",
  "path": "{{.Meta.Path}}",
  "origin": "{{.Meta.Origin}}",
  "key": "{{.Meta.Key}}",
  "api_id": "{{.APIID}}"
}
`))

type event struct {
	Type  string         `json:"type"`
	Meta  map[string]any `json:"meta"`
	APIID string         `json:"api_id"`
}

// One entry on its way. Where claim is lost, another delivers the same request and nothing is sent.
type delivery struct {
	id    string
	claim string
	body  []byte
}

type consumer struct {
	stream, group, url string
	client             *http.Client
	waiting            chan delivery
	ended              chan delivery
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 6 {
		log.Fatal("usage: consumer HOST:PORT STREAM GROUP URL COUNT")
	}
	count, err := strconv.Atoi(os.Args[5])
	check(err)
	reading, err := redis.Dial("tcp", os.Args[1])
	check(err)
	ending, err := redis.Dial("tcp", os.Args[1])
	check(err)
	c := &consumer{
		stream: os.Args[2],
		group:  os.Args[3],
		url:    os.Args[4],
		client: &http.Client{
			Timeout:   15 * time.Second,
			Transport: &http.Transport{MaxIdleConns: atOnce, MaxIdleConnsPerHost: atOnce},
		},
		waiting: make(chan delivery, 4*perRead),
		ended:   make(chan delivery, 32*perRead),
	}

	var senders, enders sync.WaitGroup
	for range make([]struct{}, atOnce) {
		senders.Add(1)
		go func() {
			defer senders.Done()
			c.send()
		}()
	}
	enders.Add(1)
	go func() {
		defer enders.Done()
		c.end(ending)
	}()
	for left := count; left > 0; {
		left -= c.read(reading)
	}
	close(c.waiting)
	senders.Wait()
	close(c.ended)
	enders.Wait()
}

// read takes one batch, renders each entry, claims all of it in one round trip and hands it on; how many it were.
func (c *consumer) read(conn redis.Conn) int {
	reply, err := redis.Values(conn.Do(
		"XREADGROUP", "GROUP", c.group, "consumer", "COUNT", perRead, "BLOCK", 5000, "STREAMS", c.stream, ">"))
	check(err)
	streams, err := redis.Values(reply[0], nil)
	check(err)
	entries, err := redis.Values(streams[1], nil)
	check(err)
	batch := make([]delivery, 0, len(entries))
	for _, raw := range entries {
		one := c.delivery(raw)
		check(conn.Send("SET", one.claim, "c|"+one.id, "NX", "PX", lease))
		batch = append(batch, one)
	}
	check(conn.Flush())
	for _, one := range batch {
		won, err := conn.Receive()
		check(err)
		if won == nil {
			c.ended <- one
		} else {
			c.waiting <- one
		}
	}
	return len(batch)
}

func (c *consumer) delivery(raw any) delivery {
	entry, err := redis.Values(raw, nil)
	check(err)
	id, err := redis.String(entry[0], nil)
	check(err)
	fields, err := redis.ByteSlices(entry[1], nil)
	check(err)
	var happened event
	check(json.Unmarshal(fields[1], &happened)) // the packed form: one field, d
	var body bytes.Buffer
	check(webhook.Execute(&body, &happened))
	sum := md5.New()
	fmt.Fprintf(sum, "POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n", c.url, body.Len())
	sum.Write(body.Bytes())
	return delivery{id, "{" + c.stream + "}:cool:" + hex.EncodeToString(sum.Sum(nil)), body.Bytes()}
}

// send posts what waits; a connection is used again only when its answer was read whole.
func (c *consumer) send() {
	for one := range c.waiting {
		request, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(one.body))
		check(err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("webhook-id", one.id)
		answer, err := c.client.Do(request)
		check(err)
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, 64*1024))
		check(err)
		answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			log.Fatalf("answered %s", answer.Status)
		}
		c.ended <- one
	}
}

// end confirms the cool-downs and acknowledges, in groups as large as there is something to end.
func (c *consumer) end(conn redis.Conn) {
	group := make([]delivery, 0, perRead)
	for one := range c.ended {
		group = append(group, one)
		if len(group) == perRead {
			c.settle(conn, group)
			group = group[:0]
		}
	}
	c.settle(conn, group)
}

func (c *consumer) settle(conn redis.Conn, group []delivery) {
	if len(group) == 0 {
		return
	}
	acknowledged := redis.Args{c.stream, c.group}
	for _, one := range group {
		check(conn.Send("SET", one.claim, "d|"+one.id, "PX", coolDown))
		acknowledged = append(acknowledged, one.id)
	}
	check(conn.Send("XACK", acknowledged...))
	check(conn.Flush())
	for range acknowledged[1:] { // one answer for each SET, and one for XACK
		_, err := conn.Receive()
		check(err)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
