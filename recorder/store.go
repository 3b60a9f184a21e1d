// Package recorder keeps every [Exchange] on disk.
//
// A [Store] is a directory with a journal that only grows, and the files of
// large bodies. What is given to it is made durable with one group commit for
// all who wait; what is read from it comes from the journal. Who looks at the
// exchanges is left to others: they follow the journal, each at its own pace.
//
// # Layout
//
//	.devhook/            0700
//	  .gitignore         keeps recordings out of the project's repository
//	  format             the version of the format
//	  reading            held by those who read, and by who prunes alone
//	  lock               held by the process that is just writing
//	  journal/N.jsonl    0600; N: all exchanges in it have a sequence number of at least N
//	  bodies/SHA256      0600; bodies over 256 KiB
//	  index/             derived from the journal, and made again if it is missing
//	  run/ID.json        what a process that serves the store says of itself; locked by it
//
// # Concurrency
//
// A Store is safe for concurrent use, and several processes may have one
// directory open and write to it at once.
//
// # Durability
//
// An append returns when its bytes, and those of its body's file, are synced.
// After a crash the journal can end in a line that was not written to its end,
// and that nobody was told of; the next writer cuts it off.
package recorder

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Dir is the usual name of a store's directory.
const Dir = ".devhook"

var (
	// ErrNotFound means that no recording has the name that was asked for.
	ErrNotFound = errors.New("no such recording")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrForeign means that a directory holds other things than recordings.
	ErrForeign = errors.New("it holds other files, and no recordings")
	// ErrLinked means that a store has a symbolic link in it, and is not written to.
	ErrLinked = errors.New("what it has is elsewhere, by a symbolic link")
	// ErrReadOnly means that the store was opened to be read only.
	ErrReadOnly = errors.New("store is open for reading only")
)

// Options are what [Open] can be told.
type Options struct {
	// ReadOnly opens a store to look at it: no recording is made, mended or
	// locked, and the directory may be one that cannot be written to. Of the
	// index, what is missing is kept where it can be.
	ReadOnly bool
	// Log is told what was mended and what is damaged. Nil: nobody is.
	Log *slog.Logger
	// Indexing is told, now and then while a reader waits for it, how many
	// bytes of how many were read to make a missing index; at last, that it was
	// all of them. Nil: nobody is.
	Indexing func(done, total int64)
	// MinFree is how many bytes of the disk are left free; below, new
	// exchanges are refused with [ErrNoRoom]. 0 is 500 MB, less than 0 none.
	MinFree int64

	segmentSize int64                                // tests want small ones; 0: maxSegment
	freeBytes   func(dir string) (n uint64, ok bool) // tests want full disks; nil: as the system says
}

// A Store is a directory of recordings. Make one with [Open].
type Store struct {
	dir      string
	readOnly bool
	log      *slog.Logger
	lock     *os.File

	segmentSize int64 // bytes at which a segment is full
	recent      recent
	runs        runs
	progressed  func(done, total int64) // may be nil
	room        room
	minFree     int64
	freeBytes   func(dir string) (uint64, bool) // for pruning: what the disk has for it

	queueMu sync.Mutex
	queue   []*entry // guarded by queueMu: waits to be written
	leading bool     // guarded by queueMu: somebody is writing
	// Those of the queue that nobody waits for.
	deferred, deferredBytes int // guarded by queueMu

	// The end of the journal as this process knows it. Only the leader
	// writes these, and only with the lock file held.
	lastSeq uint64
	scratch []byte // for the lines of one batch

	syncMu   sync.Mutex
	seg      segment       // guarded by syncMu; its end is where the journal ends
	writing  int64         // guarded by syncMu: where seg will end after the write that is under way; 0: there is none
	written  uint64        // guarded by syncMu: bytes that this process wrote
	synced   uint64        // guarded by syncMu: bytes of those that are durable
	durable  position      // guarded by syncMu: how far the journal is known to be durable
	failed   error         // guarded by syncMu: the first sync that failed
	advanced chan struct{} // guarded by syncMu: closed and renewed when synced or failed changes

	syncing               sync.Mutex    // held by who syncs
	wakeSync              chan struct{} // one waits: something is to be synced at once
	resultSync, frameSync laterSync     // for what can wait
	calm                  calm
	stopSync              context.CancelFunc
	syncDone              chan struct{}
	closed                chan struct{} // closed by Close
}

// syncLag is how long the result of an exchange may wait for a sync that an
// arriving exchange asks for, before it gets one of its own.
const syncLag = 15 * time.Millisecond

// Open opens the store in dir, and makes it if it is not there; its parent
// must exist. An end of the journal that a crash left half written is cut off,
// and told to Options.Log. The error wraps [ErrNewer] if a newer devhook wrote
// the store, [ErrForeign] if the directory is used for something else, [ErrLinked] if
// it leads out of itself, and [fs.ErrNotExist] if it is not there and may not be made.
//
// The caller closes the store.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{
		dir: dir, readOnly: o.ReadOnly, log: o.Log, progressed: o.Indexing, minFree: cmp.Or(o.MinFree, minFree), segmentSize: cmp.Or(o.segmentSize, maxSegment),
		advanced: make(chan struct{}), wakeSync: make(chan struct{}, 1),
		syncDone: make(chan struct{}), closed: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.freeBytes = o.freeBytes; s.freeBytes == nil {
		s.freeBytes = freeBytes
	}
	if err := s.open(); err != nil {
		s.closeFiles()
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) open() error {
	if s.readOnly {
		if _, err := os.Stat(s.dir); err != nil {
			return err
		}
		close(s.syncDone)
		return s.checkFormat()
	}
	if err := s.checkFormat(); err != nil { // before anything is made in it
		return err
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	var err error
	if s.lock, err = os.OpenFile(s.path("lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := lockFile(s.lock); err != nil {
		return err
	}
	defer unlockFile(s.lock)
	if err := s.openJournal(); err != nil {
		return err
	}
	s.removeStaleSpools()

	ctx, stop := context.WithCancel(context.Background())
	s.stopSync = stop
	s.resultSync.init(s, syncLag)
	s.frameSync.init(s, frameLag)
	s.calm.init(s)
	go s.syncLoop(ctx)
	return nil
}

func (s *Store) path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}

// Path returns the directory of the store.
func (s *Store) Path() string { return s.dir }

// makeDir makes what is missing of the directory.
func (s *Store) makeDir() error {
	if err := s.checkOurs(); err != nil {
		return err
	}
	for _, dir := range []string{s.dir, s.path("journal"), s.path("bodies")} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := os.Chmod(s.dir, 0o700); err != nil { // it can be older than this store, and wide open
		return err
	}
	for name, content := range map[string]string{
		".gitignore": "# Recordings hold what webhooks carry: personal data, tokens.\n*\n",
		"format":     strconv.Itoa(formatVersion) + "\n",
		"reading":    "",
	} {
		if err := createOnce(s.path(name), content); err != nil {
			return err
		}
	}
	return syncDir(s.dir)
}

// checkOurs refuses a directory that was not made for recordings: what makeDir
// does to it would hide it from others, and from git.
func (s *Store) checkOurs() error {
	names, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(names) == 0 {
		return nil
	}
	for _, n := range names {
		if n.Name() == "journal" || n.Name() == "format" {
			return s.checkLinks(names)
		}
	}
	return cmp.Or(err, ErrForeign)
}

// createOnce makes the file if it is not there, whole or not at all.
func createOnce(path, content string) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), spoolPrefix+"*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func (s *Store) checkFormat() error {
	text, err := os.ReadFile(s.path("format"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // made by hand, or a copy of the journal alone
	}
	if err != nil {
		return err
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s: not a version: %q", s.path("format"), text)
	}
	if v > formatVersion {
		return fmt.Errorf("format %d: %w", v, ErrNewer)
	}
	return nil
}

// Close waits until what was written is durable and frees what the store
// holds. Calls that are waiting return [ErrClosed]. It must not be called
// twice.
func (s *Store) Close() error {
	s.writeDeferred()
	close(s.closed)
	if s.stopSync != nil {
		s.resultSync.timer.Stop()
		s.frameSync.timer.Stop()
		s.calm.end()
		s.stopSync()
	}
	<-s.syncDone
	err := s.failure()
	s.closeFiles()
	return err
}

func (s *Store) closeFiles() {
	if s.seg.f != nil {
		s.seg.f.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// NewID returns an ID for an exchange that arrived at the given time, which is one from
// 1970 to 10889; it panics with another.
func NewID(at time.Time) ID {
	return ID(ulid.MustNew(ulid.Timestamp(at), rand.Reader).String())
}

// Append records ex and returns when it is durable. It gives ex its sequence
// number and, where they are missing, its ID and time. See [Store.Write].
func (s *Store) Append(ctx context.Context, ex *Exchange) error {
	c, err := s.put(ex)
	if err != nil {
		return err
	}
	return c.Wait(ctx)
}

// Write records ex and returns when its bytes are written; they are durable
// when Wait of the [Commit] says so. It gives ex its sequence number and,
// where they are missing, its ID and time. What ex refers to, headers and body
// among it, must not be changed afterwards.
//
// An error means that nothing of ex is in the journal. After a sync that
// failed the store takes nothing more until it is opened again.
func (s *Store) Write(ex *Exchange) (Commit, error) {
	c, err := s.put(ex)
	if err == nil {
		s.syncSoon()
	}
	return c, err
}

// WriteLater is [Store.Write] for who writes many, or waits soon: a sync comes [syncLag]
// after the result of one at the latest, or when Wait or Soon of a commit wants it.
func (s *Store) WriteLater(ex *Exchange) (Commit, error) { return s.put(ex) }

// put is Write without asking for a sync.
func (s *Store) put(ex *Exchange) (Commit, error) {
	e, err := s.exchangeEntry(ex)
	if err != nil {
		return Commit{}, err
	}
	defer e.free()
	pos, err := s.submit(e)
	if err != nil {
		return Commit{}, fmt.Errorf("record %s: %w", ex.ID, err)
	}
	return Commit{s, pos}, nil
}

// exchangeEntry returns the line of ex, which gets its ID and time where they are missing.
func (s *Store) exchangeEntry(ex *Exchange) (*entry, error) {
	if ex.At.IsZero() {
		ex.At = time.Now().UTC()
	}
	if ex.ID == "" {
		ex.ID = NewID(ex.At)
	} else if _, err := ulid.ParseStrict(string(ex.ID)); err != nil {
		return nil, fmt.Errorf("record %q: the id is not a ULID", ex.ID)
	}
	if err := s.Room(); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	ex.Pinned = false
	e := newEntry()
	e.ex = ex
	e.enc.raw(exchangePre)
	e.enc.head(ex)
	e.split = len(e.enc.buf)
	e.enc.tail(ex)
	return e, nil
}

// Finish records how the exchange called id ended. It returns when that is
// written; it is durable with the next group commit, [syncLag] later at the
// latest. ctx is not waited for, because nothing here blocks for long.
func (s *Store) Finish(_ context.Context, id ID, res Result) error {
	e := resultEntry(id, res)
	defer e.free()
	if _, err := s.submit(e); err != nil {
		return fmt.Errorf("record the end of %s: %w", id, err)
	}
	s.resultSync.ask()
	return nil
}

// resultEntry returns the line that ends the exchange called id.
func resultEntry(id ID, res Result) *entry {
	e := newEntry()
	e.id, e.res = id, res
	e.enc.raw(resultPre)
	e.enc.raw(string(id))
	e.enc.raw(`"`)
	e.enc.result(res)
	e.split = len(e.enc.buf)
	return e
}
