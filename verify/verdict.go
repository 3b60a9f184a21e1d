package verify

import (
	"errors"
	"fmt"
)

// The verdicts of a declared scheme, in words. What comes from outside is
// quoted and cut; a secret or a right signature is in none of them.

// ready reports whether k holds what the scheme needs, and else the verdict.
func (d *declared) ready(k Keys) (Verdict, bool) {
	err := d.checkKeys(k)
	if err == nil {
		return Verdict{}, true
	}
	return Verdict{Unverified, NoSecret, err.Error(), d.keyHint(err)}, false
}

// errNoSecret and needError tell what checkKeys found missing.
var errNoSecret = errors.New("no secret is known")

type needError struct{ Need }

func (e needError) Error() string { return e.Name + " is missing" }

// checkKeys returns nil if k has a secret that can be used and all that the
// scheme needs beside it.
func (d *declared) checkKeys(k Keys) error {
	err := errNoSecret
	for _, s := range k.Secrets {
		if s.Empty() {
			continue
		}
		if err = s.key(d.form).err; err == nil {
			break
		}
	}
	if err != nil && (d.source == nil || k.Fetch == nil) {
		return err
	}
	for _, n := range d.needs {
		if n.Required && k.With[n.Name] == "" {
			return needError{n}
		}
	}
	return nil
}

func (d *declared) keyHint(err error) string {
	if need, ok := errors.AsType[needError](err); ok {
		hint := fmt.Sprintf("give it with --with %s.%s=VALUE", d.id, need.Name)
		if need.Env != "" {
			hint += ", or set " + need.Env
		}
		return hint
	}
	if errors.Is(err, errNoSecret) && d.source != nil {
		return fmt.Sprintf("its key is fetched from %s by devhook up and devhook verify; elsewhere give the %s with --secret %s=REF", d.source, d.secretName, d.id)
	}
	if errors.Is(err, errNoSecret) {
		return fmt.Sprintf("give the %s with --secret %s=REF, or set %s", d.secretName, d.id, d.env)
	}
	return fmt.Sprintf("copy the %s from %s again, whole", d.secretName, d.name)
}

func (d *declared) unsigned() Verdict {
	return Verdict{
		Unsigned, MissingSignature, fmt.Sprintf("no %s", d.signature),
		fmt.Sprintf("%s signs its webhooks once a secret is set there: none is yet, or this did not come from there, or something on the way took the signature off", d.name),
	}
}

func (d *declared) untimed() Verdict {
	return Verdict{Invalid, MissingTimestamp, fmt.Sprintf("no %s", d.stamp.place), "the signature of " + d.name + " covers a time: send it along as it was signed"}
}

func (d *declared) malformed(format string, args ...any) Verdict {
	return Verdict{Invalid, MalformedSignature, fmt.Sprintf(format, args...), fmt.Sprintf("%s sends %s", d.name, d.shape())}
}

// shape describes a signature, for hints.
func (d *declared) shape() string {
	text := fmt.Sprintf("<%d characters of %s>", d.encoding.length(d.algorithm.size), d.encoding)
	if d.algorithm.size == 0 {
		text = fmt.Sprintf("<a signature in %s>", d.encoding)
	}
	if d.kind == schemeJWT {
		text = fmt.Sprintf("<a JWT with %s>", d.algorithm.name)
	}
	if d.kind.isToken() {
		text = "<" + d.secretName + ">"
	}
	text = d.prefix + text
	if d.list != nil {
		if d.list.assign != "" && !d.list.bare {
			text = d.list.name() + d.list.assign + text
		}
		if d.stamp != nil && d.stamp.in == inSignature {
			text = fmt.Sprintf("%s%s<time, %s>%s%s", d.stamp.name, d.list.assign, d.stamp.unit, d.list.separator, text)
		}
	}
	return fmt.Sprintf("%s: %s", d.signature, text)
}

func (d *declared) wrong(secrets int) Verdict {
	detail := "not signed with the known secret"
	if secrets > 1 {
		detail = fmt.Sprintf("not signed with any of the %d known secrets", secrets)
	}
	hint := fmt.Sprintf("check that %s (or what --secret or devhook.yaml names) is the %s of the app that sends this", d.env, d.secretName)
	if d.payload.has(refBody, "") {
		hint += ", and that nothing on the way changed the body"
	}
	return Verdict{Invalid, BadSignature, detail, hint}
}

func (d *declared) otherAccount(detail string) Verdict {
	return Verdict{Invalid, WrongAccount, detail, fmt.Sprintf("the account that is expected is given by --with %s.%s", d.id, d.account.with)}
}

func (d *declared) untimely(reason Reason, detail string) Verdict {
	hint := "the signature is right, but old: a recording must be signed anew; if it just came, check the clock of this machine"
	if reason == Future {
		hint = "the signature is right, but from the future: check the clock of this machine and of the sender"
	}
	return Verdict{Invalid, reason, detail, hint}
}
