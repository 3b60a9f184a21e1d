package register

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const twilioAPI = "https://api.twilio.com"

// twilio is what Twilio calls when a message or a call comes in: a URL of a phone
// number, or of a messaging service, whose URL numbers in it go by. An
// application that a number is bound to goes before its URL, so that it is taken
// off, and put back at the end.
var twilio = Provider{
	ID: "twilio", API: twilioAPI, Docs: "https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource",
	Params: []Param{
		{Name: "account-sid", About: "the `SID` of the account, AC…", Env: "TWILIO_ACCOUNT_SID", Required: true, Check: checkTwilioAccount},
		{Name: "auth-token", About: "`REF` to the account's auth token", Env: "TWILIO_AUTH_TOKEN", Kind: Secret, Required: true},
		{Name: "number", About: "the `NUMBER`, as in +15017122661 or PN…, whose messages are wanted; several may be said", Kind: Many, Check: checkTwilioNumber},
		{Name: "service", About: "the `SID` of a messaging service, MG…, whose messages are wanted; several may be said", Kind: Many, Check: checkTwilioService},
		{Name: "voice", About: "the calls of the numbers, in the place of their messages", Kind: Flag},
		{Name: "sms", About: "with voice: the messages, too", Kind: Flag},
		takeover,
	},
	Open: func(s Settings, c *Client) (Registrar, error) {
		if len(s.Values["number"])+len(s.Values["service"]) == 0 {
			return nil, &MissingError{Param{Name: "number", About: "a phone `NUMBER` of the account, or service: the SID of a messaging service"}}
		}
		sid, token := s.Get("account-sid"), s.Get("auth-token")
		c.Hidden = map[string]string{"auth-token": token, "basic": base64.StdEncoding.EncodeToString([]byte(sid + ":" + token))}
		c.Header = map[string]string{"Authorization": "Basic {basic}"} // RFC 7617
		return &twilioNumbers{c: c, s: s, sid: sid}, nil
	},
}

var (
	checkTwilioAccount = form(`^AC[0-9a-fA-F]{32}$`, "is not a SID, which is AC and 32 hexadecimal digits")
	checkTwilioService = form(`^MG[0-9a-fA-F]{32}$`, "is not a SID, which is MG and 32 hexadecimal digits")
	checkTwilioNumber  = form(`^(\+[1-9][0-9]{1,14}|PN[0-9a-fA-F]{32})$`, "is not a number, as in +15017122661, nor the SID of one")
)

type twilioNumbers struct {
	c   *Client
	s   Settings
	sid string
}

// A twilioSlot is where a URL is set: the names of the fields, as they are read
// and as they are written. other is what goes before the URL.
type twilioSlot struct {
	url, method, other string
	setURL, setMethod  string
	setOther           string
	off                string // what other is without anything that goes before
}

var twilioSlots = map[string]twilioSlot{
	"sms":   {"sms_url", "sms_method", "sms_application_sid", "SmsUrl", "SmsMethod", "SmsApplicationSid", ""},
	"voice": {"voice_url", "voice_method", "voice_application_sid", "VoiceUrl", "VoiceMethod", "VoiceApplicationSid", ""},
	// https://www.twilio.com/docs/messaging/api/service-resource
	"service": {"inbound_request_url", "inbound_method", "use_inbound_webhook_on_number", "InboundRequestUrl", "InboundMethod", "UseInboundWebhookOnNumber", "false"},
}

func (t *twilioNumbers) Account() string { return t.sid }

func (t *twilioNumbers) path(slot, sid string) string {
	if slot == "service" {
		return "/v1/Services/" + sid
	}
	return "/2010-04-01/Accounts/" + t.sid + "/IncomingPhoneNumbers/" + sid + ".json"
}

// host returns the client for where the slot is.
func (t *twilioNumbers) host(slot string) *Client {
	if slot == "service" {
		return t.c.elsewhere(twilioAPI, "https://messaging.twilio.com")
	}
	return t.c
}

// get reads the fields of a number or a service, as text.
func (t *twilioNumbers) get(ctx context.Context, slot, sid string) (map[string]string, error) {
	var a map[string]any
	if err := t.host(slot).Do(ctx, Call{Method: http.MethodGet, Path: t.path(slot, sid)}, &a); err != nil {
		return nil, twilioAdvice(err)
	}
	return texts(a), nil
}

func texts(a map[string]any) map[string]string {
	all := map[string]string{}
	for k, v := range a {
		switch v := v.(type) {
		case string:
			all[k] = v
		case bool:
			all[k] = strconv.FormatBool(v)
		}
	}
	return all
}

func twilioAdvice(err error) error {
	err = advised(err, "is it of this account?", 404)
	return advised(err, "are the account's SID and its auth token right? An API key is not taken", 401)
}

// number returns the SID of a phone number.
func (t *twilioNumbers) number(ctx context.Context, said string) (string, error) {
	if strings.HasPrefix(said, "PN") {
		return said, nil
	}
	var a struct {
		Numbers []map[string]any `json:"incoming_phone_numbers"`
	}
	path := "/2010-04-01/Accounts/" + t.sid + "/IncomingPhoneNumbers.json?PhoneNumber=" + url.QueryEscape(said)
	if err := t.c.Do(ctx, Call{Method: http.MethodGet, Path: path}, &a); err != nil {
		return "", twilioAdvice(err)
	}
	for _, one := range a.Numbers {
		if n := texts(one); n["phone_number"] == said && checkTwilioNumber(n["sid"]) == nil {
			return n["sid"], nil
		}
	}
	return "", &Refusal{Text: "the account has no number " + said, Hint: "Twilio Console > Phone Numbers > Manage > Active numbers lists them"}
}

func (t *twilioNumbers) Plan(ctx context.Context, callback string, done []Change) ([]Change, error) {
	var plan []Change
	add := func(slot, said, sid, about string) error {
		ch := Change{Key: slot + " " + sid, About: "have " + about + " of " + said + " sent to " + callback, URL: callback, Data: map[string]string{"slot": slot, "sid": sid}}
		ok, err := t.want(ctx, &ch, done)
		if ok {
			plan = append(plan, ch)
		}
		return err
	}
	for _, said := range t.s.Values["number"] {
		sid, err := t.number(ctx, said)
		if err != nil {
			return nil, err
		}
		if t.s.Has("voice") {
			if err := add("voice", said, sid, "the calls"); err != nil {
				return nil, err
			}
		}
		if !t.s.Has("voice") || t.s.Has("sms") {
			if err := add("sms", said, sid, "the messages"); err != nil {
				return nil, err
			}
		}
	}
	for _, sid := range t.s.Values["service"] {
		if err := add("service", sid, sid, "the messages"); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// there returns what messages or calls go to, as one text: a URL, or what goes
// before it.
func (slot twilioSlot) there(now map[string]string) string {
	if other := now[slot.other]; other != slot.off && other != "" {
		return slot.setOther + "=" + other
	}
	return now[slot.url]
}

// want completes ch, and reports whether it is to be made.
func (t *twilioNumbers) want(ctx context.Context, ch *Change, done []Change) (bool, error) {
	name, sid := ch.Data["slot"], ch.Data["sid"]
	slot := twilioSlots[name]
	now, err := t.get(ctx, name, sid)
	if err != nil {
		return false, err
	}
	if name == "voice" && now["trunk_sid"] != "" {
		return false, &Refusal{Text: sid + " is of a SIP trunk, so that Twilio ignores the URL for its calls", Hint: "take it off the trunk " + now["trunk_sid"] + " first"}
	}
	there := slot.there(now)
	mine := changeOf(done, ch.Key)
	if there == ch.URL && (mine == nil || mine.State == Done) {
		return false, nil
	}
	before := there
	if mine != nil || !strings.HasPrefix(there, "https://demo.twilio.com/") { // which a new number has
		if before, err = t.s.claim(sid, there, ch.URL, mine); err != nil {
			return false, err
		}
	}
	if mine != nil && mine.Data["before"] == before {
		ch.Data = maps.Clone(mine.Data)
	} else {
		maps.Copy(ch.Data, map[string]string{"before": before, "url": now[slot.url], "method": now[slot.method], "other": now[slot.other]})
	}
	ch.Call = t.set(*ch, ch.URL, "POST", slot.off)
	return true, nil
}

func (t *twilioNumbers) set(ch Change, to, method, other string) Call {
	slot := twilioSlots[ch.Data["slot"]]
	form := url.Values{slot.setURL: {to}, slot.setOther: {other}}
	if method != "" {
		form.Set(slot.setMethod, method)
	}
	return Call{Method: http.MethodPost, Path: t.path(ch.Data["slot"], ch.Data["sid"]), Body: form, Idempotent: true}
}

func (t *twilioNumbers) Apply(ctx context.Context, ch *Change, _ []Change) error {
	return twilioAdvice(t.host(ch.Data["slot"]).Do(ctx, ch.Call, nil))
}

func (t *twilioNumbers) Revert(ctx context.Context, ch Change) (Undo, error) {
	name := ch.Data["slot"]
	slot, ok := twilioSlots[name]
	if sid := ch.Data["sid"]; !ok || checkTwilioNumber(sid) != nil && checkTwilioService(sid) != nil {
		return Undo{}, fmt.Errorf("%s is not what devhook writes", quote(ch.Key))
	}
	now, err := t.get(ctx, name, ch.Data["sid"])
	if StatusOf(err) == http.StatusNotFound {
		return Undo{Result: Gone}, nil
	}
	if err != nil {
		return Undo{}, err
	}
	if undo := t.s.release(ch, slot.there(now)); undo.Result != "" {
		return undo, nil
	}
	err = t.host(name).Do(ctx, t.set(ch, ch.Data["url"], ch.Data["method"], ch.Data["other"]), nil)
	return Undo{Result: Reverted}, twilioAdvice(err)
}
