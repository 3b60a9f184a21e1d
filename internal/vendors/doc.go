// Package vendors has no code of its own: its tests, behind the build tag
// vendors, have the vendors' own SDKs from npm judge what devhook signs and
// passes on. `make vendors` runs them.
package vendors
