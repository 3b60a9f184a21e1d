package trial

import (
	"context"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

// Run sends a case as often as it says, until an answer is not as expected, and returns why
// it is not, "" if all were, and the exchange of the last. send sends it once; body reads
// the body of an answer. The error is theirs, or that of ctx.
func Run(ctx context.Context, c replay.Case, source *recorder.Exchange, send func(context.Context) (*recorder.Exchange, error), body func(recorder.Body) ([]byte, error)) (why string, done *recorder.Exchange, err error) {
	for range c.Times {
		if done, err = send(ctx); err != nil {
			return "", nil, err
		}
		if ctx.Err() != nil {
			return "", nil, ctx.Err()
		}
		var text []byte
		if done.Response != nil && c.Contains != "" {
			if text, err = body(done.Response.Body); err != nil {
				return "", nil, err
			}
		}
		why = c.Check(done, source, text)
		if why == "" && done.Outcome != recorder.Answered {
			why = "not answered: " + detail(done)
		}
		if why != "" {
			break
		}
	}
	return why, done, nil
}

// A ToldCase is what became of a case, in JSON.
type ToldCase struct {
	Name   string      `json:"name"`
	File   string      `json:"file,omitempty"`
	Line   int         `json:"line"`
	OK     bool        `json:"ok"`
	Why    string      `json:"why,omitempty"`
	ID     recorder.ID `json:"id,omitempty"` // absent, as is seq, if it was not sent
	Seq    uint64      `json:"seq,omitempty"`
	TookNS int64       `json:"took_ns"`
}

// TellCase returns what became of c, of a file, as it is told in JSON.
func TellCase(c replay.Case, file, why string, done *recorder.Exchange) ToldCase {
	var took time.Duration
	if done.Response != nil {
		took = done.Response.Took
	}
	return ToldCase{c.Name, file, c.Line, why == "", why, done.ID, done.Seq, took.Nanoseconds()}
}
