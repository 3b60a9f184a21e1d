package config

import (
	"time"

	"devhook/internal/yamlx"
	"devhook/recorder"
)

// Keep returns for how long and up to how many bytes recordings are kept; 0 is
// without a bound.
func (c *Config) Keep() (age time.Duration, size int64) {
	age, _ = ParseAge(c.Get("keep-age").Text()) // else it is off
	size, _ = recorder.ParseSize(c.Get("keep-size").Text())
	return age, size
}

// readKeep reads the settings keep-age and keep-size, which stand under keep.
func (f *file) readKeep(n yamlx.Node) error {
	return yamlx.Fields[*file]{"age": reading("keep-age"), "size": reading("keep-size")}.Read(f, n)
}

// reading returns what reads the setting with a name.
func reading(name string) func(*file, yamlx.Node) error {
	return func(f *file, n yamlx.Node) error { return f.readSetting(settingOf(name), n) }
}
