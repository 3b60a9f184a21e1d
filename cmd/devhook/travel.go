package main

import (
	"iter"
	"math/rand/v2"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// A travel is what --shift-time and --fresh-ids do with a session: all that one
// command sends is moved by one span of time and has one set of new ids.
type travel struct {
	by    time.Duration // 0: nothing is moved
	moved bool
	ids   *replay.Fresh // nil: ids stay
}

// settleTravel looks at the whole session, if it is to be moved.
func (s *sending) settleTravel(sources iter.Seq2[*recorder.Exchange, error]) error {
	text := s.c.String("shift-time")
	if s.travel.moved = s.c.IsSet("shift-time"); !s.travel.moved && !s.c.Bool("fresh-ids") {
		return nil
	}
	if s.c.Bool("fresh-ids") {
		s.travel.ids = &replay.Fresh{Seed: s.seed()}
	}
	var oldest, newest time.Time
	for ex, err := range sources {
		if err != nil {
			return err
		}
		if at, ok := s.arrival(ex); ok {
			if newest.IsZero() || at.After(newest) {
				newest = at
			}
			if oldest.IsZero() || at.Before(oldest) {
				oldest = at
			}
		}
		if s.travel.ids == nil {
			continue
		}
		req, err := s.inMemory(ex)
		if err != nil {
			return err
		}
		p, _ := s.cfg.Catalog().Lookup(ex.Provider)
		s.travel.ids.Note(req, s.deliveryID(ex, req), p.IDPrefix())
	}
	if !s.travel.moved {
		return nil
	}
	var err error
	if s.travel.by, err = replay.ParseSpan(text, s.p.now(), newest, s.lasts(newest.Sub(oldest))); err != nil {
		return &failure{code: 2, text: "--shift-time: " + explain(err).text, hint: explain(err).hint, err: err}
	}
	s.errs.Printf("%s", s.errs.Dim("all times move by "+s.travel.by.String()))
	return nil
}

// arrival returns when ex came: as it was recorded, else as it was signed.
func (s *sending) arrival(ex *recorder.Exchange) (time.Time, bool) {
	if !ex.At.IsZero() {
		return ex.At, true
	}
	id := ex.Provider
	if id == "" {
		id = ex.Request.Detect(s.cfg.Catalog())
	}
	p, m, ok := s.asMessage(id, &ex.Request)
	if !ok {
		return time.Time{}, false
	}
	return p.SignedAt(m)
}

func (s *sending) deliveryID(ex *recorder.Exchange, req *recorder.Request) string {
	p, m, ok := s.asMessage(ex.Provider, req)
	if !ok || ex.DeliveryID != "" {
		return ex.DeliveryID
	}
	return p.DeliveryID(m)
}

// asMessage returns req as one of the provider with that id; not ok if there is none, or
// req is none.
func (s *sending) asMessage(id string, req *recorder.Request) (p verify.Provider, m verify.Message, ok bool) {
	if p, ok = s.cfg.Catalog().Lookup(id); !ok {
		return p, m, false
	}
	m, err := req.Message()
	return p, m, err == nil
}

// inMemory returns the request of ex with its body, unless that is larger than what
// is changed in parts.
func (s *sending) inMemory(ex *recorder.Exchange) (*recorder.Request, error) {
	if ex.Request.Body.Sum == "" || ex.Request.Size > verify.MaxBody || s.store == nil {
		return &ex.Request, nil
	}
	req := ex.Request
	return &req, storeFailure(s.store.LoadBody(&req.Body))
}

// travelChanges returns the changes that move ex; of each round ids are others.
func (s *sending) travelChanges(ex *recorder.Exchange, round int) ([]replay.Mutation, error) {
	var list []replay.Mutation
	if s.travel.ids != nil {
		req, err := s.inMemory(ex)
		if err != nil {
			return nil, err
		}
		list = append(list, s.travel.ids.Of(req, round)...)
	}
	if s.travel.moved {
		at, ok := s.arrival(ex)
		if !ok {
			return nil, &failure{code: 2, text: "--shift-time: it is not known when the webhook came", hint: "give it an \"at\", as an exchange in JSON has"}
		}
		list = append(list, replay.Shift(s.travel.by, at))
	}
	return list, nil
}

// seed returns that of --seed, or one of its own.
func (s *sending) seed() uint64 {
	if s.seeded == 0 {
		s.seeded = rand.Uint64N(1<<31) + 1 // short enough to be typed again
		if s.c.IsSet("seed") {
			s.seeded = s.c.Uint64("seed")
		}
	}
	return s.seeded
}
