package verify

// A code is a part of a payload that the language cannot say: a function of the
// message alone. Each has a file of its own, with its source.
type code struct {
	text  func(m *Message) (text string, how presence)
	reads []refKind // what it takes of the message, and all of it
}

// codes are what {code.NAME} refers to.
var codes = map[string]code{
	"plivo":      {plivo, []refKind{refURL, refForms}},
	"contentful": {contentful, []refKind{refPath, refQuery}},
}
