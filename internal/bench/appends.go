package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"devhook/recorder"

	_ "modernc.org/sqlite"
)

// A keeper makes exchanges durable, one call at a time or many at once.
type keeper struct {
	name string
	open func(dir string) (put func(*recorder.Exchange) error, closeAll func() error, err error)
}

var keepers = []keeper{
	{"bare fdatasync, one after another", openBare},
	{"journal", openJournal},
	{"SQLite, WAL, FULL", func(dir string) (func(*recorder.Exchange) error, func() error, error) { return openSQLite(dir, false) }},
	{"SQLite, WAL, FULL, FTS5", func(dir string) (func(*recorder.Exchange) error, func() error, error) { return openSQLite(dir, true) }},
}

func openBare(dir string) (func(*recorder.Exchange) error, func() error, error) {
	f, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	return func(ex *recorder.Exchange) error {
		line, err := ex.MarshalJSON()
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := f.Write(line); err != nil {
			return err
		}
		return dataSync(f)
	}, f.Close, nil
}

func openJournal(dir string) (func(*recorder.Exchange) error, func() error, error) {
	s, err := recorder.Open(filepath.Join(dir, "store"), recorder.Options{})
	if err != nil {
		return nil, nil, err
	}
	return func(ex *recorder.Exchange) error { return s.Append(context.Background(), ex) }, s.Close, nil
}

// openSQLite keeps exchanges in a table, and commits for all who wait at once,
// as the journal does.
func openSQLite(dir string, text bool) (func(*recorder.Exchange) error, func() error, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	ddl := `CREATE TABLE x(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, at INTEGER, provider TEXT, event TEXT, status INTEGER, headers TEXT, body BLOB);
		CREATE INDEX xp ON x(provider, event);`
	if text {
		ddl += `CREATE VIRTUAL TABLE t USING fts5(body, content='');`
	}
	if _, err := db.Exec(ddl); err != nil {
		return nil, nil, err
	}
	type job struct {
		ex   *recorder.Exchange
		done chan error
	}
	jobs := make(chan job, 256)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for first := range jobs {
			batch := []job{first}
			for more := true; more && len(batch) < 256; {
				select {
				case j, ok := <-jobs:
					if more = ok; ok {
						batch = append(batch, j)
					}
				default:
					more = false
				}
			}
			err := func() error {
				tx, err := db.Begin()
				if err != nil {
					return err
				}
				defer tx.Rollback()
				for _, j := range batch {
					h, err := json.Marshal(j.ex.Request.Headers)
					if err != nil {
						return err
					}
					r, err := tx.Exec(`INSERT INTO x(id, at, provider, event, status, headers, body) VALUES(?,?,?,?,?,?,?)`,
						string(recorder.NewID(j.ex.At)), j.ex.At.UnixNano(), j.ex.Provider, j.ex.Event, 0, string(h), j.ex.Request.Body.Bytes)
					if err != nil {
						return err
					}
					if text {
						seq, err := r.LastInsertId()
						if err != nil {
							return err
						}
						if _, err := tx.Exec(`INSERT INTO t(rowid, body) VALUES(?,?)`, seq, string(j.ex.Request.Body.Bytes)); err != nil {
							return err
						}
					}
				}
				return tx.Commit()
			}()
			for _, j := range batch {
				j.done <- err
			}
		}
	}()
	put := func(ex *recorder.Exchange) error {
		j := job{ex, make(chan error, 1)}
		jobs <- j
		return <-j.done
	}
	return put, func() error { close(jobs); <-stopped; return db.Close() }, nil
}

// appends compares how many exchanges each keeper makes durable in a second.
// The keepers take turns, rounds times.
func appends(rounds int) error {
	fmt.Fprintf(tables, "durable appends of %s a second, medians of %d rounds in turns\n\n", "2.5 KiB", rounds)
	fmt.Fprintf(tables, "| %-36s | %9s | %9s | %16s |\n|%s|%s|%s|%s|\n", "", "c=1", "c=64", "CPU µs each, c=64",
		strings.Repeat("-", 38), strings.Repeat("-", 10)+":", strings.Repeat("-", 10)+":", strings.Repeat("-", 18)+":")
	speeds := map[string][]float64{}
	cpus := map[string][]float64{}
	for range rounds {
		for _, k := range keepers {
			for _, c := range []int{1, 64} {
				speed, cpu, err := appendWith(k, c)
				if err != nil {
					return fmt.Errorf("%s: %w", k.name, err)
				}
				key := fmt.Sprint(k.name, c)
				speeds[key], cpus[key] = append(speeds[key], speed), append(cpus[key], cpu)
			}
		}
	}
	for _, k := range keepers {
		fmt.Fprintf(tables, "| %-36s | %9.0f | %9.0f | %17.0f |\n", k.name, median(speeds[k.name+"1"]), median(speeds[k.name+"64"]), median(cpus[k.name+"64"]))
	}
	return nil
}

func appendWith(k keeper, c int) (perSecond, cpu float64, err error) {
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	put, closeAll, err := k.open(dir)
	if err != nil {
		return 0, 0, err
	}
	const long = time.Second
	made := make([]*recorder.Exchange, 512) // before: to make one takes longer than to keep it
	for i := range made {
		made[i] = madeExchange(i, time.Now())
	}
	var n atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	before, began := cpuMS(), time.Now()
	for range c {
		wg.Go(func() {
			for time.Since(began) < long && failed.Load() == nil {
				ex := *made[int(n.Add(1))%len(made)]
				if err := put(&ex); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	perSecond, cpu = float64(n.Load())/time.Since(began).Seconds(), (cpuMS()-before)*1000/float64(n.Load())
	if err := closeAll(); err != nil {
		return 0, 0, err
	}
	if p := failed.Load(); p != nil {
		err = *p
	}
	return perSecond, cpu, err
}
