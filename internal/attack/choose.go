package attack

import (
	"fmt"
	"slices"
	"strings"

	"devhook/internal/similar"
)

// Choose returns the variants of the given names, all if there are none.
func Choose(names []string) ([]Variant, error) {
	if len(names) == 0 {
		return Variants, nil
	}
	var list []Variant
	var known []string
	for _, v := range Variants {
		known = append(known, v.Name)
		if slices.Contains(names, v.Name) {
			list = append(list, v)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown variant %q (near: %s)", name, strings.Join(similar.Names(name, known, 3), ", "))
		}
	}
	return list, nil
}
