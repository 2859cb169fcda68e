package batch_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fromJava contains batches written by MemoryRecordsBuilder of kafka-clients 4.4.0: three records, by producer, in each
// compression.
var fromJava = map[batch.Compression]string{
	batch.None: "00000000000003e8000000800000000702ccbdf5610010000000020000018bcfe568000000018bcfe57b8800000000000012670003" +
		"7ffffffe000000037600000006616e614674656e20616e642074656e20616e642074656e20616e642074656e20616e642074656e04" +
		"0a747261636502310a656d707479011400cf0f020662696101000e00904e04010000",
	batch.Gzip: "00000000000003e80000007b0000000702c15e80090011000000020000018bcfe568000000018bcfe57b8800000000000012670003" +
		"7ffffffe000000031f8b08000000000000ff2b636060604bcc4b742b49cd5348cc4b51c043b37095142526a7321972a5e616945432" +
		"8a309ce767624bca4c6464e06398e0c7c2c8c00000dae3b7234f000000",
	batch.Snappy: "00000000000003e80000007f0000000702227635a70012000000020000018bcfe568000000018bcfe57b8800000000000012670003" +
		"7ffffffe0000000382534e415050590000000001000000010000003a4f407600000006616e614674656e20616e64206a080088040a" +
		"747261636502310a656d707479011400cf0f020662696101000e00904e04010000",
	batch.LZ4: "00000000000003e80000007b00000007021fe3b7500013000000020000018bcfe568000000018bcfe57b8800000000000012670003" +
		"7ffffffe0000000304224d186040823b000000ff027600000006616e614674656e20616e6420080008f014040a747261636502310a" +
		"656d707479011400cf0f020662696101000e00904e0401000000000000",
	batch.Zstd: "00000000000003e800000078000000070232b3abe00014000000020000018bcfe568000000018bcfe57b8800000000000012670003" +
		"7ffffffe0000000328b52ffd0058dc010044037600000006616e614674656e20616e6420040a747261636502310a656d7074790114" +
		"00cf0f020662696101000e00904e040100000100179625010000",
}

// markersFromJava contains markers written by MemoryRecords.withEndTransactionMarker of kafka-clients 4.4.0, with
// leader epoch 7.
var markersFromJava = []struct {
	encoded           string
	offset, timestamp int64
	commit            bool
	coordinatorEpoch  int32
}{
	{
		"00000000000007d000000042000000070295dad9a10030000000000000018bcfe58b280000018bcfe58b280000000000001267" +
			"0003ffffffff000000012000000008000000010c00000000000c00", 2000, 1_700_000_009_000, true, 12,
	},
	{
		"00000000000007d100000042000000070221db081d0030000000000000018bcfe58b290000018bcfe58b290000000000001267" +
			"0003ffffffff000000012000000008000000000c00000000000d00", 2001, 1_700_000_009_001, false, 13,
	},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsJava(t *testing.T) {
	for _, how := range compressions {
		t.Run(how.String(), func(t *testing.T) {
			b := unhex(t, fromJava[how])
			h, err := batch.Check(b)
			if err != nil {
				t.Fatal(err)
			}
			want := producer
			want.Length, want.CRC = int32(len(b)-12), h.CRC
			want.Attributes = want.Attributes.WithCompression(how)
			want.LastOffsetDelta, want.Count = 2, 3
			want.BaseTimestamp, want.MaxTimestamp = 1_700_000_000_000, 1_700_000_005_000
			equal(t, h, want)
			equal(t, mustRead(t, b), three)
		})
	}
}

// TestWritesAsJava compares the bytes of uncompressed batches. Compressed bytes depend on the library.
func TestWritesAsJava(t *testing.T) {
	equal(t, hex.EncodeToString(write(producer, three...)), fromJava[batch.None])
	for _, marker := range markersFromJava {
		got := batch.Marker(marker.offset, marker.timestamp, 4711, 3, marker.commit, marker.coordinatorEpoch)
		batch.SetLeaderEpoch(got, 7)
		equal(t, hex.EncodeToString(got), marker.encoded)
	}
}

// many is enough records for several blocks in every compression.
func many() []record {
	records := make([]record, 3000)
	for i := range records {
		records[i] = record{
			Offset: int64(i), Timestamp: 1_700_000_000_000 + int64(i), Key: []byte{byte(i), byte(i >> 8)},
			Value: []byte(strings.Repeat(string(rune('a'+i%26)), i%100)),
		}
	}
	return records
}

func TestReadsFranz(t *testing.T) {
	want := many()
	for _, how := range compressions {
		t.Run(how.String(), func(t *testing.T) {
			b := foreign(kmsg.RecordBatch{
				Attributes: int16(how), LastOffsetDelta: int32(len(want) - 1), FirstTimestamp: want[0].Timestamp,
				MaxTimestamp: want[len(want)-1].Timestamp, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(want)),
				Records: foreignCompress(t, foreignRecords(0, want[0].Timestamp, want), how),
			})
			if _, err := batch.Check(b); err != nil {
				t.Fatal(err)
			}
			equal(t, mustRead(t, b), want)
		})
	}
}

func TestFranzReads(t *testing.T) {
	want := many()
	for _, how := range compressions {
		t.Run(how.String(), func(t *testing.T) {
			var got kmsg.RecordBatch
			if err := got.ReadFrom(write(batch.Header{ProducerID: -1, Attributes: batch.Attributes(how)}, want...)); err != nil {
				t.Fatal(err)
			}
			records, err := kgo.DefaultDecompressor().Decompress(got.Records, kgo.CompressionCodecType(how))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, records, foreignRecords(0, want[0].Timestamp, want))
		})
	}
}
