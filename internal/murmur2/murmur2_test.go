package murmur2_test

import (
	"testing"

	"github.com/rio-streams/rio/internal/murmur2"
)

// The expected hashes are those of Kafka's own UtilsTest.testMurmur2.
//
// Proves: partition-of-java-clients
func TestSumAgreesWithJava(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2.Sum([]byte(key))); got != want {
			t.Errorf("Sum(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestPartitionIsInRange(t *testing.T) {
	for _, key := range []string{"", "a", "ônibus-42", "3490101813"} {
		for n := int32(1); n < 20; n++ {
			if p := murmur2.Partition([]byte(key), n); p < 0 || p >= n {
				t.Fatalf("Partition(%q, %d) = %d", key, n, p)
			}
		}
	}
}
