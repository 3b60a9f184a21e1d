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
	in.handle("GET /devhook/v1/status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, in.o.Status()) })
	in.handle("GET /devhook/v1/doctor", in.doctor)
	in.handle("GET /devhook/v1/config", func(w http.ResponseWriter, _ *http.Request) {
		list := in.o.Settings()
		if list == nil {
			list = []Setting{}
		}
		writeJSON(w, http.StatusOK, struct {
			V        int       `json:"v"`
			Settings []Setting `json:"settings"`
		}{1, list})
	})

	in.handle("GET /devhook/v1/exchanges", in.listExchanges)
	in.handle("GET /devhook/v1/exchanges/{ref}", in.oneExchange)
	in.handle("DELETE /devhook/v1/exchanges/{ref}", in.remove)
	in.handle("PUT /devhook/v1/exchanges/{ref}/pin", in.pin)
	in.handle("DELETE /devhook/v1/exchanges/{ref}/pin", in.unpin)
	in.handle("GET /devhook/v1/exchanges/{ref}/body", in.requestBody)
	in.handle("GET /devhook/v1/exchanges/{ref}/response", in.responseBody)
	in.handle("GET /devhook/v1/exchanges/{ref}/frames", in.frames)
	in.handle("GET /devhook/v1/exchanges/{ref}/diff/{other}", in.diff)
	in.handle("GET /devhook/v1/export", in.export)
	in.handle("POST /devhook/v1/import", in.importAll)
	in.handle("POST /devhook/v1/prune", in.prune)
	in.handle("GET /devhook/v1/stats", in.stats)
	in.handle("GET /devhook/v1/events", in.events)
	in.handle("GET /devhook/v1/wait", in.wait)

	in.handle("POST /devhook/v1/replay", in.replay)
	in.handle("POST /devhook/v1/replays", in.replays)
	in.handle("POST /devhook/v1/replays/follow", in.replaysFollowed)
	in.handle("POST /devhook/v1/trigger", in.trigger)
	in.handle("GET /devhook/v1/attack", in.variants)
	in.handle("POST /devhook/v1/attack", in.attack)
	in.handle("POST /devhook/v1/deliver", in.deliver)
	in.handle("POST /devhook/v1/shrink", in.shrink)
	in.handle("POST /devhook/v1/session", in.session)
	in.handle("POST /devhook/v1/test", in.test)
	in.handle("POST /devhook/v1/verify", in.verify)
	in.handle("POST /devhook/v1/sign", in.sign)
	in.handle("GET /devhook/v1/register", in.registrations)
	in.handle("POST /devhook/v1/register", in.register)
	in.handle("POST /devhook/v1/keys", in.keyPair)
	in.handle("POST /devhook/v1/solve", in.solve)
	in.handle("POST /devhook/v1/check", in.check)

	in.handle("GET /devhook/v1/providers", in.listProviders)
	in.handle("GET /devhook/v1/providers/{id}", in.oneProvider)
	in.handle("GET /devhook/v1/fixtures", in.listFixtures)
	in.handle("GET /devhook/v1/fixtures/{provider}/{event}", in.oneFixture)
	in.handle("POST /devhook/v1/fixtures", in.saveFixture)
}
