package main

// A topic is help on what many commands take.
type topic struct{ name, about, text string }

var topics = []topic{
	{"filters", "which recordings are meant", `Words that must all hold. They go with list, tail, wait, stats, export and
prune, and behind --filter of replay and save.

  provider:tiktok  event:video.*  method:POST  delivery:evt_1
  path:/hooks/*                 of the URL, without the query
  route:/hooks/tiktok           the route that it came to
  verdict:invalid               valid, invalid, unsigned, unverified, skipped
  reason:stale                  why; also bad_signature, missing_signature …
  outcome:unreachable           answered, unreachable, refused, handled,
                                unrouted, queued, pending
  origin:live                   live, replay, trigger, stream, import, mirror
  status:5xx  status:400..499   of the answer: the app's, or what the sender got
  size:>10kb  took:>500ms       of the request's body; of the answer
  seq:100..200  id:01J*         the number in lists; the ID
  since:1h  until:2026-11-01    from then on; before then
  pinned:true                   kept by devhook pin
  header.x-foo:bar              a header of the request
  body.user.id=42               the JSON value at a path, with =
  "text in a body"              a part of the request's or the response's body

  -status:200                   a minus negates
  status:5xx,404                commas are or
  event:video.*                 * is any run of characters
  event:"a b,c"                 quotes hold spaces and commas together

  devhook list 'status:5xx,404 -reason:stale since:1d'
  devhook replay --filter 'provider:tiktok outcome:unreachable' --expect 2xx
`},
	{"references", "how recordings, times, apps and secrets are written", `A recording (REF):

  128, #128                     the number in lists
  01J9ZK…, 7HQ2                 the ID, or how it begins or ends, from 4
                                characters on
  last, last~2                  the newest; the one that is 2 before it
  live, live~1                  the same, of what came from outside
  ./webhook.http, -             where files go, too: an HTTP message, or
                                exchanges in JSON; - is stdin

A time:

  now, -5m, +30s, 1795861642    unix seconds (10 digits) or milliseconds (13)
  2026-11-21T14:00:00Z          as in RFC 3339

An app (APP):

  3000, :3000                   on this machine
  host:8080, https://host/base

A secret (REF of --secret, --authtoken and others):

  env:NAME, file:PATH           a variable, a file
  -                             asks for it
  tiktok=env:NAME               whose it is, where that does not follow

  devhook providers ID          the variable that needs no flag
`},
}

func topicOf(name string) (topic, bool) {
	for _, t := range topics {
		if name == t.name || name+"s" == t.name {
			return t, true
		}
	}
	return topic{}, false
}
