package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
)

// A checked is what became of one webhook, for a report.
type checked struct {
	name, class string
	took        time.Duration
	why         string // it is not as expected; "": it is
	said        string // the beginning of the answer that is not, in one line; or what else there is to say
	skipped     string // why it was not sent; "": it was
	broken      bool   // why is of the run, and not of what the app did
}

// junit is a report in the format that CI systems read; it has no standard, and
// this is the part of it that they agree on, as the schemas of Jenkins
// (junit-10.xsd) and Maven (surefire-test-report.xsd) have it.
type junit struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Type    string `xml:"type,attr,omitempty"` // Maven's wants one, but not of what was skipped
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// reportJUnit writes a report.
func reportJUnit(w io.Writer, suite string, list []checked) error {
	report := junit{Name: suite, Tests: len(list)}
	var all time.Duration
	for _, c := range list {
		all += c.took
		entry := junitCase{Name: c.name, Class: c.class, Time: seconds(c.took)}
		switch {
		case c.broken:
			report.Errors++
			entry.Error = &junitMessage{"error", c.why, c.said}
		case c.why != "":
			report.Failures++
			entry.Failure = &junitMessage{"failure", c.why, c.said}
		case c.skipped != "":
			report.Skipped++
			entry.Skipped = &junitMessage{Message: c.skipped}
		}
		report.Cases = append(report.Cases, entry)
	}
	report.Time = seconds(all)
	text, err := xml.MarshalIndent(report, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	}
	return err
}

// report writes the report that was asked for, if any, of a run that ended with err, and
// returns err.
func (s *sending) report(err error) error {
	if s.junit == "" || s.c.Bool("dry-run") {
		return err
	}
	return reportOf(s.junit, "devhook "+s.c.Command.Name, s.reported, err)
}

// reportOf writes a report of list, and returns err, which the run ended with, unless it
// cannot be written. An err that nothing in list tells of is an error in it: who reads
// reports alone must not take the app for right, and not read one of an earlier run.
func reportOf(path, suite string, list []checked, err error) error {
	if err != nil {
		f := explain(err)
		told := (f.code == 1 || f.code == 4) && slices.ContainsFunc(list, func(c checked) bool { return c.why != "" })
		if !told {
			list = append(slices.Clone(list), checked{name: suite, class: "devhook", why: cmp.Or(f.text, "interrupted"), said: f.hint, broken: true})
		}
	}
	written := writeReport("junit", path, func(w io.Writer) error { return reportJUnit(w, suite, list) })
	return cmp.Or(written, err)
}

// writeReport writes the report that a flag asks for into the file that it names, whole or
// not at all; none if it names none.
func writeReport(flag, path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	var b bytes.Buffer
	err := write(&b)
	if err == nil {
		err = config.WriteFile(path, b.Bytes())
	}
	if err != nil {
		return &failure{code: 2, text: "--" + flag + ": " + err.Error(), err: err}
	}
	return nil
}

// seconds is d as a report has it: Maven's schema has three decimals at most.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// checkedOf returns the entry of a report for what was sent.
func checkedOf(done *recorder.Exchange, source *recorder.Exchange, why string) checked {
	c := checked{class: cmp.Or(done.Provider, "unknown"), why: why}
	c.name = cmp.Or(done.Event, done.Request.Method+" "+done.Request.URL)
	if source.Seq != 0 {
		c.name = fmt.Sprintf("#%d %s", source.Seq, c.name)
	}
	if len(done.Changes) > 0 {
		c.name += " (" + strings.Join(done.Changes, ", ") + ")"
	}
	if done.Response != nil {
		c.took = done.Response.Took
	}
	if why == "" && done.Outcome != recorder.Answered {
		c.why = "not answered: " + done.Detail
	}
	if c.why != "" {
		c.said = said(done)
	}
	return c
}

// said is the beginning of what the app answered, in one line, "" if that is nothing.
func said(done *recorder.Exchange) string {
	if done.Outcome != recorder.Answered {
		return ""
	}
	return terminal.Excerpt(done.Answer().Body.Bytes)
}

// A baseline is an earlier run, as --json printed it.
type baseline struct {
	runs                        map[string][]*recorder.Exchange // by what was sent
	fixed, regressed, same, new int
	newBad                      int // of the new
	gone                        int // were sent then, and not now; known at the end of a whole run
}

// readBaseline reads the output of an earlier run with --json.
func readBaseline(path string) (*baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &failure{code: 2, text: "--baseline: " + err.Error(), err: err, hint: "devhook replay … --json >" + path + " makes one"}
	}
	list, err := recorder.Parse(text)
	if err != nil {
		return nil, &failure{code: 2, text: "--baseline: " + path + ": " + err.Error(), err: err, hint: "it is what devhook replay … --json printed"}
	}
	b := &baseline{runs: map[string][]*recorder.Exchange{}}
	for _, ex := range list {
		key := baselineKey(ex)
		b.runs[key] = append(b.runs[key], ex)
	}
	return b, nil
}

// baselineKey tells what was sent: the recording, else the event and where to, and
// the changes but for those that are others each time.
func baselineKey(ex *recorder.Exchange) string {
	parts := []string{string(ex.Parent)}
	if ex.Parent == "" {
		_, target := recorder.SplitURL(ex.Request.URL)
		parts = []string{ex.Provider, ex.Event, target}
	}
	for _, c := range ex.Changes {
		if !strings.HasPrefix(c, "shift-time ") && !strings.HasPrefix(c, "renew ") {
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, "\n")
}

// compare counts what has become of done since the earlier run, and says so if it
// is something else. wrong is why it counts against this run, "" if it does not: what
// was bad before, too, is known. bad tells whether an exchange is not as expected.
func (b *baseline) compare(done *recorder.Exchange, bad func(*recorder.Exchange) bool) (text, wrong string) {
	key := baselineKey(done)
	earlier := b.runs[key]
	if len(earlier) == 0 {
		b.new++
		if bad(done) {
			b.newBad++
			wrong = "new, and the outcome is " + outcomeText(done)
		}
		return wrong, wrong
	}
	was := earlier[0]
	b.runs[key] = earlier[1:]
	switch before, now := bad(was), bad(done); {
	case before && !now:
		b.fixed++
		return "fixed: " + outcomeText(was) + " before, now " + outcomeText(done), ""
	case !before && now:
		b.regressed++
		text = "regressed: " + outcomeText(was) + " before, now " + outcomeText(done)
		return text, text
	}
	b.same++
	return "", ""
}

// end counts what the earlier run had and this one, which was whole, had not.
func (b *baseline) end() {
	for _, left := range b.runs {
		b.gone += len(left)
	}
}

func outcomeText(ex *recorder.Exchange) string {
	if ex.Outcome == recorder.Answered && ex.Response != nil {
		return fmt.Sprint(ex.Response.Status)
	}
	return string(ex.Outcome)
}

func (b *baseline) summary() string {
	text := fmt.Sprintf("since the baseline: %d fixed, %d regressed, %d unchanged", b.fixed, b.regressed, b.same)
	if b.new > 0 {
		text += fmt.Sprintf(", %d new", b.new)
	}
	if b.gone > 0 {
		text += fmt.Sprintf(", %d gone", b.gone)
	}
	return text
}

// compareToBaseline tells of done what is otherwise than in the earlier run, and
// returns why that counts against this one, "" if it does not. mu is held.
func (s *sending) compareToBaseline(done, source *recorder.Exchange) (wrong string) {
	text, wrong := s.baseline.compare(done, func(ex *recorder.Exchange) bool {
		if s.c.IsSet("expect") {
			return s.expect.Check(ex, source) != ""
		}
		return ex.Outcome != recorder.Answered || ex.Response == nil || ex.Response.Status >= 400
	})
	switch {
	case wrong != "":
		s.errs.Printf("%s #%d: %s", s.errs.Bad("devhook:"), done.Seq, s.quoting(text, done))
	case text != "":
		s.errs.Printf("%s #%d: %s", s.errs.Good("devhook:"), done.Seq, terminal.Safe(text))
	}
	return wrong
}
