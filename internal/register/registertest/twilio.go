package registertest

import (
	"fmt"
	"net/http"
	"strings"
)

// Twilio is phone numbers, of https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource,
// and messaging services, of https://www.twilio.com/docs/messaging/api/service-resource,
// which are at messaging.twilio.com at the vendor's.
type Twilio struct {
	api
	o          Options
	sid, token string

	all map[string]map[string]any // guarded by mu; by SID
}

// NewTwilio returns an API for one account.
func NewTwilio(o Options, sid, token string) *Twilio {
	t := &Twilio{o: o, sid: sid, token: token, all: map[string]map[string]any{}}
	numbers := "/2010-04-01/Accounts/" + sid + "/IncomingPhoneNumbers"
	t.serve(map[string]http.HandlerFunc{
		"GET " + numbers + ".json": t.list, "GET " + numbers + "/{sid}": t.get, "POST " + numbers + "/{sid}": t.update,
		"GET /v1/Services/{sid}": t.get, "POST /v1/Services/{sid}": t.update,
	}, t.admit, twilioMissing)
	return t
}

func (t *Twilio) admit(w http.ResponseWriter, r *http.Request) bool {
	if user, password, _ := r.BasicAuth(); user != t.sid || password != t.token {
		twilioError(w, 401, 20003, "Authenticate")
		return false
	}
	return true
}

func twilioMissing(w http.ResponseWriter, r *http.Request) {
	twilioError(w, 404, 20404, "The requested resource "+r.URL.Path+" was not found")
}

func twilioError(w http.ResponseWriter, status, code int, text string) {
	reply(w, status, map[string]any{"status": status, "code": code, "message": text, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code)})
}

func (t *Twilio) list(w http.ResponseWriter, r *http.Request) {
	list := []map[string]any{}
	for sid, one := range t.all {
		if want := r.URL.Query().Get("PhoneNumber"); strings.HasPrefix(sid, "PN") && (want == "" || one["phone_number"] == want) {
			list = append(list, one)
		}
	}
	reply(w, 200, map[string]any{"incoming_phone_numbers": list, "page": 0, "page_size": 50, "next_page_uri": nil})
}

func (t *Twilio) find(w http.ResponseWriter, r *http.Request) map[string]any {
	sid := strings.TrimSuffix(r.PathValue("sid"), ".json")
	one := t.all[sid]
	if one == nil || strings.HasPrefix(sid, "MG") != strings.HasPrefix(r.URL.Path, "/v1/") {
		twilioMissing(w, r)
		return nil
	}
	return one
}

func (t *Twilio) get(w http.ResponseWriter, r *http.Request) {
	if one := t.find(w, r); one != nil {
		reply(w, 200, one)
	}
}

// twilioFields are what may be written, and what it is called when it is read.
var twilioFields = map[string]string{
	"SmsUrl": "sms_url", "SmsMethod": "sms_method", "SmsApplicationSid": "sms_application_sid",
	"VoiceUrl": "voice_url", "VoiceMethod": "voice_method", "VoiceApplicationSid": "voice_application_sid",
	"InboundRequestUrl": "inbound_request_url", "InboundMethod": "inbound_method", "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
}

func (t *Twilio) update(w http.ResponseWriter, r *http.Request) {
	one := t.find(w, r)
	if one == nil {
		return
	}
	if err := r.ParseForm(); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		twilioError(w, 400, 20001, "Bad request")
		return
	}
	for name := range r.PostForm {
		value := r.PostForm.Get(name)
		switch {
		case strings.HasSuffix(name, "Url") && value != "" && !t.o.takes(value, false):
			twilioError(w, 400, 21402, name+" is not a valid URL") // the words and the code are assumed
			return
		case strings.HasSuffix(name, "Method") && value != "GET" && value != "POST":
			twilioError(w, 400, 21403, name+" is not valid")
			return
		case name == "UseInboundWebhookOnNumber" && value != "true" && value != "false":
			twilioError(w, 400, 20001, name+" is not a boolean")
			return
		}
	}
	for name := range r.PostForm {
		field, ok := twilioFields[name]
		if !ok {
			continue // as Twilio does
		}
		one[field] = r.PostForm.Get(name)
		if name == "UseInboundWebhookOnNumber" {
			one[field] = r.PostForm.Get(name) == "true"
		}
	}
	reply(w, 200, one)
}

// AddNumber makes a number with what comes in going to URLs; "" for none.
func (t *Twilio) AddNumber(sid, number, sms, voice, smsApplication string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[sid] = map[string]any{
		"sid": sid, "account_sid": t.sid, "phone_number": number, "friendly_name": number, "sms_url": sms, "sms_method": "GET", "sms_application_sid": smsApplication,
		"voice_url": voice, "voice_method": "POST", "voice_application_sid": "", "trunk_sid": nil,
		"capabilities": map[string]bool{"voice": true, "sms": true, "mms": true},
	}
}

// Trunk puts a number on a SIP trunk.
func (t *Twilio) Trunk(sid, trunk string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[sid]["trunk_sid"] = trunk
}

// AddService makes a messaging service whose numbers keep their own URLs.
func (t *Twilio) AddService(sid, inbound string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[sid] = map[string]any{
		"sid": sid, "account_sid": t.sid, "friendly_name": "Test", "inbound_request_url": inbound, "inbound_method": "GET", "use_inbound_webhook_on_number": true,
	}
}

// Change has somebody else change each URL that is from.
func (t *Twilio) Change(from, to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.all {
		for k, v := range one {
			if v == from {
				one[k] = to
			}
		}
	}
}

// State is what there is, a line each.
func (t *Twilio) State() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return state(func(add func(string)) {
		for sid, one := range t.all {
			add(fmt.Sprint(sid, " ", one["sms_url"], " ", one["sms_method"], " ", one["sms_application_sid"], " ", one["voice_url"], " ", one["voice_method"],
				" ", one["inbound_request_url"], " ", one["inbound_method"], " ", one["use_inbound_webhook_on_number"]))
		}
	})
}
