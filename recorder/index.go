package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The index is derived from the journal: it can be removed at any time, and is
// made again by who reads next. It is files of columns, each about a run of
// lines of one segment: index/SEGMENT-OFFSET.idx. A run is the whole of a
// segment that is full; of the last one, what was there when somebody looked.
// What is behind the last run is read from the journal itself, as it is little.
//
// A file is a head and columns, numbers in little endian:
//
//	"devhook index 2\n"
//	u64 where the run ends in the segment
//	the last 20 bytes of the run, by which a segment that was replaced is known
//	u32 rows
//	26+26 the lowest and the highest id
//	i64+i64 the lowest and the highest of colAt, of colSize, and of colTook and colAppTook
//	for each column: u32 offset, u32 length, u32 CRC32C
//	u32 CRC32C of all before
//
// It is read with pread, a column at a time, and nothing of it is kept.
const (
	indexMagic = "devhook index 2\n"
	indexExt   = ".idx"
	indexHead  = len(indexMagic) + 8 + sealLen + 4 + 2*idLen + len(run{}.bounds)*16 + columns*12 + 4
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
	bounds   [3]Range           // see boundOf
	table    [columns][3]uint32 // offset, length, sum
	loose    []byte

	path  string
	image []byte // the whole of it, where it is in no file
	tried bool   // to keep it in one
}

// parseHead reads the head of a run that has size bytes in all. Its sums say that it was
// not damaged, and not that this package made it: it can have come with a project of
// somebody else. So no number in it is relied upon before it is held against size.
func (u *run) parseHead(b []byte, size int64) error {
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
	for i := range u.bounds {
		u.bounds[i] = Range{int64(number64(b, uint32(2*i))), int64(number64(b, uint32(2*i+1)))}
	}
	b = b[16*len(u.bounds):]
	for i := range u.table {
		for j := range 3 {
			u.table[i][j] = binary.LittleEndian.Uint32(b[(i*3+j)*4:])
		}
		n := int64(u.table[i][1])
		if int64(u.table[i][0])+n > size {
			return errBadIndex
		}
		if w := widths[i]; w > 0 && n != int64(w)*int64(u.rows) && (i != colAppTook || n != 0) {
			return errBadIndex
		}
	}
	return nil
}

// boundOf are the bounds that settle conditions on a key for a whole run, and what
// makes a number of them one of the key's ranges.
var boundOf = map[string]struct {
	i  int
	of func(int64) int64
}{
	"since": {0, microOf}, "until": {0, microOf}, "size": {1, same}, "took": {2, same},
}

func same(n int64) int64 { return n }

// none reports whether no row of u can have a number in one of the ranges of t.
func (u *run) none(t *Term) bool {
	b, ok := boundOf[t.Key]
	if !ok {
		return false
	}
	lo, hi := b.of(u.bounds[b.i].Lo), b.of(u.bounds[b.i].Hi)
	return !slices.ContainsFunc(t.Ranges, func(r Range) bool { return r.Lo <= hi && lo <= r.Hi })
}

// openRun reads what the index file at path has, but for its columns.
func openRun(path string, at position) (*run, error) {
	f, err := openShared(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, indexHead)
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, errBadIndex
	}
	u := &run{at: at, path: path}
	if err := u.parseHead(head, info.Size()); err != nil {
		return nil, err
	}
	if u.loose, err = u.read(f, colLoose); err != nil {
		return nil, err
	}
	for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
		if !u.has(spanAt(at.first, b[1+idLen:])) {
			return nil, errBadIndex
		}
	}
	return u, nil
}

// has reports whether a line can stand at sp: whether u reaches so far.
func (u *run) has(sp span) bool { return sp.at.offset+int64(sp.n) <= u.end }

// open gives access to the columns of a run; the caller calls done.
func (u *run) open() (*columnReader, error) {
	if u.image != nil {
		return &columnReader{u: u, src: bytes.NewReader(u.image), done: func() error { return nil }}, nil
	}
	f, err := openShared(u.path, os.O_RDONLY)
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

// cell returns what row has in a column whose rows have one width. If the whole column
// was not read before, it reads no more than that, and does not see whether it is damaged.
func (c *columnReader) cell(i, row int) ([]byte, error) {
	w := widths[i]
	if c.have[i] != nil {
		return c.have[i][row*w:][:w], nil
	}
	b := make([]byte, w)
	if _, err := c.src.ReadAt(b, int64(c.u.table[i][0])+int64(row*w)); err != nil {
		return nil, errBadIndex
	}
	return b, nil
}

// damaged reports whether a column that leads to lines is not what was written.
func (u *run) damaged() bool {
	c, err := u.open()
	if err != nil {
		return true
	}
	defer c.done()
	for _, i := range [...]int{colID, colX, colR} {
		if _, err := c.column(i); err != nil {
			return true
		}
	}
	return false
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
	f, err := createTemp(s.path("index"))
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
