package recorder

import "slices"

// FilterKeys returns the keys that conditions of a filter have before their colon,
// but for header.NAME, and closed lists of values, of the keys that have one. It is
// for who offers them to a person who types.
func FilterKeys() (keys []string, values map[string][]string) {
	values = map[string][]string{}
	for key, list := range closedWords {
		values[key] = slices.Clone(list)
	}
	return slices.Clone(filterKeys), values
}
