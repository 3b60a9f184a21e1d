package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// bodyFiles are what can become of the file of a body.
var bodyFiles = map[string]func(path string) error{
	"a byte changed": func(path string) error {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 1
		return os.WriteFile(path, b, 0o600)
	},
	"cut":   func(path string) error { return os.Truncate(path, 1000) },
	"empty": func(path string) error { return os.Truncate(path, 0) },
	"longer": func(path string) error {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString("more")
		return errors.Join(err, f.Close())
	},
	"not UTF-8 any more": func(path string) error { return os.WriteFile(path, []byte("\xff\xfe"), 0o600) },
	"gone":               os.Remove,
}

// A body's file that is not what was recorded is told, after what is in it.
func TestDamagedBody(t *testing.T) {
	for name, spoil := range bodyFiles {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			text := strings.Repeat("é, a text; ", MaxInline/8)
			b := spool(t, s, []byte(text))
			if got, err := s.ReadBody(b); err != nil || string(got) != text {
				t.Fatalf("whole: %d bytes, %v", len(got), err)
			}
			if err := s.CopyBody(io.Discard, b); err != nil {
				t.Fatalf("whole: %v", err)
			}
			if err := spoil(s.bodyPath(b.Sum)); err != nil {
				t.Fatal(err)
			}
			left, _ := os.ReadFile(s.bodyPath(b.Sum))

			var copied bytes.Buffer
			err := s.CopyBody(&copied, b)
			wantDamage(t, "CopyBody", err)
			if !bytes.Equal(copied.Bytes(), left) {
				t.Errorf("CopyBody gave %d of %d bytes", copied.Len(), len(left))
			}
			got, err := s.ReadBody(b)
			wantDamage(t, "ReadBody", err)
			if !bytes.Equal(got, left) {
				t.Errorf("ReadBody gave %d of %d bytes", len(got), len(left))
			}

			ex := sample()
			ex.Request.Body, ex.Response.Body = Body{Bytes: []byte("x")}, b
			var line bytes.Buffer
			err = s.WriteJSON(&line, ex)
			wantDamage(t, "WriteJSON", err)
			switch isGone := errors.Is(err, fs.ErrNotExist); {
			case isGone && line.Len() > 0:
				t.Errorf("WriteJSON wrote %d bytes before it told that a body is gone", line.Len())
			case !isGone && !json.Valid(line.Bytes()):
				t.Error("WriteJSON did not end the object")
			}
		})
	}
}

// wantDamage reports an error that does not tell a damaged or missing file.
func wantDamage(t *testing.T, what string, err error) {
	t.Helper()
	var damaged *DamagedError
	isDamaged := errors.As(err, &damaged) && strings.Contains(err.Error(), "damaged") && damaged.File != ""
	if !isDamaged && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", what, err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestCopyBodyOfAll(t *testing.T) {
	s := open(t, t.TempDir())
	for _, text := range []string{"", "small", strings.Repeat("large ", MaxInline)} {
		b := spool(t, s, []byte(text))
		var got bytes.Buffer
		if err := s.CopyBody(&got, b); err != nil || got.String() != text {
			t.Errorf("%d bytes: %d, %v", len(text), got.Len(), err)
		}
		if err := s.CopyBody(broken{}, b); text != "" && !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%d bytes to a writer that fails: %v", len(text), err)
		}
	}
	if err := s.CopyBody(io.Discard, Body{Sum: "../lock"}); err == nil {
		t.Error("a file that is no body was read")
	}
}

// A filter that cannot read a body tells so, and the others are found.
func TestFilterOverDamagedBody(t *testing.T) {
	s := open(t, t.TempDir())
	for range 2 {
		ex := newExchange(1)
		ex.Request.Body = spool(t, s, []byte(`{"a":1,"b":"`+strings.Repeat("x", MaxInline)+`"}`))
		mustAppend(t, s, ex)
		small := newExchange(2)
		small.Request.Body = Body{Bytes: []byte(`{"a":1}`)}
		mustAppend(t, s, small)
	}
	names, err := os.ReadDir(s.path("bodies"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := os.Truncate(s.path("bodies", names[0].Name()), 10); err != nil {
		t.Fatal(err)
	}
	f, err := ParseFilter(noon, "body.a=1")
	if err != nil {
		t.Fatal(err)
	}
	found, failed := 0, 0
	for _, err := range s.Query(Query{Filter: f}) {
		if err != nil {
			wantDamage(t, "Query", err)
			failed++
			continue
		}
		found++
	}
	if found != 2 || failed != 2 {
		t.Errorf("%d found, %d failed, want 2 and 2", found, failed)
	}
}

// A body that comes again is whole, whatever became of its file meanwhile.
func TestBodyOverADamagedOne(t *testing.T) {
	for name, spoil := range bodyFiles {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			text := strings.Repeat("once more; ", MaxInline/8)
			b := spool(t, s, []byte(text))
			if err := spoil(s.bodyPath(b.Sum)); err != nil {
				t.Fatal(err)
			}
			again := spool(t, s, []byte(text))
			if got, err := s.ReadBody(again); err != nil || string(got) != text || again.Sum != b.Sum {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
			names, err := os.ReadDir(s.path("bodies"))
			if err != nil || len(names) != 1 {
				t.Errorf("got %d files of one body, %v", len(names), err)
			}
		})
	}
}
