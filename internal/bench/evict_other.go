//go:build !linux

package main

// evict would take the files of dir out of the system's memory.
func evict(string) error { return nil }
