package verify

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestLookup(t *testing.T) {
	tests := []struct{ id, want string }{
		{"tiktok", "tiktok"},
		{"TikTok", "tiktok"},
		{"tiktok-business", "tiktok"},
		{"tiktok_business", "tiktok"},
		{"tiktok_shop", "tiktok-shop"},
		{"tencent-livekit", "tencent-live"},
		{"tencent_im", "tencent-live"},
		{"tencent-chat", "tencent-live"},
		{"standard_webhooks", "standard-webhooks"},
		{"strpe", ""},
		{"", ""},
		{"stripe ", ""},
	}
	for _, tt := range tests {
		p, ok := Lookup(tt.id)
		if p.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("Lookup(%q) = %q, %v, want %q", tt.id, p.ID, ok, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	tests := []struct{ id, first string }{
		{"strpe", "stripe"}, {"git-hub", "github"}, {"tik_tok", "tiktok"}, {"tencent", "tencent-live"}, {"standard", "standard-webhooks"}, {"tuilive", "tencent-live"},
	}
	for _, tt := range tests {
		got := Nearest(tt.id)
		if len(got) == 0 || got[0] != tt.first && !(tt.id == "tencent" && strings.HasPrefix(got[0], "tencent-")) {
			t.Errorf("Nearest(%q) = %q, want %s first", tt.id, got, tt.first)
		}
		if len(got) > 8 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(got) {
			t.Errorf("Nearest(%q) = %q", tt.id, got)
		}
	}
	if got := new(Catalog).Nearest("x"); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}

func parsed(t *testing.T, src string) Provider {
	t.Helper()
	p, err := ParseProvider([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWith(t *testing.T) {
	own := parsed(t, "{id: my-own, aliases: [mine], scheme: token, signature: {in: header, name: X-My-Token}}")
	stripe := parsed(t, "{id: stripe, scheme: token, signature: {in: header, name: X-Stripe-Token}}")
	c, err := Builtin().With(own, stripe)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := c.Lookup("mine"); !ok || p.ID != "my-own" {
		t.Errorf("an alias: %v, %v", p, ok)
	}
	if p, _ := c.Lookup("stripe"); p.Summary != "the secret itself, in header X-Stripe-Token" {
		t.Errorf("a replaced one: %s", p.Summary)
	}
	if got, want := len(c.Providers()), len(Providers())+1; got != want || !slices.IsSorted(c.IDs()) {
		t.Errorf("%d providers, want %d: %q", got, want, c.IDs())
	}
	if got := ids(c.Detect(request("", "X-My-Token: x\n\n"))); got != "my-own" {
		t.Errorf("detected: %q", got)
	}
	if p, _ := Lookup("stripe"); p.Summary == "the secret itself, in header X-Stripe-Token" {
		t.Error("the built-in one was replaced, too")
	}
	if _, ok := Lookup("my-own"); ok {
		t.Error("the built-in catalog has the new one, too")
	}

	business := parsed(t, "{id: tiktok-business, scheme: token, signature: {in: header, name: X}}")
	if c, err = Builtin().With(business); err != nil {
		t.Fatalf("an ID that was an alias: %v", err)
	}
	if p, _ := c.Lookup("tiktok_business"); p.ID != "tiktok-business" {
		t.Errorf("an ID that was an alias: %s", p.ID)
	}

	taken := parsed(t, "{id: a, aliases: [github], scheme: token, signature: {in: header, name: X}}")
	for name, ps := range map[string][]Provider{"twice": {own, own}, "an alias that is an ID": {taken}, "no scheme": {{ID: "x"}}, "no ID": {{Scheme: own.Scheme}}} {
		if _, err := Builtin().With(ps...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEmptyCatalog(t *testing.T) {
	var c Catalog
	if _, ok := c.Lookup("stripe"); ok || len(c.Providers()) > 0 || len(c.Detect(Message{})) > 0 {
		t.Error("the zero Catalog is not empty")
	}
	own := parsed(t, "{id: my-own, scheme: token, signature: {in: header, name: X-My-Token}}")
	d, err := c.With(own)
	if err != nil || len(d.Providers()) != 1 {
		t.Errorf("got %v, %v", d, err)
	}
}

// Schemes are safe for concurrent use, also when a secret is new to all.
// Who reads only the files that could matter finds the same as who reads all.
func TestFoundWithoutReadingAll(t *testing.T) {
	own, err := ParseProvider([]byte("id: mine\nname: Mine\nenv: MINE_SECRET\nscheme: hmac\nalgorithm: sha256\npayload: \"{body}\"\nsignature: {in: header, name: X-Sign, encoding: hex}\n"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Builtin().With(own)
	if err != nil {
		t.Fatal(err)
	}
	var fetching []string
	vars := map[string][]string{"NO_SUCH_SECRET": nil, "": nil} // whose they are
	for _, p := range c.Providers() {
		if p.Fetches() {
			fetching = append(fetching, p.ID)
		}
		names := []string{p.Env}
		for _, n := range p.Needs {
			names = append(names, n.Env)
		}
		for _, name := range names {
			if name != "" && !slices.Contains(vars[name], p.ID) {
				vars[name] = append(vars[name], p.ID)
			}
		}
	}
	ids := func(ps []Provider) (list []string) {
		for _, p := range ps {
			list = append(list, p.ID)
		}
		return list
	}
	if got := ids(c.Fetching()); !slices.Equal(got, fetching) || len(got) == 0 {
		t.Errorf("got %v, want %v", got, fetching)
	}
	for name, want := range vars {
		if got := ids(c.WithEnv(func(n string) bool { return n == name })); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
	if len(vars) < 80 {
		t.Errorf("only %d variables are known", len(vars))
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	all := Builtin().Providers()
	keys := make([]Keys, len(all))
	for i, p := range all {
		keys[i] = keysFor(p.Scheme.(*declared), random(), 1)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				for i, p := range all {
					m, k := messageFor(p.Scheme.(*declared), random()), keys[i]
					if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
						t.Error(err)
					}
					want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
				}
			}
		})
	}
	wg.Wait()
}

// order is that of the fields in the files of providers: who it is, what the receiver knows,
// how it signs, how it is known, what it is answered.
var order = strings.Fields(`id extends name aliases docs sources env secret with
	scheme algorithms algorithm prehash signature digest token legacy timestamp nonce require signed_headers single payload key account
	marks event delivery_id handshake explain ack answers understands stand_in on_reject retry dashboard checklist notes`)

func TestFilesHaveOneOrder(t *testing.T) {
	if all := providerFields.names(); !slices.Equal(all, slices.Sorted(slices.Values(order))) {
		t.Errorf("order has %v, and the language %v", order, all)
	}
	for _, id := range Builtin().IDs() {
		n, err := parseYAML([]byte(Builtin().byName[id].src))
		if err != nil {
			t.Fatal(err)
		}
		last := ""
		n.each(func(name string, _, _ node) error {
			if slices.Index(order, name) < slices.Index(order, last) {
				t.Errorf("providers/%s.yaml: %s stands behind %s; the order is %s", id, name, last, strings.Join(order, ", "))
			}
			last = name
			return nil
		})
	}
}
