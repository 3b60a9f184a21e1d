package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The index is derived from the journal: it can be removed at any time, and is
// made again by who reads next. It is files of columns, each about a run of
// lines of one segment: index/SEGMENT-OFFSET.idx. A run is the whole of a
// segment that is full; of the last one, what was there when somebody looked.
// What is behind the last run is read from the journal itself, as it is little.
//
// A file is a head and columns, numbers in little endian:
//
//	"devhook index 1\n"
//	u64 where the run ends in the segment
//	the last 20 bytes of the run, by which a segment that was replaced is known
//	u32 rows
//	26+26 the lowest and the highest id
//	for each column: u32 offset, u32 length, u32 CRC32C
//	u32 CRC32C of all before
//
// It is read with pread, a column at a time, and nothing of it is kept.
const (
	indexMagic = "devhook index 1\n"
	indexExt   = ".idx"
	indexHead  = len(indexMagic) + 8 + sealLen + 4 + 2*idLen + columns*12 + 4
	sealLen    = 20

	// minRun is how many bytes of the last segment make a run that is worth a
	// file. Less is read anew each time: 2 MiB in about 2 ms.
	minRun = 2 << 20
)

// The columns after those with a dictionary.
const (
	colSeq     = dictColumns + iota // u32, from the segment's number on
	colID                           // 26 bytes
	colAt                           // i64, Unix ns
	colX                            // u32 offset in the segment, u32 length
	colR                            // the same of its result; 0, 0: it is not in this run
	colBody                         // u32 offset in the line, u32 length of the request's body, without its quotes
	colAnswer                       // the same of the response's, in the line that it is in
	colFlags                        // u8
	colSize                         // i64
	colTook                         // i64, of the response
	colAppTook                      // i64; empty if no row has an app's answer
	colLoose                        // see looseLen
	colOpen                         // rows with flagOpen: u32 row, 26 id
	columns
)

var widths = [columns]int{colSeq: 4, colID: idLen, colAt: 8, colX: 8, colR: 8, colBody: 8, colAnswer: 8, colFlags: 1, colSize: 8, colTook: 8, colAppTook: 8}

const (
	flagOpen     = 1 << iota // it was pending, and its result is not in this run
	flagAnswered             // has a response
	flagApp                  // has an app's answer
	flagResult               // colAnswer is of the result's line
	flagBase64               // the request's body stands as base64
	flagFile                 // the request's body is in a file
	flagLetters              // JSON in the request's body can have any letter escaped
	flagOther                // the response's body is base64 or in a file
)

// A loose line is a result, an end or a pin whose exchange is in another run,
// or a damaged line: u8 kind, 26 id, u32 offset, u32 length, and of a result
// what columns have of others: u8 flags, u16 status, u16 the app's, i64 took,
// i64 the app's, and 12 bytes outcome. Ends and pins always are loose.
const looseLen = 1 + idLen + 8 + looseResult

const looseResult = 1 + 2*2 + 2*8 + outcomeLen

const outcomeLen = 12

var errBadIndex = errors.New("damaged index")

// A run is a part of a segment and what the index has of it.
type run struct {
	at       position
	end      int64
	seal     [sealLen]byte
	rows     int
	min, max ID
	table    [columns][3]uint32 // offset, length, sum
	loose    []byte

	path  string
	image []byte // the whole of it, where it is in no file
	tried bool   // to keep it in one
}

// parseHead reads the head of a run.
func (u *run) parseHead(b []byte) error {
	if len(b) < indexHead || string(b[:len(indexMagic)]) != indexMagic ||
		crc32.Checksum(b[:indexHead-4], castagnoli) != binary.LittleEndian.Uint32(b[indexHead-4:]) {
		return errBadIndex
	}
	b = b[len(indexMagic):]
	u.end = int64(binary.LittleEndian.Uint64(b))
	copy(u.seal[:], b[8:])
	b = b[8+sealLen:]
	u.rows = int(binary.LittleEndian.Uint32(b))
	u.min, u.max = ID(b[4:4+idLen]), ID(b[4+idLen:4+2*idLen])
	b = b[4+2*idLen:]
	for i := range u.table {
		for j := range 3 {
			u.table[i][j] = binary.LittleEndian.Uint32(b[(i*3+j)*4:])
		}
		if w := widths[i]; w > 0 && u.table[i][1] != uint32(w*u.rows) && (i != colAppTook || u.table[i][1] != 0) {
			return errBadIndex
		}
	}
	return nil
}

// openRun reads what the index file at path has, but for its columns.
func openRun(path string, at position) (*run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, indexHead)
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, errBadIndex
	}
	u := &run{at: at, path: path}
	if err := u.parseHead(head); err != nil {
		return nil, err
	}
	u.loose, err = u.read(f, colLoose)
	return u, err
}

// open gives access to the columns of a run; the caller calls done.
func (u *run) open() (*columnReader, error) {
	if u.image != nil {
		return &columnReader{u: u, src: bytes.NewReader(u.image), done: func() error { return nil }}, nil
	}
	f, err := os.Open(u.path)
	if err != nil {
		return nil, err
	}
	return &columnReader{u: u, src: f, done: f.Close}, nil
}

type columnReader struct {
	u    *run
	src  io.ReaderAt
	have [columns][]byte
	done func() error
}

func (c *columnReader) column(i int) ([]byte, error) {
	if c.have[i] == nil {
		var err error
		if c.have[i], err = c.u.read(c.src, i); err != nil {
			return nil, err
		}
	}
	return c.have[i], nil
}

func (u *run) read(src io.ReaderAt, i int) ([]byte, error) {
	b := make([]byte, u.table[i][1])
	if len(b) == 0 {
		return b, nil
	}
	if _, err := src.ReadAt(b, int64(u.table[i][0])); err != nil || crc32.Checksum(b, castagnoli) != u.table[i][2] {
		return nil, errBadIndex
	}
	return b, nil
}

// dictionary returns the values of a column, and the rows' codes of them.
func (c *columnReader) dictionary(i int) (values []string, code func(row uint32) int, err error) {
	b, err := c.column(i)
	if err != nil || len(b) < 5 {
		return nil, nil, errBadIndex
	}
	width, n := int(b[0]), int(binary.LittleEndian.Uint32(b[1:]))
	b = b[5:]
	for range n {
		if len(b) < 4 {
			return nil, nil, errBadIndex
		}
		size := int(binary.LittleEndian.Uint32(b))
		if len(b) < 4+size {
			return nil, nil, errBadIndex
		}
		values = append(values, string(b[4:4+size]))
		b = b[4+size:]
	}
	if len(b) != width*c.u.rows {
		return nil, nil, errBadIndex
	}
	switch width {
	case 1:
		return values, func(row uint32) int { return int(b[row]) }, nil
	case 2:
		return values, func(row uint32) int { return int(binary.LittleEndian.Uint16(b[row*2:])) }, nil
	}
	return values, func(row uint32) int { return int(binary.LittleEndian.Uint32(b[row*4:])) }, nil
}

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

type dictionary struct {
	codes  map[string]uint32
	values []string
	of     []uint32
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
		if bytes.Contains(l.raw, []byte(`"pinned":true`)) {
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

func (d *dictionary) add(v []byte, isURL bool) { d.of = append(d.of, d.code(v, isURL)) }

// code returns the code of a value as it stands in a line.
func (d *dictionary) code(v []byte, isURL bool) uint32 {
	key := v
	if isURL { // no escape has one of these characters in it
		if _, rest, ok := bytes.Cut(v, []byte("://")); ok {
			if j := bytes.IndexAny(rest, "/?"); j >= 0 && rest[j] == '/' {
				key, _, _ = bytes.Cut(rest[j:], []byte("?"))
			}
		}
	}
	if c, ok := d.codes[string(key)]; ok {
		return c
	}
	c := uint32(len(d.values))
	value := wordOf(v)
	if isURL {
		value = pathOf(value)
	}
	d.codes[string(key)] = c
	d.values = append(d.values, value)
	return c
}

func (d *dictionary) encode() []byte {
	width := 4
	switch {
	case len(d.values) <= 1<<8:
		width = 1
	case len(d.values) <= 1<<16:
		width = 2
	}
	b := binary.LittleEndian.AppendUint32([]byte{byte(width)}, uint32(len(d.values)))
	for _, v := range d.values {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	}
	for _, c := range d.of {
		for i := range width {
			b = append(b, byte(c>>(8*i)))
		}
	}
	return b
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
	if err := u.parseHead(b); err != nil {
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

func (s *Store) indexPath(at position) string {
	return s.path("index", fmt.Sprintf("%012d-%d%s", at.first, at.offset, indexExt))
}

// indexed returns the offsets of the runs that have files, by segment.
func (s *Store) indexed() map[uint64][]int64 {
	names, err := os.ReadDir(s.path("index"))
	if err != nil {
		return nil
	}
	all := map[uint64][]int64{}
	for _, n := range names {
		name, ok := strings.CutSuffix(n.Name(), indexExt)
		first, offset, ok2 := strings.Cut(name, "-")
		seq, err := strconv.ParseUint(first, 10, 64)
		at, err2 := strconv.ParseInt(offset, 10, 64)
		if ok && ok2 && err == nil && err2 == nil {
			all[seq] = append(all[seq], at)
		}
	}
	for _, list := range all {
		slices.Sort(list)
	}
	return all
}

// keepRun writes a run's file, if it can. Who cannot goes on without.
func (s *Store) keepRun(u *run) {
	u.tried = true
	if err := os.Mkdir(s.path("index"), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return
	}
	f, err := os.CreateTemp(s.path("index"), spoolPrefix+"*")
	if err != nil {
		return
	}
	_, err = f.Write(u.image)
	path := s.indexPath(u.at)
	if err = errors.Join(err, f.Close()); err == nil { // not synced: what is half there is found out by its sums
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		s.log.Debug("cannot keep the index", "file", path, "error", err)
		return
	}
	u.path, u.image = path, nil
}
