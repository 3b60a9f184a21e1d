package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// nothingYet is said where there is no store, and recordsHere what to do.
const (
	nothingYet  = "nothing is recorded yet, here or above: " + recordsHere
	recordsHere = "devhook up records what comes in, in " + recorder.Dir + " where it is started; --store names another place"
)

// storeDir returns the directory of the store that is meant.
func (p *program) storeDir(c *cli.Context) string {
	if dir := cmp.Or(c.String("store"), p.getenv("DEVHOOK_STORE")); dir != "" {
		return dir
	}
	return config.FindStore(".", recorder.Dir, p.getenv)
}

// openToRead opens the store to look at it. The error wraps [fs.ErrNotExist] if there is
// none.
func (p *program) openToRead(c *cli.Context) (*recorder.Store, error) {
	errs := p.errs(c)
	return recorder.Open(p.storeDir(c), recorder.Options{
		ReadOnly: true, Log: slog.New(errs.LogHandler(slog.LevelWarn)), Indexing: indexing(errs),
	})
}

// openIfThere is openToRead; the store is nil if there is none. An error is a [*failure].
func (p *program) openIfThere(c *cli.Context) (*recorder.Store, error) {
	store, err := p.openToRead(c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return store, storeFailure(err)
}

// openUsual is openIfThere, but that there is no store is an error if the user named it.
func (p *program) openUsual(c *cli.Context) (*recorder.Store, error) {
	store, err := p.openIfThere(c)
	if store == nil && err == nil {
		err = p.missingStore(c)
	}
	return store, err
}

// openRecorded is openIfThere, but that there is no store is an error.
func (p *program) openRecorded(c *cli.Context) (*recorder.Store, error) {
	store, err := p.openUsual(c)
	if store == nil && err == nil {
		err = nothingRecorded()
	}
	return store, err
}

// openRecording returns the recording that ref names, and the store that it is
// in, which the caller closes.
func (p *program) openRecording(c *cli.Context, ref string) (*recorder.Store, *recorder.Exchange, error) {
	store, err := p.openRecorded(c)
	if err != nil {
		return nil, nil, err
	}
	ex, err := store.Get(ref)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return store, ex, nil
}

// openToWrite opens the store to write to it, and makes it if there is none.
func (p *program) openToWrite(c *cli.Context) (*recorder.Store, error) {
	store, err := recorder.Open(p.storeDir(c), recorder.Options{Log: slog.New(p.errs(c).LogHandler(slog.LevelWarn))})
	return store, storeFailure(err)
}

// openToChange opens a store that is there to write to it.
func (p *program) openToChange(c *cli.Context) (*recorder.Store, error) {
	if _, err := os.Stat(p.storeDir(c)); err != nil {
		return nil, p.noStore(c, err)
	}
	errs := p.errs(c)
	store, err := recorder.Open(p.storeDir(c), recorder.Options{Log: slog.New(errs.LogHandler(slog.LevelWarn)), Indexing: indexing(errs)})
	return store, storeFailure(err)
}

// needStore returns the failure of a command that needs recordings, if there
// is no store.
func (p *program) needStore(c *cli.Context) error {
	if _, err := os.Stat(p.storeDir(c)); errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(p.missingStore(c), nothingRecorded())
	}
	return nil
}

// missingStore returns the failure of a store that is not there though the user
// named it; nil if it is the usual one, which devhook up makes.
func (p *program) missingStore(c *cli.Context) error {
	switch env := p.getenv("DEVHOOK_STORE"); {
	case c.String("store") != "":
		return &failure{code: 6, text: "there is no store at " + c.String("store"), hint: "without --store the nearest .devhook is read", err: fs.ErrNotExist}
	case env != "":
		return &failure{code: 6, text: "there is no store at " + env, hint: "DEVHOOK_STORE names it; --store names another", err: fs.ErrNotExist}
	}
	return nil
}

func nothingRecorded() error {
	return &failure{code: 2, text: "nothing is recorded yet", hint: recordsHere}
}

// noStore is the failure of a store that is to be changed, and is not there.
func (p *program) noStore(c *cli.Context, err error) error {
	return &failure{code: 6, text: "there is no store at " + p.storeDir(c), hint: "devhook up makes one; --store names another", err: err}
}

// indexing shows how far the index is while somebody waits for it.
func indexing(errs *terminal.Terminal) func(done, total int64) {
	return func(done, total int64) {
		if done == total {
			errs.Progress("")
			return
		}
		const width = 30
		bar := int(done * width / total)
		errs.Progress(fmt.Sprintf("making the index  [%s%s] %d%%", strings.Repeat("#", bar), strings.Repeat(" ", width-bar), done*100/total))
	}
}
