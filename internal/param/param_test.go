package param

import (
	"slices"
	"testing"
)

func TestNames(t *testing.T) {
	got := slices.Collect(Names("a=1&&b&%63+d=2&%zz=3&=4&a;x=5&e"))
	if want := []string{"a", "b", "c d", "", "a;x", "e"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParams(t *testing.T) {
	tests := []struct{ raw, name, value, want string }{
		{"", "a", "1", "a=1"},
		{"b=2", "a", "1", "b=2&a=1"},
		{"b=2&", "a", "1", "b=2&a=1"},
		{"a=0", "a", "1", "a=1"},
		{"a", "a", "1", "a=1"},
		{"x&a&y", "a", "1", "x&a=1&y"},
		{"A=0&a=0", "a", "1", "A=0&a=1"},
		{"A=0&b", "a", "1", "A=1&b"},
		{"a=0&b&a=2&a=3&c", "a", "1", "a=1&b&c"},
		{"%61=0", "a", "1", "%61=1"},
		{"a=%31", "a", "1", "a=%31"}, // right already
		{"a=x+y", "a", "x y", "a=x+y"},
		{"a=0", "a", "+/= &", "a=%2B%2F%3D+%26"},
		{"a=b=c", "a", "1", "a=1"},
		{"%zz=1&a;b=2", "a", "1", "%zz=1&a;b=2&a=1"},
	}
	for _, tt := range tests {
		if got := Set(tt.raw, tt.name, tt.value); got != tt.want {
			t.Errorf("Set(%q, %q, %q) = %q, want %q", tt.raw, tt.name, tt.value, got, tt.want)
		}
		if value, n := Find(tt.want, tt.name); n != 1 {
			t.Errorf("Find(%q, %q) = %q, %d", tt.want, tt.name, value, n)
		} else if got, ok := Unescape(value); got != tt.value || !ok {
			t.Errorf("%q holds %q, want %q", tt.want, got, tt.value)
		}
	}
}

func TestRemove(t *testing.T) {
	for _, tt := range []struct{ raw, name, want string }{
		{"", "a", ""},
		{"b=2", "a", "b=2"},
		{"a=1", "a", ""},
		{"a=1&b=2", "a", "b=2"},
		{"b=2&a=1", "a", "b=2"},
		{"x&a=1&a&y;z=%zz", "a", "x&y;z=%zz"},
		{"A=1&a=2", "a", "A=1"},
		{"A=1&b", "a", "b"},
		{"%61=1&&b", "a", "&b"},
	} {
		if got := Remove(tt.raw, tt.name); got != tt.want {
			t.Errorf("Remove(%q, %q) = %q, want %q", tt.raw, tt.name, got, tt.want)
		}
	}
}
