// Package similar finds what a person meant who mistyped a name. Whether to
// ask or to go on is left to others.
package similar

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// maxWord bounds the work for a word from outside, in bytes.
const maxWord = 64

// Names returns up to n of the known names, the most similar to word first.
func Names(word string, known []string, n int) []string { return ranking(word, known, n, math.MaxInt) }

// Near is Names without those that are not similar: that have less than half of
// word in common with it. The first one stays, so that there is one to tell of.
func Near(word string, known []string, n int) []string {
	return ranking(word, known, n, max(1, min(len(word), maxWord)/2))
}

func ranking(word string, known []string, n, farthest int) []string {
	type ranked struct {
		name     string
		distance int
	}
	list := make([]ranked, len(known))
	for i, name := range known {
		list[i] = ranked{name, distance(word[:min(len(word), maxWord)], name)}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, n)
	for i, r := range list[:min(n, len(list))] {
		if i > 0 && r.distance > farthest {
			break
		}
		names = append(names, r.name)
	}
	return names
}

// Typo returns the one of the known names that word is most likely a slip of,
// or "" if none is near enough to be sure.
func Typo(word string, known []string) string {
	if len(word) > maxWord {
		return ""
	}
	best, least := "", min(3, 1+len(word)/3)
	for _, name := range known {
		if d := distance(word, name); d > 0 && d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace to make b of a,
// or to swap with the next (optimal string alignment, Damerau 1964), case
// aside; that a is how b begins counts as one.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if a != "" && a != b && strings.HasPrefix(b, a) {
		return 1
	}
	var before []int // the row before the last
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := row[j]
			if a[i] != b[j] {
				cost++
			}
			next[j+1] = min(cost, next[j]+1, row[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
