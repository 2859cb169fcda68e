package kafkatest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Proxy is a proxy for a cluster of one broker that makes the broker seem to have forgotten transactional producers. A
// broker forgets them after transactional.id.expiration.ms without activity.
type Proxy struct {
	t        *testing.T
	broker   string
	listener net.Listener
	running  sync.WaitGroup

	mu        sync.Mutex
	conns     []net.Conn
	closed    bool
	known     map[incarnation]bool // true: forgotten
	forgotten int                  // number of requests from forgotten producers
}

// incarnation is a producer id with its epoch. A transactional id keeps its producer id when it registers again.
type incarnation struct {
	id    int64
	epoch int16
}

// NewProxy starts a proxy for the broker at an address. It ends with the test.
func NewProxy(t *testing.T, broker string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{t: t, broker: broker, listener: listener, known: map[incarnation]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns the address for clients. The proxy replaces the broker's address in responses by it.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// ForgetProducers makes requests of all registered producers fail (INVALID_PRODUCER_ID_MAPPING) until they register again.
func (p *Proxy) ForgetProducers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for producer := range p.known {
		p.known[producer] = true
	}
}

// Refused returns the number of requests from forgotten producers.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forgotten
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.listener.Close()
	for _, conn := range p.conns {
		conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.broker)
		if err != nil {
			client.Close() // the client retries
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, broker)
		closed := p.closed
		p.mu.Unlock()
		if closed {
			client.Close()
			broker.Close()
			return
		}
		asked := make(chan kmsg.Request, 1000) // requests without a response so far, in order
		p.running.Go(func() {
			defer close(asked)
			pass(client, broker, func(frame []byte) []byte { return p.request(frame, asked) })
		})
		p.running.Go(func() {
			pass(broker, client, func(frame []byte) []byte { return p.answer(frame, <-asked) })
		})
	}
}

// pass copies frames until one of the connections ends, and closes the other.
func pass(from, to net.Conn, change func([]byte) []byte) {
	defer from.Close()
	defer to.Close()
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, frame); err != nil {
			return
		}
		frame = change(frame)
		if _, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)); err != nil {
			return
		}
	}
}

// request replaces the producer id in requests of forgotten producers by an unknown one.
func (p *Proxy) request(frame []byte, asked chan<- kmsg.Request) []byte {
	r := kbin.Reader{Src: frame}
	req := kmsg.RequestForKey(r.Int16())
	req.SetVersion(r.Int16())
	r.Int32() // correlation id
	r.NullableString()
	defer func() { asked <- req }()

	var id *int64
	var epoch *int16
	switch req := req.(type) {
	case *kmsg.AddPartitionsToTxnRequest:
		id, epoch = &req.ProducerID, &req.ProducerEpoch
	case *kmsg.AddOffsetsToTxnRequest:
		id, epoch = &req.ProducerID, &req.ProducerEpoch
	case *kmsg.EndTxnRequest:
		id, epoch = &req.ProducerID, &req.ProducerEpoch
	default:
		return frame
	}
	if req.IsFlexible() {
		kmsg.SkipTags(&r)
	}
	header := frame[:len(frame)-len(r.Src)]
	if err := req.ReadFrom(r.Src); err != nil {
		p.t.Errorf("proxy: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known[incarnation{*id, *epoch}] {
		return frame
	}
	p.forgotten++
	*id += 1 << 40
	return req.AppendTo(header[:len(header):len(header)])
}

// answer records registered producers, and replaces the broker's address by the proxy's.
func (p *Proxy) answer(frame []byte, req kmsg.Request) []byte {
	if req == nil { // the client is gone
		return frame
	}
	host, port, _ := net.SplitHostPort(p.Addr())
	number, _ := net.LookupPort("tcp", port)
	res := req.ResponseKind()
	header := frame[:4] // correlation id
	if res.IsFlexible() {
		header = frame[:5] // tags; brokers send none
	}
	switch res.(type) {
	case *kmsg.InitProducerIDResponse, *kmsg.MetadataResponse, *kmsg.FindCoordinatorResponse:
		if err := res.ReadFrom(frame[len(header):]); err != nil {
			p.t.Errorf("proxy: %v", err)
		}
	}
	switch res := res.(type) {
	case *kmsg.InitProducerIDResponse:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.known[incarnation{res.ProducerID, res.ProducerEpoch}] = false
		return frame
	case *kmsg.MetadataResponse:
		for i := range res.Brokers {
			res.Brokers[i].Host, res.Brokers[i].Port = host, int32(number)
		}
	case *kmsg.FindCoordinatorResponse:
		res.Host, res.Port = host, int32(number)
		for i := range res.Coordinators {
			res.Coordinators[i].Host, res.Coordinators[i].Port = host, int32(number)
		}
	default:
		return frame
	}
	return res.AppendTo(header[:len(header):len(header)])
}
