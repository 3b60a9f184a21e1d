package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"devhook/recorder"
)

// A running devhook up removes what is not to be kept: what is too old now and then, and
// what is too much soon, as a busy sender fills a disk in an hour. Then some more goes, so
// that it need not be done again at once.
const (
	retainAge  = time.Hour
	retainSize = time.Minute
	retainRoom = 20 // a part of so many
)

// retain removes what is not to be kept, until ctx ends.
func (u *up) retain(ctx context.Context) {
	age, size := u.cfg.Keep()
	if age == 0 && size == 0 {
		return
	}
	for n := time.Duration(0); ; n++ { // what came first is delivered first
		select {
		case <-ctx.Done():
			return
		case <-time.After(retainSize):
		}
		most, due := retention(n, u.store.Size(), size)
		if !due {
			continue
		}
		out, err := u.store.Prune(recorder.Pruning{Now: u.p.now()}.Keeping(age, most))
		if out.Exchanges > 0 {
			u.errs.Printf("%s that devhook.yaml or its defaults do not keep", describePruned(out, false))
		}
		if err != nil && !errors.Is(err, recorder.ErrBusy) { // then the next time
			u.log.Warn("cannot remove old recordings", "error", err)
		}
	}
}

// retention tells whether something may have to go at the n-th look at a store of used
// bytes, and how many may stay, if it is to have size at most; 0: it has no bound.
func retention(n time.Duration, used, size int64) (most int64, due bool) {
	if size > 0 && used > size {
		return size - size/retainRoom, true
	}
	return size, n%(retainAge/retainSize) == 0
}

// describeKeep says how long recordings stay.
func (u *up) describeKeep() string {
	var bounds []string
	for _, name := range []string{"keep-age", "keep-size"} {
		if text := u.cfg.Get(name).Text(); text != "off" {
			bounds = append(bounds, text)
		}
	}
	switch len(bounds) {
	case 0:
		return "all"
	case 1:
		return bounds[0]
	}
	return strings.Join(bounds, ", ") + " at most   --keep-age, --keep-size, devhook pin REF"
}
