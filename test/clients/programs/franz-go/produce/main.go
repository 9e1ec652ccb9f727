// Lines of key and value from standard input, produced in order; a line of JSON for each acknowledgement.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

type acknowledgement struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Value     string `json:"value"`
}

func main() {
	// franz-go's producers are idempotent with acks=all unless told otherwise.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("BOOTSTRAP_SERVERS"), ",")...),
		kgo.DefaultProduceTopic(os.Getenv("TOPIC")),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	out := json.NewEncoder(os.Stdout)
	// Promises are called one at a time.
	delivered := func(record *kgo.Record, err error) {
		if err != nil {
			log.Fatalf("record %s was refused: %v", record.Value, err)
		}
		out.Encode(acknowledgement{record.Partition, record.Offset, string(record.Value)})
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "\t")
		client.Produce(context.Background(), &kgo.Record{Key: []byte(key), Value: []byte(value)}, delivered)
	}
	if err := client.Flush(context.Background()); err != nil {
		log.Fatal(err)
	}
}
