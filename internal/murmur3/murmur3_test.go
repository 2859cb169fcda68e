package murmur3_test

import (
	"encoding/hex"
	"testing"

	"github.com/rio-streams/rio/internal/murmur3"
)

// The expected hashes were computed by Murmur3.hash128 of Kafka Streams 4.4.0.
func TestSumAgreesWithKafkaStreams(t *testing.T) {
	for size, want := range map[int]string{
		0:  "9d2764a018e329428c3cf3b035938518",
		1:  "d43f333df6e9457d5d1c08bd8f997df0",
		2:  "9be813c9e4cea63b25d3d72088e64f95",
		7:  "959b657ab02a286b73cb7fd0ac1d7df1",
		8:  "34ee215959344825983ac90a277b1210",
		9:  "553f2e868877bc5e454545eeb711e9fd",
		15: "7d47e8356e1c67afdb26beff1509caf0",
		16: "3204cc776be060634db3f8ae1a2f55eb",
		17: "7ba08bdb1e76171451f01a06d3113017",
		24: "712aebd22a60d20875eb9451ecf864cd",
		31: "b7f3809e641f7835e2065c0ba0824877",
		32: "269ef501e4e217d71cb695fc91ebbfa1",
		33: "19889387fc82b3cc0dccd26f469c0502",
		40: "7e1bf85eea00e5530299ec0641dbb494",
	} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(37*i + 101*size + 128)
		}
		sum := murmur3.Sum128(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("the hash of %d bytes is %s, want %s", size, got, want)
		}
	}
}
