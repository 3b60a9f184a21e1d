package main

import (
	"os"
	"path/filepath"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
)

// publicURL is where senders reach devhook.
func (u *up) publicURL() string {
	if u.ngrok != nil {
		return u.ngrok.URL().String()
	}
	return u.local.URL().String()
}

// ready tells that webhooks can come, and where.
func (u *up) ready() error {
	public := u.publicURL()
	u.inspect.ready.Store(true) // before anybody is told, and asks
	for _, pl := range u.places(public) {
		u.out.MakeRoom(pl.provider.ID)
	}
	switch {
	case u.cfg.Get("output").Text() == "json":
		u.printPatiently(u.readyLine(public))
	case !u.agentLog.stdout: // else the log tells it
		u.describeReady(public)
	}
	u.announce(public)
	u.tell()
	u.logStarted()
	if err := u.writeReadyFile(); err != nil {
		return &failure{code: 2, text: "--ready-file: " + err.Error(), err: err}
	}
	if u.onReady != nil {
		u.onReady(public)
	}
	return nil
}

// checkPlace refuses a place where the file that flag names cannot be, before
// anything is opened, sent or taken away there.
func checkPlace(flag, path string) error {
	if path == "" {
		return nil
	}
	text := ""
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		text = path + " is a directory"
	} else if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
		text = "there is no directory " + filepath.Dir(path)
	}
	if text == "" {
		return nil
	}
	return &failure{code: 2, text: "--" + flag + ": " + text, hint: "name a file in a directory that is there"}
}

// writeReadyFile tells scripts the public URL, if they have asked for it.
func (u *up) writeReadyFile() error {
	if u.readyFile == "" {
		return nil
	}
	return config.WriteFile(u.readyFile, []byte(u.publicURL()+"\n"))
}

// notReady takes back what ready has left behind, or a run before this one.
func (u *up) notReady() {
	if u.readyFile != "" {
		os.Remove(u.readyFile)
	}
	if u.running != nil {
		u.running.Close()
		u.running = nil
	}
}

// announce says loudly that the public URL is another than the last time, and
// where the old one must be replaced. It remembers the new one in the store.
func (u *up) announce(public string) {
	u.announced = public
	if u.ngrok == nil {
		return
	}
	path := filepath.Join(u.store.Path(), "last-url")
	old, err := os.ReadFile(path)
	if was := strings.TrimSpace(string(old)); err == nil && was != public && was != "" {
		if u.cfg.Get("output").Text() != "json" {
			u.errs.Printf("")
			u.errs.Printf("%s", u.errs.Bad("THE PUBLIC URL HAS CHANGED"))
			u.errs.Printf("  it was  %s", terminal.Safe(was))
			u.errs.Printf("  it is   %s", u.errs.Bold(terminal.Safe(public)))
			u.errs.Printf("  Until it is replaced, webhooks go to the old one. Replace it:")
			u.describePlaces(public)
			u.errs.Paragraph(2, "A URL that stays: --url with a domain of yours, see https://dashboard.ngrok.com/domains")
		}
	}
	if string(old) != public+"\n" {
		if err := config.WriteFile(path, []byte(public+"\n")); err != nil {
			u.log.Warn("cannot remember the public URL", "error", err)
		}
	}
}
