package inspector

import (
	_ "embed"
	"net/http"
)

// openapi describes all that api and health answer. A test holds both against each
// other.
//
//go:embed openapi.json
var openapi []byte

// api are the routes of devhook's own API.
func (in *Inspector) api() {
	in.handle("GET /devhook/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(openapi)
	})
	in.handle("GET /devhook/v1/status", in.answered(func(*http.Request) (any, error) { return in.o.Status(), nil }))
	in.handle("GET /devhook/v1/doctor", in.answered(in.doctor))
	in.handle("GET /devhook/v1/config", in.answered(in.settings))

	in.handle("GET /devhook/v1/exchanges", in.answered(in.listExchanges))
	in.handle("GET /devhook/v1/exchanges/{ref}", in.answered(in.oneExchange))
	in.handle("DELETE /devhook/v1/exchanges/{ref}", in.answered(in.remove))
	in.handle("PUT /devhook/v1/exchanges/{ref}/pin", in.answered(in.pin))
	in.handle("DELETE /devhook/v1/exchanges/{ref}/pin", in.answered(in.unpin))
	in.handle("GET /devhook/v1/exchanges/{ref}/body", in.requestBody)
	in.handle("GET /devhook/v1/exchanges/{ref}/response", in.responseBody)
	in.handle("GET /devhook/v1/exchanges/{ref}/frames", in.answered(in.frames))
	in.handle("GET /devhook/v1/exchanges/{ref}/diff/{other}", in.answered(in.diff))
	in.handle("GET /devhook/v1/export", in.export)
	in.handle("POST /devhook/v1/import", asked(in, in.importAll))
	in.handle("POST /devhook/v1/prune", asked(in, in.prune))
	in.handle("GET /devhook/v1/stats", in.answered(in.stats))
	in.handle("GET /devhook/v1/events", in.events)
	in.handle("GET /devhook/v1/wait", in.answered(in.wait))

	in.handle("POST /devhook/v1/replay", asked(in, in.replay))
	in.handle("POST /devhook/v1/replays", asked(in, in.replays))
	in.handle("POST /devhook/v1/replays/follow", in.replaysFollowed)
	in.handle("POST /devhook/v1/trigger", asked(in, in.trigger))
	in.handle("GET /devhook/v1/attack", in.answered(in.variants))
	in.handle("POST /devhook/v1/attack", asked(in, in.attack))
	in.handle("POST /devhook/v1/deliver", asked(in, in.deliver))
	in.handle("POST /devhook/v1/shrink", asked(in, in.shrink))
	in.handle("POST /devhook/v1/session", asked(in, in.session))
	in.handle("POST /devhook/v1/test", asked(in, in.test))
	in.handle("POST /devhook/v1/verify", asked(in, in.verify))
	in.handle("POST /devhook/v1/sign", asked(in, in.sign))
	in.handle("GET /devhook/v1/register", in.answered(in.registrations))
	in.handle("POST /devhook/v1/register", asked(in, in.register))
	in.handle("POST /devhook/v1/register/cleanup", asked(in, in.cleanUp))
	in.handle("POST /devhook/v1/register/secret", asked(in, in.takeSecret))
	in.handle("DELETE /devhook/v1/register/{mark}", in.answered(in.unregister))
	in.handle("POST /devhook/v1/keys", asked(in, in.keyPair))
	in.handle("POST /devhook/v1/solve", asked(in, in.solve))
	in.handle("POST /devhook/v1/check", asked(in, in.check))

	in.handle("GET /devhook/v1/providers", in.answered(in.listProviders))
	in.handle("GET /devhook/v1/providers/{id}", in.answered(in.oneProvider))
	in.handle("GET /devhook/v1/fixtures", in.answered(in.listFixtures))
	in.handle("GET /devhook/v1/fixtures/{provider}/{event}", in.answered(in.oneFixture))
	in.handle("POST /devhook/v1/fixtures", asked(in, in.saveFixture))
}
