package recorder

import (
	"net/http"
	"time"

	"devhook/verify"
)

// An Exchange is one webhook and what became of it. It is data without
// behaviour; its JSON form is versioned and documented in docs/format.md.
type Exchange struct {
	ID     ID     // given by [Store.Write], unless set before
	Seq    uint64 // given by [Store.Write]: increasing in one store, never used twice, with gaps
	At     time.Time
	Origin Origin
	// Parent is the exchange that this one was made from, Changes what was
	// changed, one phrase each. Both are empty for a webhook that came in.
	Parent  ID
	Changes []string
	// Imported is what an exchange of origin [Import] was where it was
	// recorded; nil if nothing of devhook's recorded it.
	Imported *Imported

	Provider    string // id of the provider, "" if none was recognised
	Event       string // the provider's name of the event, "" if there is none
	DeliveryID  string // the provider's id of the delivery, "" if there is none
	DuplicateOf ID     // an earlier exchange with the same delivery id
	Route       string // path of the route that matched, "" if there are no routes
	Target      string // absolute URL that the request was forwarded to, "" if it was not

	Request  Request
	Verdict  verify.Verdict
	Outcome  Outcome
	Detail   string    // one phrase on the outcome, where there is more to say
	Response *Response // what the sender got; nil while Outcome is Pending
	// App is what the app answered, where the sender got something else in its
	// place; nil mostly.
	App *Response
	// Ending is the end of the WebSocket that a response with status 101 has
	// opened; nil as long as it is open, or if devhook ended before it.
	Ending *Ending
	// Pinned says that pruning leaves it; see [Store.Pin]. It is not written
	// with the exchange.
	Pinned bool
}

// end puts into ex how it ended.
func (ex *Exchange) end(res Result) {
	ex.Outcome, ex.Detail, ex.Response, ex.App = res.Outcome, res.Detail, res.Response, res.App
}

// result returns how ex ended.
func (ex *Exchange) result() Result { return Result{ex.Outcome, ex.Detail, ex.Response, ex.App} }

// Answer returns what the app answered, also where the sender got something
// else; what devhook answered where no app did; nil while there is none.
func (ex *Exchange) Answer() *Response {
	if ex.App != nil {
		return ex.App
	}
	return ex.Response
}

// answers returns what was answered: to the sender, and by the app if that is
// something else.
func (ex *Exchange) answers() []*Response {
	var list []*Response
	for _, r := range []*Response{ex.Response, ex.App} {
		if r != nil {
			list = append(list, r)
		}
	}
	return list
}

// ID names an exchange for good: a ULID, 26 characters whose order is that of
// arrival, to the millisecond.
type ID string

// Origin is where an exchange came from.
type Origin string

// The origins of an [Exchange].
const (
	Live    Origin = "live"    // came in by a door
	Replay  Origin = "replay"  // a recording, sent again
	Trigger Origin = "trigger" // made from a fixture
	Stream  Origin = "stream"  // a frame of a stream that devhook listens to
	Import  Origin = "import"  // read from a file
	Mirror  Origin = "mirror"  // a copy for a further app
)

// Imported is the number and the origin that an exchange had in another store.
// Exported again it has them once more, so that what is handed on stays the same.
type Imported struct {
	Seq    uint64 // 0 if it is not known
	Origin Origin // "" if it is not known
}

// Outcome is what became of an exchange.
type Outcome string

// The outcomes of an [Exchange].
const (
	Pending     Outcome = "pending"     // under way, or devhook ended before it was done
	Answered    Outcome = "answered"    // the app answered, with any status
	Unreachable Outcome = "unreachable" // the app did not answer
	Refused     Outcome = "refused"     // kept from the app
	Handled     Outcome = "handled"     // answered by devhook itself
	Queued      Outcome = "queued"      // to be forwarded later
	Unrouted    Outcome = "unrouted"    // no route matched
)

// A Request is the request of an exchange as it was received.
type Request struct {
	Method  string
	URL     string // absolute, as the sender addressed it; path and query byte for byte
	Proto   string
	Headers http.Header // with Host; names are canonical, their order is lost
	Body    Body
	Size    int64 // bytes received, also where Body has fewer
	Remote  string
	// Truncated says that Body is not the whole of what was received.
	Truncated bool
}

// ProtoStream is the Proto of an event of a stream that devhook listens to, and
// of what is made of it. It came by no request: URL says which stream it is from
// and to which path of the app it goes.
const ProtoStream = "stream"

// A Response is what the sender was answered, by the app or by devhook.
type Response struct {
	Status    int
	Headers   http.Header
	Body      Body
	Size      int64
	Truncated bool
	Took      time.Duration // from the start of the forwarding to the last byte
}

// A Result is how an exchange ended; see [Store.Finish].
type Result struct {
	Outcome  Outcome
	Detail   string
	Response *Response
	App      *Response // see [Exchange]
}

// A Body is the bytes of a request or a response: in memory, or, over
// [MaxInline] bytes, in a file of the store.
type Body struct {
	Bytes []byte // nil where Sum is set
	Sum   string // SHA-256 of the bytes, in hex, of a body that is in a file
}

// MaxInline is the largest body in bytes that stands in the journal itself.
const MaxInline = 256 << 10
