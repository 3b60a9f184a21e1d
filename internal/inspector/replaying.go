package inspector

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// mostReplayed is how many recordings one request sends again.
const mostReplayed = 1000

// How many are under way at once, at most, and if it is not said and there is a pace: as
// devhook replay has it.
const mostAtOnce = 64

// A replaysRequest is what is sent again of what is recorded: oldest first, or in the order
// of a seed.
type replaysRequest struct {
	Filter      string          `json:"filter"`
	Changes     []string        `json:"changes"`
	Sign        replay.SignMode `json:"sign"`
	FreshID     bool            `json:"fresh_id"`
	FreshIDs    bool            `json:"fresh_ids"`  // of all deliveries and events, the same for the same
	ShiftTime   string          `json:"shift_time"` // now, a time or a duration
	Expect      string          `json:"expect"`     // 2xx, 200, same
	DryRun      bool            `json:"dry_run"`
	Speed       string          `json:"speed"` // 1x, 10x, max
	Rate        string          `json:"rate"`  // 50/s, in the place of a speed
	Concurrency int             `json:"concurrency"`
	Repeat      int             `json:"repeat"` // rounds; 0 is one
	Shuffle     bool            `json:"shuffle"`
	Seed        *uint64         `json:"seed"`
	Baseline    []replayed      `json:"baseline"` // exchanges of an earlier answer
	sendingTo

	pace           replay.Pace
	expect         replay.Expectation
	timeout, limit time.Duration
}

// A replayed is what became of one.
type replayed struct {
	Of     recorder.ID `json:"of"`
	ID     recorder.ID `json:"id,omitempty"`
	Seq    uint64      `json:"seq,omitempty"`
	Status int         `json:"status,omitempty"`
	Detail string      `json:"detail,omitempty"`
	Unlike string      `json:"unlike,omitempty"` // what is not as expected
	Change string      `json:"change,omitempty"` // since the baseline: fixed, regressed, new

	provider, unsigned string // whose it is, and why it is not signed anew if it should be
	cut                bool   // time was up before there was an answer
}

func (r replayed) isBad() bool { return r.Unlike != "" }

// A replayedAll is what became of all.
type replayedAll struct {
	Chosen    int               `json:"chosen"` // to be sent, in all rounds
	Failed    int               `json:"failed"` // not answered as expected
	Exchanges []replayed        `json:"exchanges"`
	Unsigned  map[string]string `json:"unsigned,omitempty"` // by provider, why
	Lasts     time.Duration     `json:"lasts_ns,omitempty"` // the pauses, of a dry run
	Seed      *uint64           `json:"seed,omitempty"`     // that makes the same choices again
	Since     *sinceBaseline    `json:"since_baseline,omitempty"`
	TimedOut  bool              `json:"timed_out"`
}

// check reads what the fields say.
func (req *replaysRequest) check() (err error) {
	bad := func(text, hint string) error { return &Error{http.StatusBadRequest, text, hint} }
	if req.timeout, req.limit, err = req.times(); err != nil {
		return err
	}
	if req.pace.Speed, err = replay.ParseSpeed(cmp.Or(req.Speed, "max")); err != nil {
		return err
	}
	if req.Rate != "" {
		if req.pace.Every, err = replay.ParseRate(req.Rate); err != nil {
			return err
		}
	}
	if req.expect, err = replay.ParseExpectation(cmp.Or(req.Expect, "2xx")); err != nil {
		return prefixed("expect: ", err)
	}
	speed, rate := req.pace.Speed > 0, req.pace.Every > 0
	switch {
	case speed && rate:
		return bad("speed and rate are two schedules", "give one of them")
	case speed && req.Shuffle:
		return bad("what is shuffled has no original timing", `use a rate, as in "rate": "50/s"`)
	case req.Seed != nil && !req.Shuffle && !req.FreshIDs:
		return bad("a seed is for shuffle and fresh_ids", "")
	case req.Repeat < 0 || req.Repeat > mostReplayed:
		return bad(fmt.Sprintf("repeat is no number from 1 to %d", mostReplayed), "")
	case req.Repeat > 1 && req.Baseline != nil:
		return bad("a baseline is of one round", "leave repeat out")
	case req.Concurrency < 0 || req.Concurrency > mostAtOnce:
		return bad(fmt.Sprintf("concurrency is no number from 1 to %d", mostAtOnce), "")
	case req.Concurrency == 0 && (speed || rate):
		req.Concurrency = mostAtOnce // who is slow does not hold up the next
	case req.Concurrency == 0:
		req.Concurrency = 1
	}
	req.Repeat = max(1, req.Repeat)
	return nil
}

// replays sends again all that a filter lets through, and answers what became of them.
// One that cannot be sent ends it.
func (in *Inspector) replays(r *http.Request, req replaysRequest) (any, error) {
	return in.replayAll(r, req, func(replayProgress) {})
}

// replaysFollowed is replays, and tells in lines how far it is. The last line is the answer.
func (in *Inspector) replaysFollowed(w http.ResponseWriter, r *http.Request) {
	out := &lineWriter{ResponseWriter: w, done: in.done}
	asked(in, func(r *http.Request, req replaysRequest) (any, error) {
		return in.replayAll(r, req, func(p replayProgress) { out.tell(p) })
	})(out, r)
}

// A replayProgress is how far a replay of many is.
type replayProgress struct {
	Type   string    `json:"type"` // progress
	Chosen int       `json:"chosen"`
	Sent   int       `json:"sent"`
	Failed int       `json:"failed"`
	Last   *replayed `json:"last,omitempty"` // that was done
}

func (in *Inspector) replayAll(r *http.Request, req replaysRequest, tell func(replayProgress)) (any, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	sources, err := in.sources(r.Context(), req.Filter)
	if err != nil {
		return nil, err
	}
	if len(sources)*req.Repeat > mostReplayed {
		return nil, &Error{http.StatusUnprocessableEntity, fmt.Sprintf("%d recordings, %d times, are more than %d", len(sources), req.Repeat, mostReplayed), "narrow the filter, repeat less, or use devhook replay --filter"}
	}
	answer := replayedAll{Chosen: len(sources) * req.Repeat, Unsigned: map[string]string{}}
	seed := rand.Uint64() >> 11 // which every reader of JSON keeps
	if req.Seed != nil {
		seed = *req.Seed
	}
	jobs := req.jobs(sources)
	if req.DryRun {
		answer.Lasts = req.lasts(jobs)
	}
	if req.Shuffle || req.FreshIDs {
		answer.Seed = &seed
	}
	ctx, end, err := in.long(r, req.limit)
	if err != nil {
		return nil, err
	}
	defer end()
	moves, err := in.travel(ctx, req, jobs, seed)
	if err == nil {
		if req.Shuffle {
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
		}
		err = in.replayEach(ctx, r, req, moves, jobs, &answer, tell)
	}
	if answer.TimedOut, err = late(ctx, err); err == nil && req.Baseline != nil {
		answer.compare(req.Baseline)
	}
	return answer, err
}

// replayEach sends jobs as req has it, until one cannot be sent or ctx ends, and adds to
// the answer what became of them, in their order. tell is told at the beginning and whenever
// one is done; it is not called by two at once.
func (in *Inspector) replayEach(ctx context.Context, r *http.Request, req replaysRequest, moves travel, jobs []replayJob, answer *replayedAll, tell func(replayProgress)) error {
	var mu sync.Mutex // guards done, sent, bad and failed
	var failed error
	done, sent, bad, began := make([]*replayed, len(jobs)), 0, 0, time.Now()
	tell(replayProgress{"progress", len(jobs), 0, 0, nil})
	slots := make(chan struct{}, req.Concurrency)
	going, stop := context.WithCancel(ctx) // until one cannot be sent
	defer stop()
	pace := req.pace // which changes, while req is read by others
	var work sync.WaitGroup
	for i, job := range jobs {
		if due := pace.Due(job.source.At, job.round); !req.DryRun && due > 0 {
			trial.Until(going, began.Add(due))
		}
		select {
		case slots <- struct{}{}:
		case <-going.Done():
		}
		if going.Err() != nil {
			break
		}
		work.Go(func() {
			defer func() { <-slots }()
			one, err := in.replayOne(ctx, r, req, moves, job)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				stop()
				if sent > 0 {
					err = prefixed(fmt.Sprintf("#%d, after %d were sent: ", job.source.Seq, sent), err)
				}
				failed = cmp.Or(failed, err)
				return
			}
			done[i] = one
			if sent++; one.isBad() {
				bad++
			}
			tell(replayProgress{"progress", len(jobs), sent, bad, one})
		})
	}
	work.Wait()
	answer.Exchanges, answer.Failed = make([]replayed, 0, sent), bad
	whole := sent == len(jobs)
	for _, one := range done {
		if one == nil {
			continue
		}
		answer.Exchanges = append(answer.Exchanges, *one)
		if whole = whole && !one.cut; one.unsigned != "" {
			answer.Unsigned[one.provider] = one.unsigned
		}
	}
	if whole {
		return nil
	}
	return cmp.Or(failed, ctx.Err())
}

// replayOne sends the source of a job, or only looks whether it can be.
func (in *Inspector) replayOne(ctx context.Context, r *http.Request, req replaysRequest, moves travel, job replayJob) (*replayed, error) {
	plan, err := in.plan(sendRequest{
		source: refTo(job.source), To: req.To, Changes: req.Changes, Sign: req.Sign, FreshID: req.FreshID,
	}, recorder.Replay)
	if err == nil {
		plan.Mutations = append(moves.changes(plan.Source, job.round), plan.Mutations...)
		err = in.aim(&plan, in.mayAim(r))
	}
	if err != nil {
		return nil, err
	}
	plan.Timeout = req.timeout
	one := &replayed{Of: job.source.ID, provider: plan.Source.Provider, unsigned: in.unsigned(plan)}
	if req.DryRun {
		_, err = in.o.Plan(plan)
		return one, err
	}
	done, err := in.o.Send(ctx, plan)
	if err != nil {
		return nil, err
	}
	one.ID, one.Seq, one.Status, one.Detail = done.ID, done.Seq, trial.Status(done), done.Detail
	one.Unlike, one.cut = req.expect.Check(done, plan.Source), one.Status == 0 && ctx.Err() != nil
	return one, nil
}

// sources are the recordings that a filter lets through, without their bodies.
func (in *Inspector) sources(ctx context.Context, filter string) (list []*recorder.Exchange, err error) {
	if strings.TrimSpace(filter) == "" {
		return nil, &Error{http.StatusBadRequest, "filter is missing", `"filter": "seq:>=1" is all there is`}
	}
	f, err := in.filter(filter)
	if err != nil {
		return nil, err
	}
	for ex, err := range readable(in.o.Store.QueryContext(ctx, recorder.Query{Filter: f}), nil) { // the list tells of what is not
		if err != nil {
			return nil, err
		}
		if len(list) == mostReplayed {
			return nil, &Error{http.StatusUnprocessableEntity, fmt.Sprintf("the filter lets through more than %d", mostReplayed), "narrow it, or use devhook replay --filter"}
		}
		list = append(list, &recorder.Exchange{ID: ex.ID, Seq: ex.Seq, At: ex.At})
	}
	if len(list) == 0 {
		return nil, &Error{http.StatusNotFound, "the filter lets nothing through", cmp.Or(strings.Join(notesOf(f), "; "), "GET /devhook/v1/exchanges lists what there is")}
	}
	return list, nil
}

func refTo(ex *recorder.Exchange) source { return source{Ref: string(ex.ID)} }
