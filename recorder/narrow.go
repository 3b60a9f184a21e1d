package recorder

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"devhook/verify"
)

// indexedKey reports whether conditions on key are answered by the index.
func indexedKey(key string) bool {
	switch key {
	case "provider", "event", "verdict", "reason", "outcome", "origin", "method", "path", "route",
		"status", "size", "took", "since", "until", "seq", "id", "pinned":
		return true
	}
	return false
}

var dictionaries = map[string]int{
	"provider": colProvider, "event": colEvent, "verdict": colVerdict, "reason": colReason, "outcome": colOutcome,
	"origin": colOrigin, "method": colMethod, "path": colPath, "route": colRoute, "status": colStatus,
}

// withWord returns an exchange of which nothing is known but what a column
// with a dictionary has: enough for a condition on that.
func withWord(col int, v string) *Exchange {
	ex := new(Exchange)
	switch col {
	case colProvider:
		ex.Provider = v
	case colEvent:
		ex.Event = v
	case colVerdict:
		ex.Verdict.Status = verify.Status(v)
	case colReason:
		ex.Verdict.Reason = verify.Reason(v)
	case colOutcome:
		ex.Outcome = Outcome(v)
	case colOrigin:
		ex.Origin = Origin(v)
	case colMethod:
		ex.Request.Method = v
	case colPath:
		ex.Request.URL = "http://-" + v
	case colRoute:
		ex.Route = v
	case colStatus:
		sender, app, both := strings.Cut(v, "/")
		if n, err := strconv.Atoi(sender); err == nil {
			ex.Response = &Response{Status: n}
		}
		if n, err := strconv.Atoi(app); err == nil && both {
			ex.App = &Response{Status: n}
		}
	}
	return ex
}

// rows returns the rows that fulfil what columns answer, and those of which
// the columns do not know, as their result is in another run.
func (f *search) rows(c *columnReader) (rows []uint32, err error) {
	var elsewhere map[uint32]*Exchange
	if len(f.indexed) > 0 {
		if elsewhere, err = f.finishedElsewhere(c); err != nil {
			return nil, err
		}
		for _, cond := range f.indexed { // what no row can fulfil costs next to nothing
			if changes(cond.Key) && slices.ContainsFunc(slices.Collect(maps.Values(elsewhere)), func(ex *Exchange) bool { return f.holds(cond, ex) }) {
				continue
			}
			if !cond.Not && c.u.none(&cond) {
				return nil, nil
			}
			if col, ok := dictionaries[cond.Key]; ok {
				values, _, err := c.dictionary(col)
				if err != nil {
					return nil, err
				}
				if !slices.ContainsFunc(values, func(v string) bool { return f.holds(cond, withWord(col, v)) }) {
					return nil, nil
				}
			}
		}
	}
	rows = make([]uint32, c.u.rows)
	for i := range rows {
		rows[i] = uint32(i)
	}
	if f.q.Before > 0 {
		if wanted := f.q.Before - c.u.at.first; wanted <= math.MaxUint32 {
			seq, err := c.column(colSeq)
			if err != nil {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(i uint32) bool { return uint64(binary.LittleEndian.Uint32(seq[i*4:])) >= wanted })
		}
	}
	for _, cond := range f.indexed {
		if rows, err = f.narrow(c, rows, cond, elsewhere); err != nil || len(rows) == 0 {
			break
		}
	}
	return rows, err
}

// changes reports whether a result changes what key asks for.
func changes(key string) bool { return key == "outcome" || key == "status" || key == "took" }

func (f *search) holds(cond Term, ex *Exchange) bool {
	ok, err := cond.match(f.s, ex)
	return err == nil && ok != cond.Not
}

// finishedElsewhere returns what is known of the ends of rows whose result is
// in another run; nil if there are none.
func (f *search) finishedElsewhere(c *columnReader) (map[uint32]*Exchange, error) {
	b, err := c.column(colOpen)
	if err != nil {
		return nil, err
	}
	var list map[uint32]*Exchange
	for ; len(b) >= 4+idLen; b = b[4+idLen:] {
		if more := f.x.ends[ID(b[4:4+idLen])]; more.r.n > 0 {
			if list == nil {
				list = map[uint32]*Exchange{}
			}
			list[binary.LittleEndian.Uint32(b)] = looseEnd(more.end)
		}
	}
	return list, nil
}

// narrow keeps the rows that fulfil cond.
func (f *search) narrow(c *columnReader, rows []uint32, cond Term, elsewhere map[uint32]*Exchange) ([]uint32, error) {
	flags, err := c.column(colFlags)
	if err != nil {
		return nil, err
	}
	want, err := f.asked(c, cond, flags)
	if err != nil {
		return nil, err
	}
	if !changes(cond.Key) {
		elsewhere = nil
	}
	kept := rows[:0]
	for _, i := range rows {
		if elsewhere != nil && flags[i]&flagOpen != 0 && elsewhere[i] != nil {
			if f.holds(cond, elsewhere[i]) {
				kept = append(kept, i)
			}
		} else if want(i) {
			kept = append(kept, i)
		}
	}
	return kept, nil
}

// asked returns what tells by its columns whether a row fulfils cond.
func (f *search) asked(c *columnReader, cond Term, flags []byte) (func(row uint32) bool, error) {
	if col, ok := dictionaries[cond.Key]; ok {
		return f.askedWord(c, col, cond)
	}
	switch cond.Key {
	case "id":
		b, err := c.column(colID)
		var ex Exchange
		return func(i uint32) bool {
			ex.ID = ID(b[i*idLen : (i+1)*idLen])
			return f.holds(cond, &ex)
		}, err
	case "pinned":
		return f.askedPin(c, cond)
	case "took":
		return askedTook(c, cond, flags)
	}
	return askedNumber(c, cond)
}

// askedWord asks once for each value of a dictionary.
func (f *search) askedWord(c *columnReader, col int, cond Term) (func(row uint32) bool, error) {
	values, code, err := c.dictionary(col)
	if err != nil {
		return nil, err
	}
	ok := make([]bool, len(values))
	for i, v := range values {
		ok[i] = f.holds(cond, withWord(col, v))
	}
	return func(i uint32) bool { n := code(i); return n < len(ok) && ok[n] }, nil
}

func (f *search) askedPin(c *columnReader, cond Term) (func(row uint32) bool, error) {
	is, isNot := f.holds(cond, &Exchange{Pinned: true}), f.holds(cond, &Exchange{})
	if is == isNot || !f.x.pinnedIn(c.u) { // is the same for all
		return func(uint32) bool { return isNot }, nil
	}
	b, err := c.column(colID)
	return func(i uint32) bool {
		if f.x.ends[ID(b[i*idLen:(i+1)*idLen])].pinned {
			return is
		}
		return isNot
	}, err
}

// askedTook asks for the time of either answer: the sender's or the app's own.
func askedTook(c *columnReader, cond Term, flags []byte) (func(row uint32) bool, error) {
	took, err := c.column(colTook)
	if err != nil {
		return nil, err
	}
	appTook, err := c.column(colAppTook)
	return func(i uint32) bool {
		ok := flags[i]&flagAnswered != 0 && cond.within(int64(number64(took, i))) ||
			flags[i]&flagApp != 0 && cond.within(int64(number64(appTook, i)))
		return ok != cond.Not
	}, err
}

// askedNumber asks for a number that each row has one of.
func askedNumber(c *columnReader, cond Term) (func(row uint32) bool, error) {
	var b []byte
	var err error
	number := func(i uint32) int64 { return int64(number64(b, i)) }
	switch cond.Key {
	case "size":
		b, err = c.column(colSize)
	case "since", "until":
		b, err = c.column(colAt)
		number = func(i uint32) int64 { return microOf(int64(number64(b, i))) }
	case "seq":
		b, err = c.column(colSeq)
		number = func(i uint32) int64 { return int64(c.u.at.first) + int64(binary.LittleEndian.Uint32(b[i*4:])) }
	}
	return func(i uint32) bool { return cond.within(number(i)) != cond.Not }, err
}

// pinnedIn reports whether something that is pinned can be in u.
func (x *index) pinnedIn(u *run) bool {
	for id, more := range x.ends {
		if more.pinned && u.min <= id && id <= u.max {
			return true
		}
	}
	return false
}

func number64(b []byte, i uint32) uint64 { return binary.LittleEndian.Uint64(b[i*8:]) }
