package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"devhook/internal/config"
	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) registerCommand() *cli.Command {
	var known []string
	for _, one := range register.Providers() {
		known = append(known, one.ID)
	}
	return &cli.Command{
		Name: "register", Usage: "have a provider send its webhooks here, until Ctrl-C", ArgsUsage: "PROVIDER",
		Description: `Registers the URL of the running devhook up through the provider's own API, moves it
when the URL changes, and takes it back at the end. What a devhook has left that was
killed is taken back at the next start, or by --cleanup. That goes for ` + strings.Join(known, ", ") + `.

For all others it prints what to do by hand, copies the URL if this is a terminal that
lets programs do so, and waits for the first webhook if devhook up runs.

  devhook register euler --account 4242 --creator @tv_asahi_news
  devhook register euler --account 4242 --creator @tv_asahi_news --dry-run
  devhook register euler --account 4242 --creator @tv_asahi_news --test
  devhook register tencent --sdk-app-id 1400000000 --takeover
  devhook register tiktok-shop --topic ORDER_STATUS_CHANGE
  devhook register github --repo octocat/hello
  devhook register stripe --event invoice.paid
  devhook register twitch --subscription stream.online:broadcaster_user_id=1234
  devhook register telegram --takeover
  devhook register twilio --number +15017122661 --takeover
  devhook register --cleanup
  devhook register tiktok` + "\n" + paramsHelp(p.helpWriter().columns),
		Flags: slices.Concat(paramFlags(), []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "the `URL` that webhooks are to go to (default: that of the running devhook up)"},
			&cli.StringFlag{Name: "path", Usage: "the `PATH` behind it, at which the app takes them (default: that of the provider's route)"},
			&cli.StringFlag{Name: "api-url", Usage: "where the provider's API is, a `URL`: an emulator"},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be called, and change nothing"},
			&cli.BoolFlag{Name: "test", Usage: "have the provider send a test, wait for it, and end"},
			&cli.DurationFlag{Name: "timeout", Usage: "how `LONG` --test waits; and what is done by hand, which waits for ever if it is not said", Value: 30 * time.Second, DefaultText: "30s"},
			&cli.BoolFlag{Name: "keep", Usage: "leave it registered at the end"},
			&cli.BoolFlag{Name: "force", Usage: "register a URL also that the provider cannot reach"},
			&cli.BoolFlag{Name: "list", Usage: "list what is registered"},
			&cli.BoolFlag{Name: "cleanup", Usage: "take back what devhooks have left that are gone, also what was kept"},
			&cli.BoolFlag{Name: "json", Usage: "print each step as a line of JSON"},
			configFlag(),
		}, commonFlags()),
		Action: p.register,
	}
}

// paramsHelp is the help of paramFlags, by provider.
func paramsHelp(width int) string {
	var b strings.Builder
	for _, one := range register.Providers() {
		fmt.Fprintf(&b, "\n%s:\n", one.ID)
		for _, param := range one.Params {
			b.WriteString(flagHelp(paramFlag(param, paramUsage(param)), width))
		}
	}
	return b.String()
}

// paramUsage is what the help of a param says, with the variables that stand
// for it.
func paramUsage(param register.Param) string {
	env := param.Env
	if param.OtherEnv != "" {
		env += ", " + param.OtherEnv
	}
	if env == "" {
		return param.About
	}
	if before, after, more := strings.Cut(param.About, "(default: "); more {
		return before + "(default: " + env + ", else " + after
	}
	return param.About + " (default: " + env + ")"
}

func paramFlag(param register.Param, usage string) cli.Flag {
	if param.Kind == register.Flag {
		return &cli.BoolFlag{Name: param.Name, Usage: usage, Hidden: true}
	}
	return &cli.StringSliceFlag{Name: param.Name, Usage: usage, Hidden: true}
}

// paramFlags are the flags of what providers must be told, by name. Several
// providers may have one of a name; [paramsHelp] tells of each.
func paramFlags() []cli.Flag {
	type said struct{ ids, text string }
	about := map[string][]said{} // by name
	params := map[string]register.Param{}
	for _, one := range register.Providers() {
		for _, param := range one.Params {
			text := paramUsage(param)
			if _, again := params[param.Name]; again {
				text = strings.ReplaceAll(text, "`", "")
			}
			params[param.Name] = param
			list := about[param.Name]
			if last := len(list) - 1; last >= 0 && list[last].text == text {
				list[last].ids += ", " + one.ID
			} else {
				about[param.Name] = append(list, said{one.ID, text})
			}
		}
	}
	var flags []cli.Flag
	for _, name := range slices.Sorted(maps.Keys(params)) {
		var texts []string
		for _, one := range about[name] {
			texts = append(texts, one.ids+": "+one.text)
		}
		flags = append(flags, paramFlag(params[name], strings.Join(texts, "; ")))
	}
	return flags
}

// A registerRun is one run of `devhook register`.
type registerRun struct {
	p         *program
	c         *cli.Context
	cfg       *config.Config
	store     *recorder.Store
	out, errs *terminal.Terminal
	provider  register.Provider
	path      string // of the callback, as devhook.yaml says it; "" for that of the provider's route

	mu      sync.Mutex
	learned []verify.Secret // guarded by mu: what the API told, in memory only
	told    int             // guarded by mu: the process that was handed it
}

func (p *program) register(c *cli.Context) error {
	r := &registerRun{p: p, c: c, out: p.out(c), errs: p.errs(c)}
	src := p.source(c, nil)
	src.Flag = nil // those of the same name mean something else here
	var err error
	if r.cfg, err = p.load(src); err != nil {
		return err
	}
	id := c.Args().First()
	if c.Bool("list") {
		return r.list(id)
	}
	if c.Bool("cleanup") {
		return r.cleanup(id)
	}
	if id == "" {
		return &failure{code: 2, text: "register at which provider?", hint: "devhook register " + register.Providers()[0].ID + ", or another of devhook providers"}
	}
	if path := c.String("path"); c.IsSet("path") && (c.IsSet("url") || !strings.HasPrefix(path, "/")) {
		return &failure{code: 2, text: fmt.Sprintf("--path %q is no path behind the URL of devhook up", path), hint: "write it as in --path /webhook; --url has a path of its own"}
	}
	known, ok := r.cfg.Catalog().Lookup(id)
	if !ok {
		return unknownProvider(r.cfg.Catalog(), id)
	}
	if r.provider, ok = register.Lookup(known.ID); !ok {
		return r.byHand(known)
	}
	return r.run()
}

// callback returns the URL that webhooks of the provider are to go to: what was
// said, else that of the running up. "" and no error: there is none.
func (r *registerRun) callback(id string) (string, error) {
	if u := r.c.String("url"); u != "" {
		return u, nil
	}
	store := r.store
	if store == nil {
		var err error
		if store, err = r.p.openToRead(r.c); err != nil {
			return "", nil // no store, nobody who runs
		}
		defer store.Close()
	}
	up, err := findRunning(store)
	if err != nil || up == nil {
		return "", err
	}
	return up.callback(id, cmp.Or(r.c.String("path"), r.path)), nil
}

// callback returns where a provider is to send its webhooks.
func (r *running) callback(id, path string) string {
	if path == "" {
		for _, route := range r.Routes {
			if route.Provider == id {
				path = route.Path
				break
			}
		}
	}
	return strings.TrimRight(r.URL, "/") + path
}

// said returns what the flags say, else the one entry of devhook.yaml.
func (r *registerRun) said() map[string]config.Value {
	var said map[string]config.Value
	said, r.path, _ = entryOf(r.cfg, r.provider)
	for _, param := range r.provider.Params {
		switch {
		case !r.c.IsSet(param.Name):
		case param.Kind == register.Flag:
			said[param.Name] = config.Value{Texts: []string{fmt.Sprint(r.c.Bool(param.Name))}, From: "--" + param.Name, Given: true}
		default:
			said[param.Name] = config.Value{Texts: r.c.StringSlice(param.Name), From: "--" + param.Name, Given: true}
		}
	}
	return said
}

// entryOf returns what the one entry of devhook.yaml says for a provider: the path of the
// callback, and where its API is. Of several none is meant.
func entryOf(cfg *config.Config, p register.Provider) (said map[string]config.Value, path, api string) {
	said = map[string]config.Value{}
	var own []config.Registration
	for _, one := range cfg.Registrations() {
		if one.Provider.ID == p.ID {
			own = append(own, one)
		}
	}
	if len(own) != 1 {
		return said, "", ""
	}
	maps.Copy(said, own[0].Values)
	return said, own[0].Path, own[0].API
}

// apiURL returns where the provider's API is, "" for where it says.
func (p *program) apiURL(id, said string) string {
	return cmp.Or(said, p.getenv("DEVHOOK_"+strings.ToUpper(strings.ReplaceAll(id, "-", "_"))+"_API_URL"))
}

func (r *registerRun) options() (register.Options, error) {
	values, err := config.Params(r.provider, r.said(), r.p.resolver(r.errs))
	return register.Options{
		Store: r.store, Provider: r.provider, Values: values, API: r.p.apiURL(r.provider.ID, r.c.String("api-url")),
		Keep: r.c.Bool("keep"), Say: func(s register.Step) { r.say(r.provider.ID, s) },
		TakeSecret: r.learn,
	}, err
}

func (r *registerRun) run() (err error) {
	if r.store, err = r.p.openToWrite(r.c); err != nil {
		return err
	}
	defer r.store.Close()
	o, err := r.options()
	if err != nil {
		return err
	}
	reg, err := register.Open(o)
	if err != nil {
		return misuse(err)
	}
	callback, err := r.callback(r.provider.ID)
	if err != nil {
		return storeFailure(err)
	}
	if callback == "" {
		return &failure{code: 2, text: "no devhook up is running on this store, so there is no URL to register", hint: "start devhook up first, or name the URL: --url https://…"}
	}
	if err := checkCallback(callback, reg, r.c.Bool("force")); err != nil {
		return err
	}
	if r.c.Bool("dry-run") {
		return r.dryRun(reg, callback)
	}
	signals, stopSignals := interrupts(2, nil)
	defer stopSignals()
	if r.c.Bool("test") {
		return r.once(reg, callback, signals)
	}
	return r.stay(reg, callback, signals)
}

// misuse makes an error of what a provider was not told.
func misuse(err error) error {
	var missing *register.MissingError
	if !errors.As(err, &missing) {
		return &failure{code: 2, text: err.Error(), hint: "devhook help register", err: err}
	}
	f := &failure{code: 2, text: err.Error(), hint: "--" + missing.Param.Name + " VALUE", err: err}
	if parts := strings.Split(missing.Param.About, "`"); len(parts) == 3 {
		f.hint = "--" + missing.Param.Name + " " + parts[1]
	}
	if missing.Param.Kind == register.Secret {
		f.hint = "--" + missing.Param.Name + " env:NAME"
	}
	if missing.Param.Env != "" {
		f.hint += ", or set " + missing.Param.Env
	}
	return f
}

// checkCallback refuses a URL that would be registered in vain.
func checkCallback(callback string, reg *register.Registration, force bool) error {
	if err := register.CheckURL(callback); err != nil {
		return &failure{code: 2, text: fmt.Sprintf("%q: %v", callback, err), hint: "--url https://…"}
	}
	if force || reg.Local() || register.Reachable(callback) {
		return nil
	}
	return &failure{
		code: 2, text: callback + " cannot be reached over the internet: the provider's webhooks would not come",
		hint: "start devhook up with an ngrok authtoken, name another with --url, or insist with --force",
	}
}
