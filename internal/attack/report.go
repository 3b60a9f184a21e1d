package attack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Said is what a handler did, in a few words.
func (r Result) Said() string {
	var said []string
	for _, a := range r.Answers {
		text := fmt.Sprint(a.Status)
		if a.Status == 0 {
			text = "no answer"
		}
		said = append(said, text)
	}
	text := strings.Join(said, " ")
	if r.Effects > 0 {
		text += fmt.Sprintf(", %d %s", r.Effects, plural(r.Effects, "effect"))
	}
	return text
}

// A Told is a [Result] in JSON.
type Told struct {
	Name    string       `json:"name"`
	About   string       `json:"about"`
	Want    Want         `json:"want,omitempty"`
	Answers []ToldAnswer `json:"answers,omitempty"`
	Effects *int         `json:"effects,omitempty"`
	Finding string       `json:"finding,omitempty"`
	Detail  string       `json:"detail,omitempty"`
	Note    string       `json:"note,omitempty"`
	Skipped string       `json:"skipped,omitempty"`
}

// A ToldAnswer is an [Answer] in JSON.
type ToldAnswer struct {
	ID     string `json:"id,omitempty"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
	Took   int64  `json:"took_ns,omitempty"`
}

// Tell returns r as it is told in JSON.
func (r Result) Tell() Told {
	t := Told{Name: r.Variant.Name, About: r.Variant.About, Want: r.Shot.Want, Finding: r.Fault, Detail: r.seen(), Note: r.Note, Skipped: r.Skipped}
	for _, a := range r.Answers {
		one := ToldAnswer{ID: a.ID, Status: a.Status, Took: int64(a.Took)}
		if a.Status == 0 {
			one.Detail = a.Detail
		}
		t.Answers = append(t.Answers, one)
	}
	if r.Effects != Unknown {
		t.Effects = &r.Effects
	}
	return t
}

// A Summary is all results in JSON, but for those themselves.
type Summary struct {
	Sent     int           `json:"sent"`
	Findings []ToldFinding `json:"findings"`
}

// A ToldFinding is a [Finding] in JSON.
type ToldFinding struct {
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Fix      string   `json:"fix"`
	Detail   string   `json:"detail"`
	Variants []string `json:"variants"`
}

// Summarize returns how many of results were sent, and their findings.
func Summarize(results []Result) Summary {
	s := Summary{Findings: []ToldFinding{}}
	for _, r := range results {
		if r.Skipped == "" {
			s.Sent++
		}
	}
	for _, f := range Findings(results) {
		s.Findings = append(s.Findings, ToldFinding{f.Fault.ID, f.Fault.Text, f.Fault.Fix, f.Detail, f.Variants})
	}
	return s
}

// WriteSARIF writes findings in SARIF 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), with the handler, of which
// only the URL is known, as their place: its path, under a base that is its origin (§3.14.14).
// As a whole URL, GitHub's code scanning refuses it, and so does it what has no line or
// rules without a full description.
// An attack that broke off has no findings, and broken says why (§3.20.14); handler is nil
// if it is not known then.
func WriteSARIF(w io.Writer, version string, handler *url.URL, findings []Finding, broken string) error {
	type text struct {
		Text string `json:"text"`
	}
	type rule struct {
		ID    string `json:"id"`
		Short text   `json:"shortDescription"`
		Full  text   `json:"fullDescription"`
		Help  text   `json:"help"`
	}
	type artifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	type region struct {
		Line int `json:"startLine"`
	}
	type physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   region   `json:"region"`
	}
	type location struct {
		Physical physical `json:"physicalLocation"`
	}
	type result struct {
		Rule      string     `json:"ruleId"`
		Level     string     `json:"level"`
		Message   text       `json:"message"`
		Locations []location `json:"locations"`
	}
	type driver struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Rules   []rule `json:"rules"`
	}
	type tool struct {
		Driver driver `json:"driver"`
	}
	type notification struct {
		Level   string `json:"level"`
		Message text   `json:"message"`
	}
	type invocation struct {
		Successful    bool           `json:"executionSuccessful"`
		Notifications []notification `json:"toolExecutionNotifications,omitempty"`
	}
	type run struct {
		Tool        tool                `json:"tool"`
		Invocations []invocation        `json:"invocations"`
		Bases       map[string]artifact `json:"originalUriBaseIds,omitempty"`
		Results     []result            `json:"results"`
	}
	one := run{Tool: tool{driver{Name: "devhook attack", Version: version, Rules: []rule{}}}, Invocations: []invocation{{Successful: broken == ""}}, Results: []result{}}
	if broken != "" {
		one.Invocations[0].Notifications = []notification{{"error", text{broken}}}
	}
	var at location
	if handler != nil {
		const base = "APP"
		origin := url.URL{Scheme: handler.Scheme, Host: handler.Host, Path: "/"}
		path := url.URL{Path: strings.TrimLeft(handler.Path, "/"), RawPath: strings.TrimLeft(handler.RawPath, "/")}
		at = location{physical{artifact{cmp.Or(path.String(), "."), base}, region{1}}}
		one.Bases = map[string]artifact{base: {URI: origin.String()}}
	}
	for _, f := range faults {
		one.Tool.Driver.Rules = append(one.Tool.Driver.Rules, rule{f.ID, text{"The handler " + f.Text + "."}, text{"The handler " + f.Text + ". " + f.Fix}, text{f.Fix}})
	}
	for _, f := range findings {
		one.Results = append(one.Results, result{
			Rule: f.Fault.ID, Level: "error",
			Message:   text{fmt.Sprintf("The handler %s (%s): %s. %s", f.Fault.Text, strings.Join(f.Variants, ", "), f.Detail, f.Fault.Fix)},
			Locations: []location{at},
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version string `json:"version"`
		Schema  string `json:"$schema"`
		Runs    []run  `json:"runs"`
	}{"2.1.0", "https://json.schemastore.org/sarif-2.1.0.json", []run{one}})
}
