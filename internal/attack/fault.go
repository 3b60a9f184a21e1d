package attack

// A Fault is what is known to be wrong of handlers.
type Fault struct {
	ID   string
	Text string // what the handler does, as in: accepts an empty signature
	Fix  string // what to change
	// hides are faults that say nothing more once this one is found.
	hides []string
}

var ofSignatures = []string{"accepts-empty-signature", "compares-prefix", "ignores-case", "unsigned-body", "parsed-json", "unsigned-time", "no-tolerance", "trims-body", "empty-body", "other-scheme", "passes-errors", "empty-secret", "unsigned-token", "decoded-text"}

const (
	// answersFirst is the fault of who answers before it verifies. Its answers tell nothing else.
	answersFirst = "answers-first"
	// crash is the fault of who falls over what falls over nothing else, or over all.
	crash = "crash"
)

// faults are all faults, the gravest first.
var faults = []Fault{
	{"no-answer", "gives no answer", "The handler hung or hung up, or the whole app ended: then the first of these is what it fell over, and the rest found nobody. Look at its log for an exception outside of the request; answer first, and do long work after that.", nil},
	{"unchecked-signature", "takes any signature", "Compute the signature over the raw body with the secret, and answer 401 unless it is equal to the one that was sent.", ofSignatures},
	{"fails-open", "lets through what has no signature", "Answer 401 if the signature is missing or empty, before anything else; never check only if it is there.", []string{"accepts-empty-signature", "other-scheme"}},
	{"accepts-empty-signature", "accepts an empty signature", "Compare lengths first: with the empty string, loops over characters and startsWith say yes.", nil},
	{"unsigned-token", "takes a token that says of itself that it is not signed", "Say to the library which algorithm you expect; never take it from the token.", nil},
	{"empty-secret", "takes what is signed with an empty secret", "Do not start without a secret, and leave out of a list of secrets what is not set: everybody can sign with nothing.", nil},
	{"passes-errors", "lets through what it cannot check", "Answer 401 if verifying throws: an exception is no permission.", nil},
	{"compares-prefix", "compares only a part of the signature", "Compare all of it, with a function of constant time: hmac.compare_digest, crypto.timingSafeEqual, hmac.Equal.", nil},
	{"ignores-case", "compares without regard to upper and lower case", "In base64 these are other bytes: compare the text as it is, or the decoded bytes.", nil},
	{"unsigned-body", "does not see that the body was changed", "The signature has to be computed over the body that came, every byte of it.", []string{"parsed-json", "trims-body", "empty-body"}},
	{"empty-body", "verifies an empty body", "Something has read the body before: verify first. In Express, express.raw() of this path stands before express.json(); in Flask, request.get_data() before request.form; in Sinatra, request.body.rewind before read. More: docs/frameworks.md.", []string{"decoded-text", "refuses-right", "refuses-late", "keeps-forged"}},
	{"parsed-json", "verifies parsed JSON", "Compute the signature over the bytes as they came (express.raw, request.get_data(), php://input, request.raw_post, io.ReadAll), and parse afterwards: JSON that is written again is another text.", []string{"trims-body", "decoded-text", "refuses-right", "refuses-late", "keeps-forged"}},
	{"trims-body", "verifies a body without the white space at its ends", "Compute the signature over the bytes as they came; do not trim them.", nil},
	{"decoded-text", "verifies text that was decoded", "Compute the signature over bytes and not over a string: decoding loses what is not of the expected character set.", []string{"refuses-right", "refuses-late", "keeps-forged"}},
	{"no-tolerance", "takes old webhooks", "Refuse a signed time that is further away than the tolerance: who once saw a webhook can send it again for ever.", nil},
	{"unsigned-time", "takes the time from where it is not signed", "Put the time into what the signature is computed over, as the provider's documentation has it.", nil},
	{"other-scheme", "takes the signature of another provider", "Check the headers of this provider only, and where a path is for several, of those whose secret is set.", nil},
	{"keeps-forged", "remembers what it has refused", "Verify before the delivery id is remembered: else a forged webhook makes the right one a repetition.", nil},
	{answersFirst, "answers 2xx before it has verified", "Verify first, it takes less than a millisecond: only from the answer the provider, and you, learn that a secret is not the right one.", nil},
	{"too-slow", "answers later than the provider waits", "Answer as soon as the webhook is verified and kept, and do the work after that: to the provider this is a failure, and it sends again.", nil},
	{"refuses-right", "refuses what is right", "If that is so with every webhook: is its secret the one that devhook has? Does it verify the raw body, which nothing has parsed before (docs/frameworks.md)? Is it CSRF protection that answers, or a list of hosts? Where the URL is signed, does it make that of X-Forwarded-Proto and X-Forwarded-Host, or of Host, which --host-header preserve leaves as it is signed?", []string{"keeps-forged"}},
	{"refuses-late", "refuses the provider's second try", "A second try is a webhook like the first, with the same id: answer 2xx.", nil},
	{"acts-first", "acts on what it refuses", "Verify before anything is done: there was an effect, though the answer was a refusal.", nil},
	{"crash-signature", "crashes on a signature that is not right", "Catch what verifying throws, and answer 401: libraries throw if a signature is wrong, functions of constant time if it has another length.", nil},
	{"crash-event", "crashes on an unknown event", "Answer 2xx to events that it does not know: new ones come without notice, and 5xx has them sent again.", nil},
	{"crash-fields", "crashes on fields that are missing, null or of another type", "Check what is read from the body; answer 4xx to what cannot be used.", nil},
	{"crash-body", "crashes on a body that it cannot read", "Catch what verifying and parsing throw, and answer 400: some libraries throw at an empty body, too.", nil},
	{crash, "crashes", "Look at its log: it answered 5xx.", nil},
	{"not-idempotent", "acts twice on one webhook", "Remember the delivery id (where there is none, a hash of the body) before acting, and answer 2xx to what is known.", []string{"race"}},
	{"race", "acts twice if one webhook comes twice at once", "Look and remember in one step: an INSERT with a unique key, SET NX, a lock.", nil},
}

// FaultOf returns the fault with an ID.
func FaultOf(id string) Fault {
	for _, f := range faults {
		if f.ID == id {
			return f
		}
	}
	return Fault{ID: id, Text: id}
}
