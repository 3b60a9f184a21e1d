package redact

import (
	"strings"
	"unicode"
)

// A kind is what a name says of its value; 0 is nothing.
type kind uint8

const (
	credential kind = iota + 1 // becomes zeros
	personal                   // becomes something of the same shape
	id                         // the same, and is replaced wherever else it stands
	birth                      // becomes another date
	reach                      // the same as id, if it is one that somebody is reached at: a number of a phone or of a wallet
	spot                       // the same as personal, if it is more than one word
	link                       // the end of a URL becomes something of the same shape
)

// rules is what the last words of a name say. Names are compared in words,
// whatever their spelling: user_id is UserId, user-id, userID and userid.
// Of several that fit, the longest counts.
var rules = table(map[kind]string{
	credential: `
		authorization auth auth_code authorization_code oauth_code code_verifier
		token secret password passwd pwd passphrase api_key access_key access_key_id private_key
		secret_key signing_key encryption_key session session_id session_key
		credential credentials cookie csrf xsrf jwt bearer otp user_sig usersig cvc cvv cvc2 cvv2 pin`,
	personal: `
		email e_mail mail email_address
		phone phone_number mobile mobile_number telephone tel fax msisdn whatsapp skype
		first_name last_name full_name middle_name given_name family_name real_name
		real_name_normalized surname display_name display_name_normalized global_name nickname nick
		address address1 address2 address_line1 address_line2 address_line_1 address_line_2
		line1 line2 street street1 street2 city zip zip_code postal_code post_code
		ip ip_address ip_addr remote_addr
		card_number iban bban account_number routing_number sort_code ssn tax_id vat_number passport_number
		last4 last_four device_friendly_name customer_portal customer_portal_url host_email
		avatar avatar_url picture picture_url profile_image profile_image_url photo photo_url
		hosted_invoice_url invoice_pdf receipt_url
		gravatar_id image_24 image_32 image_48 image_72 image_192 image_512 image_original`,
	id: `
		username user_name screen_name unique_id login handle
		user_id uid open_id union_id wa_id vpa channel_slug host_id worker_id customer_code initiator`,
	reach: `from to caller called`,
	spot:  `location`,
	birth: `birthday birth_date birth_dob date_of_birth dob birth`,
})

// vague are names of ids that are not always those of people.
var vague = set(`uid unique_id`)

// endings are those of rules that count also without a boundary before them, as
// in authtoken and useropenid.
var endings = []string{"token", "secret", "password", "apikey", "email", "openid", "unionid", "userid", "username", "nickname"}

// persons are words for somebody. A name that ends in one is an id, as is one
// that goes on with _id or _account; with _name it is a name. So are id and name
// of what has such a name: user_id, {"user":"U1"}, {"user":{"id":1,"name":"x"}}.
var persons = set(`
	user sender author owner customer member pusher committer actor creator assignee
	recipient buyer seller follower subscriber viewer person
	employee reviewer invitee inviter caller uploader
	participant attendee chatter gifter giftee redeemer payer mention`)

// doings are what somebody does: canceled_by is somebody.
var doings = set(`
	added approved archived assigned blocked canceled cancelled closed completed confirmed created deleted edited
	invited locked merged modified moved opened paid published rejected removed requested resolved reviewed sent
	shared signed started submitted triggered updated uploaded verified`)

// tags name somebody as an id does, and links end in such a name.
var tags, links = set(`id uuid guid gid sid slug`), set(`url uri permalink link href`)

// pages are what has a URL with somebody's name or face, in what is somebody.
var pages = set(`html profile public web image`)

// people are further words for those who have a name and an id; alone they can
// mean something else.
var people = set(`from by operator agent previous_attributes anchor guest contact holder cardholder individual patient account profile billing shipping billing_address shipping_address`)

// contactNames are the names of members, in small letters, by which an object is
// that of a person, and its name a person's.
var contactNames = set(`email phone phone_number phonenumber first_name firstname`)

// wrappers are words after that of a person which change nothing, as in
// MemberList and user_profile.
var wrappers = set(`list info profile details data object identity`)

// things have names of their own, which are not personal.
var things = set(`
	repository repo repositories base head business_profile app application team room group template
	plan price product coupon item file branch workflow event`)

// fixed are the last words of names that tell what happened, when, and whether
// it is genuine; and event may stand at the beginning.
var fixed = set(`
	event type action object status state topic kind command sign signature digest
	timestamp time at date currency locale version role level encoding`)

// ipHeaders are the headers whose IP addresses are replaced.
var ipHeaders = []string{
	"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6",
	"True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Fastly-Client-Ip", "X-Original-Forwarded-For",
}

func set(text string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}

func table(texts map[kind]string) map[string]kind {
	m := map[string]kind{}
	for k, text := range texts {
		for w := range strings.FieldsSeq(text) {
			m[w] = k
			m[strings.ReplaceAll(w, "_", "")] = k
		}
	}
	return m
}

// A rule is what is done to the values of a name.
type rule struct {
	kind   kind
	plural kind // the kind, if the value is a text: tokens may count something
	fixed  bool // only patterns count
	vague  bool // the id of somebody, or of what happened
}

// rule gives the rule for a name in what has the name parent.
func (p *pass) rule(name, parent string) rule {
	key := name + "\x00" + parent
	r, ok := p.rules[key]
	if !ok {
		r = ruleOf(words(name), words(parent))
		if len(p.rules) < maxRules {
			p.rules[key] = r
		}
	}
	return r
}

func ruleOf(name, parent []string) rule {
	if len(name) == 0 {
		return rule{}
	}
	last := name[len(name)-1]
	if k := kindOf(name, parent); k != 0 {
		return rule{kind: k, vague: vague[strings.Join(name, "_")]}
	}
	if singular := strings.TrimSuffix(last, "s"); singular != last && len(singular) > 2 {
		one := append(append([]string(nil), name[:len(name)-1]...), singular)
		if k := kindOf(one, parent); k != 0 {
			return rule{plural: k}
		}
	}
	return rule{fixed: fixed[last] || name[0] == "event"}
}

func kindOf(name, parent []string) kind {
	n := len(name)
	last := name[n-1]
	if strings.HasSuffix(last, "name") && isThing(parent) && last != "username" && (n == 1 || !persons[name[n-2]]) {
		return 0
	}
	if n > 1 && name[n-2] == "idempotency" { // tells one delivery from another, and opens nothing
		return 0
	}
	for from := max(0, n-4); from < n; from++ {
		if k := rules[strings.Join(name[from:], "_")]; k != 0 {
			return k
		}
	}
	for _, e := range endings {
		if strings.HasSuffix(last, e) {
			return rules[e]
		}
	}
	switch {
	case persons[last]:
		return id
	case last == "account" && n > 1:
		return id
	case last == "number" && n == 1 && len(parent) > 0: // {"card":{"number":"4242…"}}
		return rules[parent[len(parent)-1]+"_number"]
	case last == "identity" && n == 1 && isPerson(parent): // LiveKit's {"participant":{"identity":"ada"}}
		return id
	case last == "by" && n > 1:
		return map[bool]kind{true: id}[doings[name[n-2]]]
	case last == "id" && n == 2 && name[0] == "node": // GitHub's
		return map[bool]kind{true: id}[isPerson(parent)]
	case links[last] && n == 2 && pages[name[0]]:
		return map[bool]kind{true: link}[isPerson(parent)]
	case n > 1 && !persons[name[n-2]] && (last != "id" && last != "name" || !people[name[n-2]]):
		return 0
	case n == 1 && !isPerson(parent):
		return 0
	case last == "name" || n == 1 && (last == "first" || last == "last" || last == "summary"): // PagerDuty's
		return personal
	case tags[last]:
		return id
	case links[last]:
		return link
	}
	return 0
}

// isPerson reports whether what has the name may have a person's name and id.
func isPerson(name []string) bool {
	if isThing(name) {
		return false
	}
	if people[strings.Join(name, "_")] || len(name) > 1 && name[len(name)-1] == "by" && doings[name[len(name)-2]] {
		return true
	}
	for n := len(name); n > 0; n-- {
		last := name[n-1]
		if people[last] || persons[last] || persons[strings.TrimSuffix(last, "s")] {
			return true
		}
		if !wrappers[last] {
			return false
		}
	}
	return false
}

func isThing(name []string) bool {
	return len(name) > 0 && (things[name[len(name)-1]] || things[strings.Join(name, "_")])
}

const maxWords = 200 // bytes of a name that are looked at, from its end

// words splits a name: at what is no letter or digit, and where capitals begin.
func words(name string) []string {
	if len(name) > maxWords {
		name = name[len(name)-maxWords:]
	}
	var list []string
	rs := []rune(name)
	start := -1
	flush := func(end int) {
		if start >= 0 {
			list = append(list, strings.ToLower(string(rs[start:end])))
		}
		start = -1
	}
	for i, c := range rs {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			flush(i)
			continue
		}
		if unicode.IsUpper(c) && i > 0 && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			flush(i)
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(rs))
	return list
}
