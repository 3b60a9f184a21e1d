package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const largeBody = 100 << 20

// zeros gives n bytes.
func zeros(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// large measures how much more memory devhook up has had for a body of 100 MiB, one way
// and the other, than for a few small ones: each in a process of its own.
func large(devhook string) error {
	app, stopApp, err := start([]string{os.Args[0], "-role", "app"}, "")
	if err != nil {
		return err
	}
	defer stopApp()
	fmt.Fprintf(tables, "\n| %-30s | %8s | %8s |\n|%s|%s|%s|\n", "a body of 100 MiB", "peak MB", "MB more", strings.Repeat("-", 32), strings.Repeat("-", 9)+":", strings.Repeat("-", 9)+":")
	base := 0.0
	for _, c := range []struct {
		name, path string
		body       int64
		want       int64
	}{
		{"small ones alone", "/", 1, 300},
		{"uploaded", "/", largeBody, 300},
		{"downloaded", "/large", 1, largeBody},
	} {
		peak, err := peakOf(devhook, app, c.path, c.body, c.want)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if base == 0 {
			base = peak
		}
		fmt.Fprintf(tables, "| %-30s | %8.0f | %8.0f |\n", c.name, peak, peak-base)
	}
	return nil
}

func peakOf(devhook, app, path string, size, want int64) (float64, error) {
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	addr, stop, err := start(upArgs("http://"+app, abs, devhook), filepath.Join(abs, "ready"))
	if err != nil {
		return 0, err
	}
	defer stop()
	post := func(path string, size, want int64) error {
		req, err := http.NewRequest("POST", "http://"+addr+path, zeros(size))
		if err != nil {
			return err
		}
		req.ContentLength = size
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && (n != want || resp.StatusCode != 200) {
			err = fmt.Errorf("status %d with %d bytes", resp.StatusCode, n)
		}
		return err
	}
	for range 200 {
		if err := post("/", 1<<10, 300); err != nil {
			return 0, err
		}
	}
	if err := post(path, size, want); err != nil {
		return 0, err
	}
	return peakMB(stop()), nil
}
