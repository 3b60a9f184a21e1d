package yamlx

import (
	"fmt"
	"testing"
)

func TestOver(t *testing.T) {
	const base = "name: base\nn: 1\nwords: [a]\ninner: {a: 1, b: {c: 2}, l: [3]}\non: true\n"
	for _, tt := range []struct{ name, src, want string }{
		{"nothing", "n: 2\n", "map[inner:map[a:1 b:map[c:2] l:[3]] n:2 name:base on:true words:[a]]"},
		{"merged at every depth", "inner: {b: {d: 4}}\n", "map[inner:map[a:1 b:map[c:2 d:4] l:[3]] n:1 name:base on:true words:[a]]"},
		{"lists are replaced", "words: [b]\ninner: {l: [5]}\n", "map[inner:map[a:1 b:map[c:2] l:[5]] n:1 name:base on:true words:[b]]"},
		{"taken away", "n: ~\non:\ninner: {b: ~}\n", "map[inner:map[a:1 l:[3]] name:base words:[a]]"},
		{"another kind", "inner: x\nname: {y: z}\n", "map[inner:x n:1 name:map[y:z] on:true words:[a]]"},
	} {
		n, err := Parse([]byte(tt.src))
		b, err2 := Parse([]byte(base))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		merged, err := n.Over(b, n)
		var got any
		if err == nil {
			err = merged.at.Decode(&got)
		}
		if text := fmt.Sprint(got); err != nil || text != tt.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tt.name, err, text, tt.want)
		}
	}
}
