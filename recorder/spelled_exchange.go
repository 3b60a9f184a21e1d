package recorder

import (
	"time"

	"devhook/verify"
)

// exchange reads an exchange into ex, which is only whole if it returns true.
func (s *spelled) exchange(ex *Exchange) bool {
	var res Result
	s.members(func(key []byte) {
		switch string(key) {
		case "v":
			s.bad = s.bad || s.int() > formatVersion
		case "id":
			ex.ID = ID(s.plain())
		case "seq":
			ex.Seq = s.uint()
		case "at":
			ex.At = s.time()
		case "origin":
			ex.Origin = originOf(s.word())
		case "parent":
			ex.Parent = ID(s.plain())
		case "changes":
			ex.Changes = s.texts()
		case "provider":
			ex.Provider = s.text()
		case "event":
			ex.Event = s.text()
		case "delivery_id":
			ex.DeliveryID = s.text()
		case "duplicate_of":
			ex.DuplicateOf = ID(s.plain())
		case "route":
			ex.Route = s.text()
		case "target":
			ex.Target = s.text()
		case "request":
			s.request(&ex.Request)
		case "verdict":
			s.verdict(&ex.Verdict)
		default: // imported, ended and pinned are rare
			s.end(key, &res)
		}
	})
	ex.end(res)
	return !s.bad && s.i == len(s.b)
}

// result reads the end of an exchange from the members of an 'r' line.
func (s *spelled) result(res *Result) bool {
	s.members(func(key []byte) {
		switch string(key) {
		case "v":
			s.int()
		case "k", "id", "c":
			s.word()
		default:
			s.end(key, res)
		}
	})
	return !s.bad && s.i == len(s.b)
}

func (s *spelled) end(key []byte, res *Result) {
	switch string(key) {
	case "outcome":
		res.Outcome = outcomeOf(s.word())
	case "detail":
		res.Detail = s.text()
	case "response":
		res.Response = s.response()
	case "app":
		res.App = s.response()
	default:
		s.bad = true
	}
}

func (s *spelled) request(r *Request) {
	s.members(func(key []byte) {
		switch string(key) {
		case "method":
			r.Method = s.text()
		case "url":
			r.URL = s.text()
		case "proto":
			r.Proto = s.plain()
		case "headers":
			r.Headers = s.headers()
		case "body":
			r.Body = s.body()
		case "size":
			r.Size = s.int()
		case "remote":
			r.Remote = s.plain()
		case "truncated":
			r.Truncated = s.yes()
		default:
			s.bad = true
		}
	})
}

func (s *spelled) response() *Response {
	r := new(Response)
	s.members(func(key []byte) {
		switch string(key) {
		case "status":
			r.Status = int(s.int())
		case "headers":
			r.Headers = s.headers()
		case "body":
			r.Body = s.body()
		case "size":
			r.Size = s.int()
		case "truncated":
			r.Truncated = s.yes()
		case "took_ns":
			r.Took = time.Duration(s.int())
		default:
			s.bad = true
		}
	})
	return r
}

func (s *spelled) verdict(v *verify.Verdict) {
	s.members(func(key []byte) {
		switch string(key) {
		case "status":
			v.Status = verify.Status(s.plain())
		case "reason":
			v.Reason = verify.Reason(s.plain())
		case "detail":
			v.Detail = s.plain()
		case "hint":
			v.Hint = s.plain()
		default:
			s.bad = true
		}
	})
}

// originOf and outcomeOf take no memory for what repeats in each line.
func originOf(w []byte) Origin {
	switch Origin(w) {
	case Live:
		return Live
	case Replay:
		return Replay
	}
	return Origin(w)
}

func outcomeOf(w []byte) Outcome {
	switch Outcome(w) {
	case Pending:
		return Pending
	case Answered:
		return Answered
	}
	return Outcome(w)
}
