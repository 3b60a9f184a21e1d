package wsx

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// A Coding is how the messages of one direction may be coded.
type Coding struct {
	Deflate  bool // permessage-deflate, RFC 7692
	Takeover bool // a message may refer to the ones before it
}

// Agreed returns what the headers of the answer that opens a WebSocket say of
// the messages to the server, and of those from it: RFC 7692 §7.1.
func Agreed(h http.Header) (toServer, fromServer Coding) {
	for _, list := range h.Values("Sec-Websocket-Extensions") {
		for one := range strings.SplitSeq(list, ",") {
			name, params, _ := strings.Cut(one, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "permessage-deflate") {
				continue
			}
			toServer, fromServer = Coding{true, true}, Coding{true, true}
			for param := range strings.SplitSeq(params, ";") {
				switch strings.ToLower(strings.TrimSpace(param)) {
				case "client_no_context_takeover":
					toServer.Takeover = false
				case "server_no_context_takeover":
					fromServer.Takeover = false
				}
			}
			return toServer, fromServer
		}
	}
	return Coding{}, Coding{}
}

const (
	window = 32 << 10 // bytes that deflate can look back: RFC 1951 §2
	// maxInflated is how many bytes a message may become: a byte can stand for
	// a thousand.
	maxInflated = 32 << 20
	// maxStreams is how many streams of deflate a message may be made of. One
	// is usual, and two bytes can be one, which take as long as a long one.
	maxStreams = 1000
	// tail stands for the end of a message, which is sent without its last
	// four bytes (RFC 7692 §7.2.2), and ends the stream for the decompressor.
	tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"
)

var (
	errTooMuch = fmt.Errorf("it would be more than %d MiB", maxInflated>>20)
	errStreams = fmt.Errorf("it has more than %d last blocks", maxStreams)
	errLost    = errors.New("what it refers to could not be decompressed")
	errStopped = errors.New("stopped")
)

// An inflater decompresses messages whose bytes come bit by bit.
// compress/flate asks for its input, so it runs in a coroutine, which hands
// control back wherever the input is at its end.
type inflater struct {
	takeover bool
	dead     bool // a message was lost that later ones refer to

	in   []byte
	last bool // nothing comes behind in
	out  func([]byte)

	next  func() (error, bool) // nil: more is wanted, or the message is whole
	stop  func()
	yield func(error) bool

	reader  io.Reader
	history []byte // at least the last window of what came out
	buf     [4 << 10]byte
}

func newInflater(takeover bool) *inflater {
	z := &inflater{takeover: takeover}
	z.next, z.stop = iter.Pull(iter.Seq[error](z.run))
	return z
}

func (z *inflater) close() { z.stop() }

// feed takes p in and calls out with what it decompresses to. With last the
// message ends. After an error the rest of the message must not be fed.
func (z *inflater) feed(p []byte, last bool, out func([]byte)) error {
	if z.dead {
		return errLost
	}
	z.in, z.last, z.out = p, last, out
	if last {
		z.in = []byte(tail)
	}
	err, _ := z.next()
	z.in, z.out = nil, func([]byte) {} // when it is stopped, the decompressor may still have something to give
	z.dead = err != nil && z.takeover
	return err
}

// run is the coroutine: one message after the other.
func (z *inflater) run(yield func(error) bool) {
	z.yield = yield
	for {
		err := z.message()
		if errors.Is(err, errStopped) || !yield(err) {
			return
		}
	}
}

func (z *inflater) message() error {
	if !z.takeover {
		z.history = z.history[:0]
	}
	size := 0
	for range maxStreams {
		z.reset()
		for {
			n, err := z.reader.Read(z.buf[:])
			if n > 0 {
				z.remember(z.buf[:n])
				z.out(z.buf[:n])
				if size += n; size > maxInflated {
					return errTooMuch
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
		}
		// A block that called itself the last one may be followed by others:
		// RFC 7692 §7.2.3.4.
		if z.last && (len(z.in) == 0 || len(z.in) == len(tail)) {
			return nil
		}
	}
	return errStreams
}

// reset begins a stream of deflate that may refer to what came before.
func (z *inflater) reset() {
	dict := z.history[max(0, len(z.history)-window):]
	if z.reader == nil {
		z.reader = flate.NewReaderDict(source{z}, dict)
		return
	}
	z.reader.(flate.Resetter).Reset(source{z}, dict) // it has no error to return
}

func (z *inflater) remember(b []byte) {
	if len(z.history)+len(b) > 2*window {
		z.history = z.history[:copy(z.history, z.history[len(z.history)-window:])]
	}
	z.history = append(z.history, b...)
}

// A source is what the decompressor reads from. As it has ReadByte, no byte
// more is taken than is needed.
type source struct{ z *inflater }

func (s source) wait() error {
	for len(s.z.in) == 0 {
		if s.z.last {
			return io.EOF
		}
		if !s.z.yield(nil) {
			return errStopped
		}
	}
	return nil
}

func (s source) ReadByte() (byte, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	b := s.z.in[0]
	s.z.in = s.z.in[1:]
	return b, nil
}

func (s source) Read(p []byte) (int, error) {
	if err := s.wait(); err != nil {
		return 0, err
	}
	n := copy(p, s.z.in)
	s.z.in = s.z.in[n:]
	return n, nil
}
