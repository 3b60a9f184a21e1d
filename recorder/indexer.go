package recorder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// An indexer makes a run of lines.
type indexer struct {
	at    position
	rows  int
	cols  [columns][]byte
	dicts [dictColumns]dictionary
	open  map[ID]int
	apps  bool
	seal  []byte
	buf   []byte
}

func newIndexer(at position) *indexer {
	x := &indexer{at: at, open: map[ID]int{}}
	for i := range x.dicts {
		x.dicts[i].codes = map[string]uint32{}
	}
	return x
}

// add takes in the line at offset, damaged if err is not nil.
func (x *indexer) add(l line, offset int64, err error) error {
	if offset+int64(len(l.raw)) > math.MaxUint32 {
		return fmt.Errorf("segment %d: over 4 GiB", x.at.first)
	}
	switch {
	case err != nil:
		x.addLoose('!', "", offset, len(l.raw))
	case l.kind == 'x':
		return x.addExchange(l, offset)
	case l.kind == 'r':
		var r row
		if !r.readResult(l) {
			if err := r.decodeResult(l); err != nil {
				x.addLoose('!', "", offset, len(l.raw))
				return nil
			}
		}
		i, ok := x.open[l.id]
		if !ok {
			x.addLoose('r', l.id, offset, len(l.raw))
			r.putResult(x.cols[colLoose][len(x.cols[colLoose])-looseResult:])
			return nil
		}
		delete(x.open, l.id)
		x.cols[colFlags][i] |= flagResult
		x.finish(i, &r, l, span{position{offset: offset}, len(l.raw)})
	case l.kind == 'e':
		x.addLoose('e', l.id, offset, len(l.raw))
	case l.kind == 'p':
		kind := byte('u')
		if l.pins() {
			kind = 'p'
		}
		x.addLoose(kind, l.id, offset, len(l.raw))
	}
	return nil
}

func (x *indexer) addLoose(kind byte, id ID, offset int64, n int) {
	b := append(x.cols[colLoose], kind)
	b = append(b, (string(id) + strings.Repeat(" ", idLen))[:idLen]...)
	x.cols[colLoose] = append(appendSpan(b, offset, n), make([]byte, looseResult)...)
}

// putResult writes what a loose line has of a result.
func (r *row) putResult(b []byte) {
	if r.response.has {
		b[0] |= flagAnswered
	}
	if r.app.has {
		b[0] |= flagApp
	}
	le := binary.LittleEndian
	le.PutUint16(b[1:], uint16(r.response.status))
	le.PutUint16(b[3:], uint16(r.app.status))
	le.PutUint64(b[5:], uint64(r.response.took))
	le.PutUint64(b[13:], uint64(r.app.took))
	copy(b[21:], wordOf(r.words[colOutcome]))
}

// looseEnd returns an exchange of which only the end is known.
func looseEnd(b []byte) *Exchange {
	ex := &Exchange{Outcome: Outcome(bytes.TrimRight(b[21:21+outcomeLen], "\x00"))}
	le := binary.LittleEndian
	if b[0]&flagAnswered != 0 {
		ex.Response = &Response{Status: int(le.Uint16(b[1:])), Took: time.Duration(le.Uint64(b[5:]))}
	}
	if b[0]&flagApp != 0 {
		ex.App = &Response{Status: int(le.Uint16(b[3:])), Took: time.Duration(le.Uint64(b[13:]))}
	}
	return ex
}

func appendSpan(b []byte, offset int64, n int) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(offset)), uint32(n))
}

func (x *indexer) addExchange(l line, offset int64) error {
	var r row
	if !r.readExchange(l) {
		if err := r.decodeExchange(l); err != nil {
			x.addLoose('!', "", offset, len(l.raw))
			return nil
		}
	}
	if r.seq-x.at.first > math.MaxUint32 {
		return fmt.Errorf("segment %d: it has the number %d", x.at.first, r.seq)
	}
	flags := byte(0)
	if o := wordOf(r.words[colOutcome]); o == string(Pending) || o == "" {
		flags = flagOpen
		x.open[r.id] = x.rows
	}
	c := &x.cols
	c[colSeq] = binary.LittleEndian.AppendUint32(c[colSeq], uint32(r.seq-x.at.first))
	c[colID] = append(c[colID], r.id...)
	c[colAt] = binary.LittleEndian.AppendUint64(c[colAt], uint64(r.at))
	c[colX] = appendSpan(c[colX], offset, len(l.raw))
	c[colR] = appendSpan(c[colR], 0, 0)
	bodyAt, flags := bodyIn(l.raw, r.body, flags)
	c[colBody] = append(c[colBody], bodyAt...)
	c[colAnswer] = appendSpan(c[colAnswer], 0, 0)
	c[colFlags] = append(c[colFlags], flags)
	c[colSize] = binary.LittleEndian.AppendUint64(c[colSize], uint64(r.size))
	c[colTook] = append(c[colTook], make([]byte, 8)...)
	c[colAppTook] = append(c[colAppTook], make([]byte, 8)...)
	for i := range x.dicts {
		x.dicts[i].add(r.words[i], i == colPath)
	}
	i := x.rows
	x.rows++
	x.setAnswers(i, &r, l)
	return nil
}

// bodyIn returns where a body stands in its line, and what kind it is of.
func bodyIn(raw, body []byte, flags byte) ([]byte, byte) {
	switch {
	case len(body) == 0:
		return appendSpan(nil, 0, 0), flags
	case body[0] == '"':
		if bytes.Contains(body, anyLetter) {
			flags |= flagLetters
		}
		body = body[1 : len(body)-1]
	case bytes.HasPrefix(body, base64Pre):
		flags |= flagBase64
		body = body[len(base64Pre) : len(body)-2]
	default:
		flags |= flagFile
	}
	at := cap(raw) - cap(body)
	if at < 0 || at+len(body) > len(raw) || len(body) > 0 && &raw[at] != &body[0] { // it was decoded: from a line that others have written
		return appendSpan(nil, 0, 0), flags | flagFile
	}
	return appendSpan(nil, int64(at), len(body)), flags
}

var base64Pre = []byte(`{"base64":"`)

func (x *indexer) finish(i int, r *row, l line, sp span) {
	binary.LittleEndian.PutUint32(x.cols[colR][i*8:], uint32(sp.at.offset))
	binary.LittleEndian.PutUint32(x.cols[colR][i*8+4:], uint32(sp.n))
	x.cols[colFlags][i] &^= flagOpen
	x.dicts[colOutcome].of[i] = x.dicts[colOutcome].code(r.words[colOutcome], false)
	x.setAnswers(i, r, l)
}

func (x *indexer) setAnswers(i int, r *row, l line) {
	x.buf = r.status(x.buf[:0])
	x.dicts[colStatus].of[i] = x.dicts[colStatus].code(x.buf, false)
	if r.response.has {
		x.cols[colFlags][i] |= flagAnswered
		binary.LittleEndian.PutUint64(x.cols[colTook][i*8:], uint64(r.response.took))
		at, flags := bodyIn(l.raw, r.response.body, 0)
		copy(x.cols[colAnswer][i*8:], at)
		if flags&(flagBase64|flagFile) != 0 {
			x.cols[colFlags][i] |= flagOther
		}
	}
	if r.app.has {
		x.apps = true
		x.cols[colFlags][i] |= flagApp
		binary.LittleEndian.PutUint64(x.cols[colAppTook][i*8:], uint64(r.app.took))
	}
}

// run returns what was added as a run that ends at end.
func (x *indexer) run(end int64) *run {
	for i := range x.dicts {
		x.cols[i] = x.dicts[i].encode()
	}
	if !x.apps {
		x.cols[colAppTook] = nil
	}
	low, high := strings.Repeat(" ", idLen), strings.Repeat(" ", idLen)
	for i := range x.rows {
		id := string(x.cols[colID][i*idLen : (i+1)*idLen])
		if i == 0 || id < low {
			low = id
		}
		high = max(high, id)
	}
	b := append(make([]byte, 0, indexHead), indexMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(end))
	seal := make([]byte, sealLen)
	copy(seal, x.seal)
	b = append(b, seal...)
	b = binary.LittleEndian.AppendUint32(b, uint32(x.rows))
	b = append(append(b, low...), high...)
	for _, cols := range [][]int{{colAt}, {colSize}, {colTook, colAppTook}} {
		r := Range{math.MaxInt64, math.MinInt64} // none, if there are no rows
		for _, c := range cols {
			for i := range len(x.cols[c]) / 8 {
				n := int64(number64(x.cols[c], uint32(i)))
				r = Range{min(r.Lo, n), max(r.Hi, n)}
			}
		}
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, uint64(r.Lo)), uint64(r.Hi))
	}
	for _, i := range slices.Sorted(maps.Values(x.open)) {
		x.cols[colOpen] = append(binary.LittleEndian.AppendUint32(x.cols[colOpen], uint32(i)), x.cols[colID][i*idLen:(i+1)*idLen]...)
	}
	offset := indexHead
	for _, c := range x.cols {
		b = binary.LittleEndian.AppendUint32(b, uint32(offset))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(c)))
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(c, castagnoli))
		offset += len(c)
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	for _, c := range x.cols {
		b = append(b, c...)
	}
	u := &run{at: x.at, image: b, loose: x.cols[colLoose]}
	if err := u.parseHead(b, int64(len(b))); err != nil {
		panic(err) // it was just made
	}
	return u
}

// makeRun reads the lines of a segment from an offset to end.
func (s *Store) makeRun(f io.ReaderAt, at position, end int64, told func(int64)) (*run, error) {
	x := newIndexer(at)
	r := newLineReader(f, at.offset, end)
	for last := at.offset; ; {
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		x.seal = append(x.seal[:0], raw[max(0, len(raw)-sealLen):]...)
		l, bad := parseLine(raw)
		if err := x.add(l, r.start, bad); err != nil {
			return nil, err
		}
		if told != nil && r.offset-last > 1<<20 {
			told(r.offset - last)
			last = r.offset
		}
	}
	return x.run(r.offset), nil
}

func (r *row) decodeExchange(l line) error {
	ex, err := l.exchange()
	if err != nil {
		return err
	}
	*r = row{seq: l.seq, id: l.id, at: ex.At.UnixNano(), size: ex.Request.Size, body: []byte("{}")} // which has to be decoded
	for i, v := range []string{
		colProvider: ex.Provider, colEvent: ex.Event, colVerdict: string(ex.Verdict.Status), colReason: string(ex.Verdict.Reason),
		colOutcome: string(ex.Outcome), colOrigin: string(ex.Origin), colMethod: ex.Request.Method, colPath: ex.Request.URL, colRoute: ex.Route,
	} {
		r.words[i] = appendText(nil, v)
	}
	r.decodeEnd(ex.result())
	return nil
}

func (r *row) decodeResult(l line) error {
	ex := new(Exchange)
	if err := l.complete(ex); err != nil {
		return err
	}
	*r = row{}
	r.decodeEnd(ex.result())
	return nil
}

func (r *row) decodeEnd(res Result) {
	r.words[colOutcome] = appendText(nil, string(res.Outcome))
	for a, from := range map[*answer]*Response{&r.response: res.Response, &r.app: res.App} {
		if from != nil {
			*a = answer{true, from.Status, int64(from.Took), []byte("{}")} // a body that has to be decoded
		}
	}
}
