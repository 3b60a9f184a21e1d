package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"devhook/internal/attack"
	"devhook/internal/config"
	"devhook/internal/interchange"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// completeName is the command that the scripts for shells call: with the words that
// are typed, of which the last is to be completed and may be empty.
const completeName = "__complete"

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print what has a shell complete commands", ArgsUsage: "bash|zsh|fish|powershell",
		Description: `Commands, flags and their values, recordings, providers, samples and filters are completed.

  bash        source <(devhook completion bash)
  zsh         source <(devhook completion zsh)
  fish        devhook completion fish | source
  PowerShell  devhook completion powershell | Out-String | Invoke-Expression

Put the line where your shell starts: ~/.bashrc, ~/.zshrc behind compinit,
~/.config/fish/config.fish, $PROFILE.`,
		Action: func(c *cli.Context) error {
			script, ok := completionScripts[c.Args().First()]
			if !ok || c.NArg() != 1 {
				return &failure{code: 2, text: "completion takes one of bash, zsh, fish, powershell", hint: "devhook help completion"}
			}
			_, err := fmt.Fprint(p.stdout, script)
			return wrote(err)
		},
	}
}

func (p *program) completeCommand() *cli.Command {
	return &cli.Command{
		Name: completeName, Hidden: true, Usage: "complete what is typed", ArgsUsage: "WORD…", Flags: commonFlags(),
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) == 0 {
				words = []string{""}
			}
			t := typed{p: p, c: c, app: c.App}
			for _, o := range t.offers(words[:len(words)-1], words[len(words)-1]) {
				line := terminal.Safe(o.text)
				if o.about != "" {
					line += "\t" + terminal.Safe(o.about)
				}
				if _, err := fmt.Fprintln(p.stdout, line); err != nil {
					return wrote(err)
				}
			}
			return nil
		},
	}
}

// An offer is one way to go on, and what it is.
type offer struct{ text, about string }

// A typed line is completed. What cannot be known, because devhook.yaml is wrong or
// there is no store, is not offered: a shell is no place for errors.
type typed struct {
	p   *program
	c   *cli.Context
	app *cli.App
}

// offers returns what can stand in the place of last, behind the words before it.
func (t *typed) offers(before []string, last string) []offer {
	if len(before) == 0 {
		return beginning(named(t.app.Commands), last)
	}
	cmd := t.app.Command(before[0])
	if cmd == nil {
		return nil
	}
	before = before[1:]
	for len(before) > 0 && subcommand(cmd, before[0]) != nil {
		cmd, before = subcommand(cmd, before[0]), before[1:]
	}
	if len(before) > 0 {
		if f := flagOf(cmd, before[len(before)-1]); f != nil && takesValue(f) {
			return beginning(t.values(f.Names()[0], last), last)
		}
	}
	name, value, hasValue := strings.Cut(last, "=")
	switch isFlag := strings.HasPrefix(last, "-"); {
	case isFlag && hasValue:
		return t.valued(cmd, name, value)
	case isFlag && !recorder.IsFilterWord(last):
		return beginning(t.flags(cmd, last), last)
	}
	return beginning(t.arguments(cmd, last), last)
}

// named are the names of commands, but of those that nobody types.
func named(commands []*cli.Command) (all []offer) {
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, offer{c.Name, c.Usage})
		}
	}
	return all
}

// flags are those of cmd, and the conditions that begin like one.
func (t *typed) flags(cmd *cli.Command, last string) (all []offer) {
	for _, f := range cmd.Flags {
		for _, name := range f.Names() {
			if len(name) > 1 {
				usage := f.(cli.DocGenerationFlag).GetUsage()
				all = append(all, offer{"--" + name, strings.ReplaceAll(usage, "`", "")})
			}
		}
	}
	if strings.Contains(cmd.ArgsUsage, "FILTER") {
		all = append(all, t.filters(last)...)
	}
	return all
}

// valued are the words NAME=VALUE of a flag.
func (t *typed) valued(cmd *cli.Command, name, value string) []offer {
	f := flagOf(cmd, name)
	if f == nil {
		return nil
	}
	all := beginning(t.values(f.Names()[0], value), value)
	for i := range all {
		all[i].text = name + "=" + all[i].text
	}
	return all
}

// beginning returns those of all that begin with text.
func beginning(all []offer, text string) []offer {
	return slices.DeleteFunc(all, func(o offer) bool { return !strings.HasPrefix(o.text, text) })
}

// flagOf returns the flag of cmd that word is; nil if it is none.
func flagOf(cmd *cli.Command, word string) cli.Flag {
	if len(word) < 2 || word[0] != '-' {
		return nil
	}
	i := slices.IndexFunc(cmd.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), strings.TrimLeft(word, "-")) })
	if i < 0 {
		return nil
	}
	return cmd.Flags[i]
}

func takesValue(f cli.Flag) bool { _, is := f.(*cli.BoolFlag); return !is }

// usualValues are those of flags that take one of a few words, or mostly do; those of
// settings are in internal/config.
var usualValues = map[string][]string{
	"color": {"auto", "always", "never"}, "expect": {"2xx", "200", "same"}, "log": {"stdout", "stderr"}, "log-format": {"logfmt", "json"},
	"frames": {"all"}, "host-header": {"rewrite", "preserve"}, "inspect": {"off"}, "by": {"hour", "day"}, "while": {"5xx", "timeout", "no-answer"},
	"speed": {"1x", "10x", "max"}, "shift-time": {"now"},
}

// values are those that a flag can have, of which last is the beginning.
func (t *typed) values(flag, last string) []offer {
	switch flag {
	case "provider", "accept-handshake", "as":
		return t.providers("")
	case "secret":
		return t.providers("=")
	case "with":
		return t.providers(".")
	case "filter":
		return t.filters(last)
	case "after":
		return t.recordings()
	case "sign":
		return words(replay.SignModes...)
	case "format":
		return words(interchange.Formats()...)
	case "only":
		all, _ := attack.Choose(nil) // has no name to be wrong
		var list []offer
		for _, v := range all {
			list = append(list, offer{v.Name, v.About})
		}
		return list
	}
	return words(slices.Concat(usualValues[flag], config.Choices(flag))...)
}

func words[S ~string](list ...S) []offer {
	var all []offer
	for _, s := range list {
		all = append(all, offer{text: string(s)})
	}
	return all
}

// arguments are what a command takes, by the words of its help, and the commands below it.
func (t *typed) arguments(cmd *cli.Command, last string) []offer {
	all := named(cmd.Subcommands)
	for _, kind := range strings.FieldsFunc(cmd.ArgsUsage, func(r rune) bool { return strings.ContainsRune("[]…| ", r) }) {
		switch kind {
		case "REF":
			all = append(all, t.recordings()...)
		case "FILTER":
			all = append(all, t.filters(last)...)
		case "PROVIDER", "ID":
			all = append(all, t.providers("")...)
		case "PROVIDER/EVENT":
			all = append(all, t.samples()...)
		case "COMMAND":
			all = append(all, named(t.app.Commands)...)
			for _, topic := range topics {
				all = append(all, offer{topic.name, topic.about})
			}
		case "bash", "zsh", "fish", "powershell", "tiktok-live":
			all = append(all, offer{text: kind})
		}
	}
	return all
}

func (t *typed) catalog() *verify.Catalog { return t.p.catalog(t.c) }

func (t *typed) providers(suffix string) []offer {
	var all []offer
	for _, p := range t.catalog().Providers() {
		all = append(all, offer{p.ID + suffix, p.Name})
	}
	return all
}

func (t *typed) samples() []offer {
	cfg, err := config.Load(t.p.source(t.c, nil))
	if err != nil {
		return nil
	}
	list, _ := allFixtures(t.p.fixturesDir(t.c, cfg))
	var all []offer
	for _, f := range list {
		all = append(all, offer{f.Provider + "/" + f.Name, f.Note})
	}
	return all
}

// maxOffered is how many recordings are offered, the newest.
const maxOffered = 20

func (t *typed) recordings() []offer {
	all := []offer{{"last", "the newest"}, {"live", "the newest from outside"}}
	for _, ex := range t.newest() {
		about := strings.Join(strings.Fields(ex.Provider+" "+ex.Event+" "+ex.Request.Method+" "+string(ex.Outcome)), " ")
		all = append(all, offer{fmt.Sprint(ex.Seq), about})
	}
	return all
}

// newest returns the recordings that are offered, the newest first.
func (t *typed) newest() []*recorder.Exchange {
	store, err := t.p.openToRead(t.c)
	if err != nil {
		return nil
	}
	defer store.Close()
	var list []*recorder.Exchange
	for ex, err := range store.Query(recorder.Query{Newest: maxOffered}) {
		if err == nil {
			list = append(list, ex)
		}
	}
	slices.Reverse(list)
	return list
}

// plainWord is what a shell takes as it is: bash puts an offer into the line without
// quotes, and a sender can name an event $(anything).
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:-]+$`)

// filters are the conditions that begin as last does, which may negate.
func (t *typed) filters(last string) []offer {
	minus := ""
	if strings.HasPrefix(last, "-") {
		minus, last = "-", last[1:]
	}
	keys, values := recorder.FilterKeys()
	values["status"] = []string{"2xx", "3xx", "4xx", "5xx"}
	values["method"] = []string{"GET", "POST", "PUT", "DELETE"}
	values["since"] = []string{"10m", "1h", "24h"}
	values["size"] = []string{">10kb", ">1mb"}
	values["took"] = []string{">500ms", ">2s"}
	values["path"] = []string{"/"}
	var all []offer
	key, _, chosen := strings.Cut(last, ":")
	switch {
	case !chosen:
		for _, k := range append(keys, "header.", "body.") {
			if !strings.HasSuffix(k, ".") {
				k += ":"
			}
			all = append(all, offer{text: minus + k})
		}
	case key == "event":
		for _, ex := range t.newest() {
			if o := (offer{text: minus + "event:" + ex.Event}); plainWord.MatchString(ex.Event) && !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	case key == "provider":
		for _, p := range t.providers("") {
			all = append(all, offer{minus + "provider:" + p.text, p.about})
		}
	default:
		for _, v := range values[key] {
			all = append(all, offer{text: minus + key + ":" + v})
		}
	}
	return all
}
