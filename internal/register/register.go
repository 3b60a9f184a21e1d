// Package register has providers send their webhooks to a URL, through their
// own APIs, and takes that back. Where the URL comes from, and who is told
// what happens, is left to others.
//
// # A provider
//
// A [Provider] is one file here, and one line in [Providers]. It says what it
// must be told ([Param]) and makes a [Registrar], which looks at what is there,
// says which changes are needed, makes them one by one and takes each back.
// Its calls go through a [Client], which holds the credentials.
//
// # A registration
//
// A [Registration] is what one process has changed at one provider. It keeps
// each [Change] in a ledger in the store: before the call, so that what was
// made can be found by whoever comes after a crash, and after it, with the ids.
// The ledger is held locked by its owner as long as that lives; what the dead
// have left is taken back by [Cleanup]. A ledger holds no secrets.
//
// # Security
//
// What providers answer is hostile: answers are bounded, and their words are
// quoted in errors. Credentials go to the API's own address only, over https
// or within this machine, and stand in no error, ledger or description.
package register

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"devhook/verify"
)

// A Provider is one whose API sets where its webhooks go.
type Provider struct {
	ID     string // as in [verify.Provider]
	API    string // where its API is, as in "https://api.example.com"
	Docs   string // the page that describes the API
	Params []Param
	// Tells reports whether a registration that is told this will tell
	// Settings.TakeSecret a secret; nil: never.
	Tells func(said Settings) bool
	// URLByHand says that no call sets where webhooks go, so that the user does, as
	// the steps of [verify.Provider] say.
	URLByHand bool
	// Open makes a Registrar of what the user said. It calls nothing, and
	// refuses what cannot be meant. It sets c.Hidden, and c.Answer if it must.
	Open func(s Settings, c *Client) (Registrar, error)
}

// Providers returns those that there are, by ID.
func Providers() []Provider {
	return []Provider{euler, github, kick, stripe, telegram, tencentLive, tiktokShop, twilio, twitch}
}

// Lookup returns the provider with the given id.
func Lookup(id string) (Provider, bool) {
	all := Providers()
	if i := slices.IndexFunc(all, func(p Provider) bool { return p.ID == id }); i >= 0 {
		return all[i], true
	}
	return Provider{}, false
}

// A Param is something that a provider must be told: the flag --NAME, and a
// key of an entry of register: in devhook.yaml.
type Param struct {
	Name     string // as a flag, with hyphens
	About    string // with what stands for its value in backquotes: "the `ID` of the account"
	Env      string // the variable that is read if it is not said; "" for none
	OtherEnv string // the variable that is read if Env has nothing, where two are usual
	Kind     Kind
	Required bool
	// Check refuses a value that cannot be one; may be nil. Its error does not
	// have the value of a Secret.
	Check func(value string) error
}

// form returns a [Param.Check] for values of the form of a regular expression; the error
// says what the value "is not". The expression is compiled when it is first asked for:
// most commands ask none, and all of them together took as long as everything else
// before main.
func form(expr, isNot string) func(value string) error {
	check := secretForm(expr, isNot)
	return func(value string) error {
		if err := check(value); err != nil {
			return fmt.Errorf("%q %w", value, err)
		}
		return nil
	}
}

// secretForm is form of what is in no error.
func secretForm(expr, complaint string) func(value string) error {
	re := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
	return func(value string) error {
		if !re().MatchString(value) {
			return errors.New(complaint)
		}
		return nil
	}
}

// number returns a [Param.Check] for numbers from 1 on, of so many bits.
func number(bits int, isNot string) func(value string) error {
	return func(value string) error {
		if n, err := strconv.ParseUint(value, 10, bits); err != nil || n == 0 {
			return fmt.Errorf("%q %s", value, isNot)
		}
		return nil
	}
}

// A Kind says how often a Param is said, and how.
type Kind string

const (
	Text   Kind = ""       // once
	Many   Kind = "many"   // any number of times
	Flag   Kind = "flag"   // without a value: "true" if said
	Secret Kind = "secret" // a reference; Settings has what it refers to
)

// Settings are what a Registrar goes by.
type Settings struct {
	// Values are what was said, by Param.Name, checked.
	Values map[string][]string
	// Mark is unique to the registration. What is made at the provider bears it
	// wherever there is room for it, so that it is found again. It is letters and
	// digits, 26 of them.
	Mark string
	// TakeSecret is told a secret that webhooks will be signed with: one that the
	// API told, that the Registrar made up, or that the user gave for them. It is
	// never nil.
	TakeSecret func(verify.Secret)
	// Another reports whether another registration in the store has set url in
	// the same account, be its process alive or not. It is never nil.
	Another func(url string) bool
}

// Get returns a value that is said once, "" if it was not.
func (s Settings) Get(name string) string {
	if all := s.Values[name]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// Has reports whether a Flag was said.
func (s Settings) Has(name string) bool { return s.Get(name) == "true" }

// A Registrar changes what is at a provider, for one registration. It is not
// for concurrent use.
type Registrar interface {
	// Account names whose webhooks these are, as in "4242": what one
	// registration does can matter to another of the same account.
	Account() string

	// Plan looks at what is there, changes nothing, and returns what to do, in
	// order, so that webhooks go to url. done is what this registration has made
	// so far. What needs no change is not in the result.
	//
	// A change with the Key of one in done moves it: it takes its place. One in
	// done that sets another URL and that nothing moves is taken back once all
	// else is done. So a provider that can change a URL returns the same Key,
	// and one that cannot a Key with the URL in it.
	Plan(ctx context.Context, url string, done []Change) ([]Change, error)

	// Apply makes the change and adds to ch.Data what Revert will need. done is
	// what was made before it. If ch.Again is set, an attempt before this one
	// has ended without an answer: what it may have made is looked for, by the
	// mark, and not made twice.
	Apply(ctx context.Context, ch *Change, done []Change) error

	// Revert takes the change back: it deletes what was made, and only that, or
	// restores what was there. It is called for changes of this and of former
	// processes, also for some that may never have been made (ch.State is
	// Intended, ch.Data is as Plan gave it), and more than once. What is gone, or
	// is somebody else's by now, is not touched; see [Undo].
	Revert(ctx context.Context, ch Change) (Undo, error)
}

// A Tester is a Registrar whose provider sends a webhook on request.
type Tester interface {
	// Test has one sent to what done has made, and returns what the provider
	// says of it, for people.
	Test(ctx context.Context, done []Change) (string, error)
}

// A Change is one thing to do at a provider, or done there. Its JSON stands in
// the ledger.
type Change struct {
	Key   string `json:"key"`   // names the thing among all of the account, as in "alert @x"
	About string `json:"about"` // what is done, for people: "create the alert for @x"
	// URL is the callback that the change sets, "" if it sets none. Was are those
	// that it set before it was moved, and still may, if a move was cut short.
	URL string   `json:"url,omitempty"`
	Was []string `json:"was,omitempty"`
	// Data are ids, and what was there before. No secrets.
	Data  map[string]string `json:"data,omitempty"`
	State State             `json:"state"`
	At    time.Time         `json:"at"` // when it was first to be made, UTC

	// Call is what Apply will call first, for --dry-run.
	Call Call `json:"-"`
	// Again says that Apply has been called for this change before.
	Again bool `json:"-"`
}

// Ours reports whether url is one that this change sets or has set.
func (ch Change) Ours(url string) bool {
	return url != "" && (url == ch.URL || slices.Contains(ch.Was, url))
}

// A State says how far a change has come.
type State string

const (
	Intended State = "intended" // the call was to be made; whether it was is not known
	Done     State = "done"
)

// A Refusal is the error of what is not done because of what the user has said,
// or of what is there, and would be if he said something else.
type Refusal struct{ Text, Hint string }

func (e *Refusal) Error() string { return e.Text }

// An Undo is what became of taking a change back.
type Undo struct {
	Result UndoResult
	Why    string // of Left and Later, for people
}

// An UndoResult is how that ended.
type UndoResult string

const (
	Reverted UndoResult = "reverted"
	Gone     UndoResult = "gone"  // it was not there any more, or never
	Left     UndoResult = "left"  // somebody has made it his own; it is not devhook's any more
	Later    UndoResult = "later" // another devhook uses it; whoever ends last takes it back
)
