// Copies the topic to OUTPUT in transactions with the positions inside, until SIGTERM; for each one a line with how many records it has.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	running, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(strings.Split(os.Getenv("BOOTSTRAP_SERVERS"), ",")...),
		kgo.TransactionalID(os.Getenv("TRANSACTIONAL_ID")),
		kgo.DefaultProduceTopic(os.Getenv("OUTPUT")),
		kgo.ConsumerGroup(os.Getenv("GROUP")),
		kgo.ConsumeTopics(os.Getenv("TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(500*time.Millisecond),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	for running.Err() == nil {
		fetches := session.PollFetches(running)
		fetches.EachError(func(topic string, partition int32, err error) { log.Printf("%s-%d: %v", topic, partition, err) })
		if fetches.NumRecords() > 0 {
			process(session, fetches)
		}
	}
}

func process(session *kgo.GroupTransactSession, fetches kgo.Fetches) {
	if err := session.Begin(); err != nil {
		startAgain(err)
	}
	promise := kgo.AbortingFirstErrPromise(session.Client())
	fetches.EachRecord(func(r *kgo.Record) {
		session.Produce(context.Background(), &kgo.Record{Key: r.Key, Value: r.Value}, promise.Promise())
	})
	produced := promise.Err() == nil
	committed, err := session.End(context.Background(), kgo.TransactionEndTry(produced))
	if err != nil {
		startAgain(err)
	}
	if committed {
		fmt.Println(fetches.NumRecords())
	}
}

// A coordinator that refuses the connection, or is busy for longer than kgo asks, ends its session for good: the next life settles what is in doubt.
func startAgain(err error) {
	log.Print(err)
	os.Exit(75)
}
