package config

import (
	"time"

	"devhook/internal/yamlx"
	"devhook/recorder"
)

// keepAll is the value of keep-age and keep-size that removes nothing.
const keepAll = "off"

// Keep returns for how long and up to how many bytes recordings are kept; 0 is
// without a bound.
func (c *Config) Keep() (age time.Duration, size int64) {
	if text := c.Get("keep-age").Text(); text != keepAll {
		age, _ = ParseAge(text)
	}
	if text := c.Get("keep-size").Text(); text != keepAll {
		size, _ = recorder.ParseSize(text)
	}
	return age, size
}

func checkKeepAge(s string) error {
	if s == keepAll {
		return nil
	}
	_, err := ParseAge(s)
	return err
}

func checkKeepSize(s string) error {
	if s == keepAll {
		return nil
	}
	return checkSize(s)
}

// readKeep reads the settings keep-age and keep-size, which stand under keep.
func (f *file) readKeep(n yamlx.Node) error { return keepFields.Read(f, n) }

var keepFields = func() yamlx.Fields[*file] {
	t := yamlx.Fields[*file]{}
	for _, s := range settings {
		if name, ok := keepNames[s.name]; ok {
			t[name] = func(f *file, n yamlx.Node) error { return f.readSetting(s, n) }
		}
	}
	return t
}()

var keepNames = map[string]string{"keep-age": "age", "keep-size": "size"}
