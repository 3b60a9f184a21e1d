package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

const changesAbout = `Changes are phrases: "set data.amount=5" (a path into the JSON body, the value in JSON), "set-string a.b=text", "create a.b=1" (where there is none), "unset a.b", "header X-A: b", "unset-header X-A", "query k=v", "method PUT", "path /other". It is signed anew afterwards, if the secret is known. It goes only to the apps that the user's devhook forwards to.`

const (
	replayAbout  = `Sends a recorded webhook again to the user's app, changed if wanted, and shows the answer. ` + changesAbout
	triggerAbout = `Sends a sample webhook of a provider to the user's app, signed as the provider would, and shows the answer. The tool providers lists the samples. ` + changesAbout
)

// sendFields are what replay and trigger share, in words of the API.
type sendFields struct {
	To      string   `json:"to,omitempty" jsonschema:"another app of the user's: a port, HOST:PORT or a URL"`
	Changes []string `json:"changes,omitempty" jsonschema:"what to change, one phrase each"`
	Body    *string  `json:"body,omitempty" jsonschema:"another body, in the place of the whole"`
	Sign    string   `json:"sign,omitempty" jsonschema:"auto (if not given), always, or never: as recorded"`
	At      string   `json:"at,omitempty" jsonschema:"the time that the signature says, as in -10m"`
	FreshID bool     `json:"fresh_id,omitempty" jsonschema:"give it a new delivery id, so that it is no duplicate"`
	DryRun  bool     `json:"dry_run,omitempty" jsonschema:"send nothing, and show what would be sent"`
}

type replayInput struct {
	Ref ref `json:"ref" jsonschema:"the recording: a number, an ID or a part of one, last, last~2, live"`
	sendFields
}

type triggerInput struct {
	Fixture string `json:"fixture" jsonschema:"the sample: PROVIDER/EVENT, as in tiktok/video.publish.completed"`
	sendFields
}

func (s *server) replay(ctx context.Context, in replayInput) (string, error) {
	if in.Ref == "" {
		return "", errors.New("ref is empty: it is a number, an ID, last, last~2 or live")
	}
	source, err := s.exchange(ctx, in.Ref)
	if err != nil {
		return "", err
	}
	in.Ref = ref(source.ID) // last can be another by now
	return s.sent(ctx, "/devhook/v1/replay", in, source)
}

func (s *server) trigger(ctx context.Context, in triggerInput) (string, error) {
	if in.Fixture == "" {
		return "", errors.New("fixture is empty: it is PROVIDER/EVENT; the tool providers lists them")
	}
	return s.sent(ctx, "/devhook/v1/trigger", in, nil)
}

// sent sends, and tells what became of it. source is what it is made of, masked;
// nil if nobody has seen that before.
func (s *server) sent(ctx context.Context, path string, in any, source *recorder.Exchange) (string, error) {
	var got struct {
		Exchange *recorder.Exchange
		Unsigned string
	}
	if err := s.post(ctx, path, in, &got); err != nil {
		return "", err
	}
	ex := got.Exchange
	if ex == nil {
		return "", errors.New("devhook does not tell what was sent")
	}
	var p page
	if ex.ID == "" || ex.Outcome == recorder.Pending { // a dry run
		masked := s.o.Masker()(*ex)
		ex = &masked
		_, target := recorder.SplitURL(ex.Request.URL)
		p.say("Nothing was sent. This would be:")
		p.quote(fmt.Sprintf("to %s\n\n%s %s\n%s\n%s", short(ex.Target, 2000), short(ex.Request.Method, 50), short(target, 2000), headers(ex.Request.Headers), window{0, 8000}.of(ex.Request.Body.Bytes, ex.Request.Size, "send it, and show")))
		if source != nil {
			p.differences(source, ex)
		}
	} else {
		if err := s.load(ctx, ex); err != nil {
			return "", err
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s\nto %s\n", line(ex), short(ex.Target, 2000))
		if r := ex.Answer(); r != nil && ex.Outcome == recorder.Answered {
			fmt.Fprintf(&b, "\nThe app answered: %d\n%s\n%s", r.Status, headers(r.Headers), window{0, 4000}.of(r.Body.Bytes, r.Size, "show, part app_body,"))
		}
		p.say("Sent, and recorded as #%d.", ex.Seq)
		p.quote(b.String())
		p.say("%s", advice(ex))
	}
	if got.Unsigned != "" {
		p.say("It is not signed anew: %s", got.Unsigned)
	}
	return p.String(), nil
}

// differences tells in what the request of b differs from that of a.
func (p *page) differences(a, b *recorder.Exchange) {
	var lines strings.Builder
	for _, d := range replay.Diff(&a.Request, &b.Request) {
		fmt.Fprintf(&lines, "%s: %s -> %s\n", short(d.What, 200), short(strings.Join(d.Old, ", "), 500), short(strings.Join(d.New, ", "), 500))
	}
	if lines.Len() > 0 {
		p.say("It differs from the recording in:")
		p.quote(lines.String())
	}
}

const replayAllAbout = `Sends again, to the user's app, all recordings that a filter lets through, up to 1000 and oldest first, and tells which were not answered as expected: to find out whether a change of the app has mended what it failed on. ` + filterAbout + " " + changesAbout

type replayAllInput struct {
	Filter      string   `json:"filter" jsonschema:"which recordings, as in status:5xx since:1h, or seq:12,15..18"`
	To          string   `json:"to,omitempty" jsonschema:"another app of the user's: a port, HOST:PORT or a URL"`
	Changes     []string `json:"changes,omitempty" jsonschema:"what to change in each, one phrase each"`
	Sign        string   `json:"sign,omitempty" jsonschema:"auto (if not given), always, or never: as recorded"`
	FreshIDs    bool     `json:"fresh_ids,omitempty" jsonschema:"give deliveries and events new ids, the same for the same, so that none is a duplicate"`
	ShiftTime   string   `json:"shift_time,omitempty" jsonschema:"now: move all times in them so that the newest is of now; or a time or a duration"`
	Speed       string   `json:"speed,omitempty" jsonschema:"1x keeps the pauses between them, 10x a tenth; max (if not given) has none"`
	Rate        string   `json:"rate,omitempty" jsonschema:"in the place of a speed: 50/s, 100/m"`
	Concurrency int      `json:"concurrency,omitempty" bounds:"1 64" jsonschema:"how many at once, up to 64; 1 if not given"`
	Repeat      int      `json:"repeat,omitempty" bounds:"1" jsonschema:"so many rounds; with fresh_ids each has ids of its own"`
	Shuffle     bool     `json:"shuffle,omitempty" jsonschema:"in another order"`
	Seed        *uint64  `json:"seed,omitempty" jsonschema:"of an earlier answer: the same order and ids again"`
	Expect      string   `json:"expect,omitempty" jsonschema:"what every answer must be: 2xx (if not given), 200, 200,409, or same as it was recorded"`
	DryRun      bool     `json:"dry_run,omitempty" jsonschema:"send nothing, and tell how many it would be"`
	Seconds     float64  `json:"within_seconds,omitempty" bounds:"0.1 600" jsonschema:"how long all of it may take, up to 600; 50 if not given, as many clients wait no longer than 60"`
}

// mostTold is how many of what failed are told one by one.
const mostTold = 50

func (s *server) replayAll(ctx context.Context, in replayAllInput) (string, error) {
	request := struct {
		replayAllInput
		Seconds *int   `json:"within_seconds,omitempty"` // is left out: the API has within
		Within  string `json:"within"`
	}{replayAllInput: in, Within: within(in.Seconds)}
	var got struct {
		Chosen, Failed int
		Exchanges      []struct {
			Of     recorder.ID
			Seq    uint64
			Unlike string
		}
		Unsigned map[string]string
		Seed     *uint64
		Lasts    time.Duration `json:"lasts_ns"`
		TimedOut bool          `json:"timed_out"`
	}
	if err := s.post(ctx, "/devhook/v1/replays", request, &got); err != nil {
		return "", err
	}
	var p page
	if in.DryRun {
		p.say("Nothing was sent. It would be %d.", got.Chosen)
		if got.Lasts > 0 {
			p.say("The pauses between them take %s.", got.Lasts.String())
		}
	} else {
		p.say("%d of %d were sent, and recorded; not answered as expected: %d.", len(got.Exchanges), got.Chosen, got.Failed)
	}
	if got.TimedOut {
		p.say("Time was up before all of them were: within_seconds allows more.")
	}
	for id, why := range got.Unsigned {
		p.say("Those of %s are not signed anew: %s", id, why)
	}
	if got.Seed != nil {
		p.say("The seed was %d.", *got.Seed)
	}
	var lines strings.Builder
	told := 0
	for _, one := range got.Exchanges {
		if one.Unlike == "" {
			continue
		}
		if told++; told <= mostTold {
			fmt.Fprintf(&lines, "#%d, of %s: %s\n", one.Seq, one.Of, short(one.Unlike, 300))
		}
	}
	if told > 0 {
		p.quote(lines.String())
	}
	if told > mostTold {
		p.say("These are the first %d of them.", mostTold)
	}
	return p.String(), nil
}
