package wsx

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const keep = 1 << 10

// tapped returns what a Tap makes of text, given to it in pieces of n bytes.
func tapped(coding Coding, text []byte, n int) (list []Message, err error) {
	tap := NewTap(coding, keep, func(m Message) { list = append(list, m) })
	for len(text) > 0 {
		piece := text[:min(n, len(text))]
		tap.Write(piece)
		text = text[len(piece):]
	}
	tap.Close()
	return list, tap.Err()
}

// frame returns one frame; b0 is its first byte.
func frame(b0 byte, payload string, mask ...byte) []byte {
	f := []byte{b0, 0}
	switch n := len(payload); {
	case n < 126:
		f[1] = byte(n)
	case n < 1<<16:
		f[1] = 126
		f = binary.BigEndian.AppendUint16(f, uint16(n))
	default:
		f[1] = 127
		f = binary.BigEndian.AppendUint64(f, uint64(n))
	}
	if len(mask) == 0 {
		return append(f, payload...)
	}
	f[1] |= 0x80
	f = append(f, mask...)
	for i := range len(payload) {
		f = append(f, payload[i]^mask[i%4])
	}
	return f
}

// deflated returns text as a message has it: RFC 7692 §7.2.1.
func deflated(t testing.TB, w *flate.Writer, buf *bytes.Buffer, text string) string {
	t.Helper()
	buf.Reset()
	w.Write([]byte(text))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(buf.String(), "\x00\x00\xff\xff")
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 6455 §5.7 and of RFC 7692 §7.2.3.
func TestPublished(t *testing.T) {
	hello := Message{Op: Text, Data: []byte("Hello"), Size: 5, Fragments: 1}
	packed := func(wire int64, fragments int) Message {
		m := hello
		m.Wire, m.Fragments = wire, fragments
		return m
	}
	for name, c := range map[string]struct {
		bytes  string
		coding Coding
		want   []Message
	}{
		"unmasked":           {"81 05 48 65 6c 6c 6f", Coding{}, []Message{hello}},
		"masked":             {"81 85 37 fa 21 3d 7f 9f 4d 51 58", Coding{}, []Message{hello}},
		"in fragments":       {"01 03 48 65 6c 80 02 6c 6f", Coding{}, []Message{{Op: Text, Data: []byte("Hello"), Size: 5, Fragments: 2}}},
		"ping":               {"89 05 48 65 6c 6c 6f", Coding{}, []Message{{Op: Ping, Data: []byte("Hello"), Size: 5, Fragments: 1}}},
		"pong":               {"8a 85 37 fa 21 3d 7f 9f 4d 51 58", Coding{}, []Message{{Op: Pong, Data: []byte("Hello"), Size: 5, Fragments: 1}}},
		"compressed":         {"c1 07 f2 48 cd c9 c9 07 00", Coding{true, true}, []Message{packed(7, 1)}},
		"compressed pieces":  {"41 03 f2 48 cd 80 04 c9 c9 07 00", Coding{true, false}, []Message{packed(7, 2)}},
		"window shared":      {"c1 07 f2 48 cd c9 c9 07 00 c1 05 f2 00 11 00 00", Coding{true, true}, []Message{packed(7, 1), packed(5, 1)}},
		"not deflated":       {"c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00", Coding{true, true}, []Message{packed(11, 1)}},
		"last block":         {"c1 08 f3 48 cd c9 c9 07 00 00", Coding{true, true}, []Message{packed(8, 1)}},
		"two blocks":         {"c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00", Coding{true, false}, []Message{packed(13, 1)}},
		"empty":              {"c1 01 00", Coding{true, true}, []Message{{Op: Text, Size: 0, Fragments: 1, Wire: 1}}},
		"close with reason":  {"88 05 03 e9 62 79 65", Coding{}, []Message{{Op: Close, Size: 5, Fragments: 1, Code: 1001, Reason: "bye"}}},
		"close without code": {"88 00", Coding{}, []Message{{Op: Close, Fragments: 1, Code: NoStatus}}},
		"ping in between": {"01 03 48 65 6c 89 00 80 02 6c 6f", Coding{}, []Message{
			{Op: Ping, Fragments: 1}, {Op: Text, Data: []byte("Hello"), Size: 5, Fragments: 2},
		}},
	} {
		for n := 1; n < 20; n++ {
			got, err := tapped(c.coding, unhex(t, c.bytes), n)
			if err != nil || !same(got, c.want) {
				t.Errorf("%s in pieces of %d: %+v, %v, want %+v", name, n, got, err, c.want)
			}
		}
	}
}

// same compares without telling nil from empty.
func same(a, b []Message) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if !bytes.Equal(x.Data, y.Data) {
			return false
		}
		x.Data, y.Data = nil, nil
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

func TestWhatIsNoWebSocket(t *testing.T) {
	for name, c := range map[string]struct{ bytes, want string }{
		"another protocol":          {"47 45 54 20 2f", "in the middle"},
		"a length of 2^63":          {"82 7f 80 00 00 00 00 00 00 00", "63 bits"},
		"opcode 3":                  {"83 00", "opcode 3"},
		"opcode 11":                 {"8b 00", "opcode 11"},
		"RSV2":                      {"a1 00", "extension"},
		"a long ping":               {"89 7e 00 7e", "126 bytes"},
		"a ping in fragments":       {"09 00", "fragments"},
		"a continuation of nothing": {"80 00", "no message"},
		"a message inside another":  {"01 00 81 00", "new message"},
		"half a close code":         {"88 01 03", "half"},
	} {
		coding := Coding{Deflate: name == "another protocol"}
		got, err := tapped(coding, append(unhex(t, "81 01 61"), unhex(t, c.bytes)...), 3)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if len(got) == 0 || string(got[0].Data) != "a" {
			t.Errorf("%s: the message before it is not there: %+v", name, got)
		}
	}
}

// A length that is only announced takes no room, and what came of its message
// is given at the end.
func TestAnnouncedAndBrokenOff(t *testing.T) {
	got, err := tapped(Coding{}, append(unhex(t, "82 7f 7f ff ff ff ff ff ff ff"), strings.Repeat("x", 3*keep)...), 100)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if m := got[0]; m.Size != 3*keep || len(m.Data) != keep || cap(m.Data) > 4*keep || !strings.Contains(m.Problem, "broke off") {
		t.Errorf("%d bytes kept of %d, %q", len(m.Data), m.Size, m.Problem)
	}
}

func TestAgreed(t *testing.T) {
	for text, want := range map[string][2]Coding{
		"":                   {},
		"x-other; a=b":       {},
		"permessage-deflate": {{true, true}, {true, true}},
		"Permessage-Deflate; client_max_window_bits=\"15\"": {{true, true}, {true, true}},
		"permessage-deflate; client_no_context_takeover":    {{true, false}, {true, true}},
		"x, permessage-deflate;server_no_context_takeover ": {{true, true}, {true, false}},
	} {
		to, from := Agreed(http.Header{"Sec-Websocket-Extensions": {text}})
		if [2]Coding{to, from} != want {
			t.Errorf("%q: %v %v, want %v", text, to, from, want)
		}
	}
}

// What a message refers to in the ones before it is there however they part 32 KiB, and
// however many bytes were read at once.
func TestTakeover(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var buf bytes.Buffer
	w, err := flate.NewWriter(&buf, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 20<<10)
	for i := range said {
		said[i] = byte(r.Uint32())
	}
	var want []string
	var text []byte
	tell := func(m []byte) {
		want, said = append(want, string(m)), append(said, m...)
		text = append(text, frame(0xC2, deflated(t, w, &buf, string(m)))...)
	}
	tell(slices.Clone(said))
	for range 400 { // of what was said up to 32 KiB ago
		from := len(said) - r.IntN(min(len(said), window)-keep) - keep
		tell(slices.Clone(said[from : from+1+r.IntN(keep-1)]))
	}
	for _, n := range []int{1, 1000, len(text)} {
		list, err := tapped(Coding{true, true}, text, n)
		if err != nil || len(list) != len(want) {
			t.Fatalf("%d at once: %d messages, %v", n, len(list), err)
		}
		for i, m := range list {
			if whole := want[i]; m.Problem != "" || m.Size != int64(len(whole)) || string(m.Data) != whole[:min(keep, len(whole))] {
				t.Fatalf("%d at once: message %d has %d bytes, want %d, %s", n, i, m.Size, len(whole), m.Problem)
			}
		}
	}
}

// What cannot be decompressed is said to be so; the next message can be, unless
// it refers to what was lost.
func TestDamagedDeflate(t *testing.T) {
	text := append(frame(0xC1, "\x07 no deflate"), frame(0xC1, "\xf2\x48\xcd\xc9\xc9\x07\x00")...)
	text = append(text, frame(0x81, "plain")...)
	for _, takeover := range []bool{false, true} {
		got, err := tapped(Coding{true, takeover}, text, 5)
		if err != nil || len(got) != 3 || !strings.Contains(got[0].Problem, "cannot be decompressed") {
			t.Fatalf("%+v %v", got, err)
		}
		if lost := got[1].Problem != ""; lost != takeover || got[1].Wire != 7 || string(got[2].Data) != "plain" {
			t.Errorf("takeover %v: then %+v", takeover, got[1:])
		}
	}
}

// A bomb ends at maxInflated.
func TestBomb(t *testing.T) {
	var buf bytes.Buffer
	w, _ := flate.NewWriter(&buf, 9)
	zeros := make([]byte, 1<<20)
	for range maxInflated>>20 + 8 {
		w.Write(zeros)
	}
	w.Flush()
	got, err := tapped(Coding{true, false}, append(frame(0xC2, buf.String(), 1, 2, 3, 4), frame(0x81, "still here")...), 32<<10)
	if err != nil || len(got) != 2 || string(got[1].Data) != "still here" {
		t.Fatal(len(got), err)
	}
	if m := got[0]; !strings.Contains(m.Problem, "more than 32 MiB") || len(m.Data) != keep || m.Size > maxInflated+8<<10 || m.Wire != int64(buf.Len()) {
		t.Errorf("%d of %d bytes, %q", len(m.Data), m.Size, m.Problem)
	}
}

// Two bytes that end a stream of deflate take as long as a long one.
func TestManyStreams(t *testing.T) {
	got, err := tapped(Coding{true, true}, frame(0xC2, strings.Repeat("\x03\x00", 1<<20)), 32<<10)
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Problem, "last blocks") {
		t.Errorf("%+v, %v", got, err)
	}
}

// Any split of the bytes gives the same messages.
func FuzzSplit(f *testing.F) {
	var buf bytes.Buffer
	w, _ := flate.NewWriter(&buf, 6)
	whole := join(
		frame(0x81, "Hello", 1, 2, 3, 4), frame(0x02, strings.Repeat("b", 200)), frame(0x89, "p"), frame(0x80, "end"),
		frame(0xC1, deflated(f, w, &buf, strings.Repeat("abc", 700))), frame(0x41, deflated(f, w, &buf, "abcabcd"), 9, 8, 7, 6), frame(0x80, ""),
		frame(0x88, "\x03\xe8bye"),
	)
	f.Add(whole, uint64(1), true, true)
	f.Add(whole, uint64(2), true, false)
	f.Add(whole, uint64(3), false, false)
	f.Add([]byte("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffxyz"), uint64(4), false, false)
	f.Fuzz(func(t *testing.T, text []byte, seed uint64, deflate, takeover bool) {
		coding := Coding{deflate, takeover}
		before := bytes.Clone(text)
		want, wantErr := tapped(coding, text, len(text)+1)
		var got []Message
		tap := NewTap(coding, keep, func(m Message) { got = append(got, m) })
		r := rand.New(rand.NewPCG(seed, 0))
		for rest := text; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 1+r.IntN(300)))
			tap.Write(rest[:n])
			rest = rest[n:]
		}
		tap.Close()
		if !bytes.Equal(text, before) {
			t.Fatal("the bytes were changed")
		}
		if !same(got, want) || (tap.Err() == nil) != (wantErr == nil) {
			t.Fatalf("got  %+v %v\nwant %+v %v", got, tap.Err(), want, wantErr)
		}
		for _, m := range got {
			if len(m.Data) > keep && m.Op < Close || m.Problem == "" && m.Op != Close && int64(len(m.Data)) != min(m.Size, keep) {
				t.Fatalf("%d bytes kept of %d", len(m.Data), m.Size)
			}
		}
	})
}

// FuzzMessages: what an independent sender puts into frames comes out again.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("some text, some text"), uint64(1))
	f.Add(bytes.Repeat([]byte{0, 255}, 3000), uint64(2))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		takeover := r.IntN(2) == 0
		var buf bytes.Buffer
		w, _ := flate.NewWriter(&buf, r.IntN(10))
		var stream []byte
		var want []Message
		for range 1 + r.IntN(5) {
			part := text[:r.IntN(len(text)+1)]
			m := Message{Op: Op(1 + r.IntN(2)), Data: part[:min(len(part), keep)], Size: int64(len(part))}
			wire, b0 := string(part), byte(m.Op)
			if r.IntN(2) == 0 {
				if !takeover {
					w.Reset(&buf)
				}
				wire = deflated(t, w, &buf, string(part))
				m.Wire = int64(len(wire))
				b0 |= rsvDeflate
			}
			var mask []byte
			if r.IntN(2) == 0 {
				mask = []byte{byte(r.Uint32()), byte(r.Uint32()), 0, 7}
			}
			for wire != "" && r.IntN(3) > 0 {
				n := r.IntN(len(wire))
				stream = append(stream, frame(b0, wire[:n], mask...)...)
				stream = append(stream, frame(0x8A, "pong")...)
				want = append(want, Message{Op: Pong, Data: []byte("pong"), Size: 4, Fragments: 1})
				wire, b0 = wire[n:], 0
				m.Fragments++
			}
			stream = append(stream, frame(b0|0x80, wire, mask...)...)
			m.Fragments++
			want = append(want, m)
		}
		got, err := tapped(Coding{true, takeover}, stream, 1+r.IntN(500))
		if err != nil || !same(got, want) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
	})
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func BenchmarkTap(b *testing.B) {
	var buf bytes.Buffer
	w, _ := flate.NewWriter(&buf, 1)
	text := strings.Repeat(`{"event":"gift","user":"someone","amount":5}`, 25)
	for name, f := range map[string][]byte{
		"masked": frame(0x81, text, 1, 2, 3, 4), "plain": frame(0x81, text), "deflate": frame(0xC1, deflated(b, w, &buf, text)),
	} {
		b.Run(name, func(b *testing.B) {
			tap := NewTap(Coding{true, true}, 256<<10, func(Message) {})
			b.SetBytes(int64(len(f)))
			for b.Loop() {
				tap.Write(f)
			}
		})
	}
}
