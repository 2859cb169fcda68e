package customers

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
)

// TestServe plans a delivery, runs the application, and finds the delivery in the list.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	brokers := []string{b.Addr()}

	plan(t, ctx, brokers, fleet.Delivery{ID: "E1", Customer: "Ana", Trip: "T1", Day: "20260105", To: fleet.Seconds(3600)})

	dir := t.TempDir()
	serving, stop := context.WithCancel(ctx)
	urls, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- Serve(serving, Config{
			Engine:  runner.Config{Brokers: brokers, Dir: dir, CreateTopics: true, Logger: slog.New(slog.DiscardHandler)},
			Address: "127.0.0.1:0", Listening: func(url string) { urls <- url },
		})
	}()
	var list string
	select {
	case list = <-urls:
	case err := <-done:
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !lists(list+"/json", "E1") {
		select {
		case <-tick.C:
		case err := <-done:
			t.Fatal(err)
		case <-ctx.Done():
			t.Fatal("the delivery does not appear")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// lists reports whether a list has a delivery. While tasks start the answer is no.
func lists(url, delivery string) bool {
	answer, err := http.Get(url)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var all []linked
	return json.NewDecoder(answer.Body).Decode(&all) == nil && len(all) == 1 && all[0].ID == delivery && strings.HasPrefix(all[0].Page, "/entregas/E1/")
}

func plan(t *testing.T, ctx context.Context, brokers []string, d fleet.Delivery) {
	t.Helper()
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	topic := tracking.Deliveries
	const partitions = 4
	if err := client.CreateTopics(ctx, kafka.TopicSpec{Name: topic.Name(), Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	value, err := topic.ValueCodec().Append(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte(d.ID)
	if err := producer.Send(topic.Name(), kafka.Partition(key, partitions), kafka.Record{Key: key, Value: value}); err != nil {
		t.Fatal(err)
	}
	if err := producer.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}
