package kafkatest

import (
	"time"

	"github.com/rio-streams/rio/kafka"
)

var times = theme{"times", []testCase{
	{"first record at or after a time", sinceTime},
	{"timestamps out of order", sinceOutOfOrder},
	{"ends", ends},
	{"in an empty partition", sinceInEmpty},
}}

var morning = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

// recordsAt makes a record for each given number of minutes after morning.
func recordsAt(minutes ...int) []kafka.Record {
	var records []kafka.Record
	for _, m := range minutes {
		records = append(records, kafka.Record{Timestamp: minute(m).UnixMilli(), Value: dot})
	}
	return records
}

func minute(m int) time.Time { return morning.Add(time.Duration(m) * time.Minute) }

func sinceTime(s *subject) {
	tp := s.partition()
	s.must(s.write(tp, kafka.ProducerConfig{}, recordsAt(0, 10, 20)...)) // one batch
	s.must(s.write(tp, kafka.ProducerConfig{}, recordsAt(30, 40)...))
	for m, want := range map[int]int64{-5: 0, 0: 0, 1: 1, 10: 1, 15: 2, 25: 3, 30: 3, 40: 4, 41: 5} {
		s.isAt(tp, kafka.Since(minute(m)), want)
	}
}

func sinceOutOfOrder(s *subject) {
	tp := s.partition()
	s.must(s.write(tp, kafka.ProducerConfig{}, recordsAt(10, 50, 20)...))
	s.must(s.write(tp, kafka.ProducerConfig{}, recordsAt(5, 30)...))
	for m, want := range map[int]int64{0: 0, 15: 1, 40: 1, 50: 1, 51: 5} {
		s.isAt(tp, kafka.Since(minute(m)), want)
	}
}

func ends(s *subject) {
	tp := s.partition()
	s.isAt(tp, kafka.Earliest, 0)
	s.isAt(tp, kafka.Latest, 0)
	s.isAt(tp, kafka.LatestStable, 0)
	s.produce(tp, "a", "b")
	s.isAt(tp, kafka.Earliest, 0)
	s.isAt(tp, kafka.Latest, 2)
	s.isAt(tp, kafka.LatestStable, 2)
}

func sinceInEmpty(s *subject) {
	s.isAt(s.partition(), kafka.Since(morning), 0)
}
