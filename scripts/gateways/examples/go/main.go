// go run . 127.0.0.1:6379 [PARTITIONS]
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"log"
	"os"
	"strconv"

	"github.com/redis/go-redis/v9"
)

type Event struct {
	Type  string         `json:"type"`
	Meta  map[string]any `json:"meta"`
	APIID string         `json:"api_id,omitempty"`
}

func publish(ctx context.Context, client *redis.Client, event Event, partitions int) (string, error) {
	stream := "gateway:events"
	if partitions > 1 {
		chosen := crc32.ChecksumIEEE([]byte(event.Type+"\n"+event.APIID)) % uint32(partitions)
		stream = fmt.Sprintf("%s:%d", stream, chosen)
	}
	data, err := json.Marshal(event)
	if err != nil {
		return "", err
	}
	return client.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"d", data}}).Result()
}

func main() {
	client := redis.NewClient(&redis.Options{Addr: os.Args[1]})
	defer client.Close()
	partitions := 1
	if len(os.Args) > 2 {
		partitions, _ = strconv.Atoi(os.Args[2])
	}
	meta := map[string]any{"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}
	id, err := publish(context.Background(), client, Event{"AuthFailure", meta, "payments"}, partitions)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id)
}
