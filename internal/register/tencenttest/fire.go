package tencenttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/fixtures"
)

// patience is how long the platform waits for an answer (product 1047, 34354;
// trtc.io/document/72210).
const patience = 2 * time.Second

// notBlock is in the list of commands where gifts are not to be blocked while
// nobody answers (trtc.io/document/64413).
const notBlock = "Live.CallbackBeforeCallBackNotBlock"

// A Fired is a callback that was sent.
type Fired struct {
	Command string        `json:"command"`
	URL     string        `json:"url"`
	Signed  bool          `json:"signed"`
	Status  int           `json:"status"` // 0: there was no answer
	Answer  string        `json:"answer"` // the body, or what was wrong
	Took    time.Duration `json:"took"`   // nanoseconds
	Effect  string        `json:"effect"` // what the platform does now, for people
}

// String is what became of it, for people.
func (f Fired) String() string {
	answer := "no answer: " + f.Answer
	if f.Status != 0 {
		answer = fmt.Sprintf("%d %s", f.Status, f.Answer)
	}
	return fmt.Sprintf("%s  %s  %s  %s", f.Command, f.Took.Round(time.Millisecond), answer, f.Effect)
}

// errNotSent is the error of a callback that the platform would not send.
var errNotSent = errors.New("not sent")

// Fire sends the callback of a command, with body, or that of the sample of it
// if body is empty, and waits for the answer. The error wraps [errNotSent] if
// no URL is in effect or it does not get this command, or is that of ctx.
func (s *Server) Fire(ctx context.Context, command string, body []byte) (Fired, error) {
	s.mu.Lock()
	to, token := s.effective(), s.token
	s.mu.Unlock()
	f := Fired{Command: command, URL: to.URL, Signed: token.Enabled}
	switch {
	case to.URL == "":
		return f, fmt.Errorf("%w: no callback URL is in effect", errNotSent)
	case !slices.Contains(to.Commands, command):
		return f, fmt.Errorf("%w: %s is not in the CallbackCommandList", errNotSent, command)
	}
	if len(body) == 0 {
		sample, ok := fixtures.Lookup("tencent-live", command)
		if !ok {
			return f, fmt.Errorf("%w: there is no sample of %s: POST a body", errNotSent, command)
		}
		sample, err := sample.Fill(s.o.Now(), rand.Uint64())
		if err != nil {
			return f, err
		}
		body = sample.Exchange.Request.Body.Bytes
	}
	// As the pages of events have it; a query of the URL's own is not allowed.
	query := "SdkAppid=" + strconv.FormatUint(s.o.App, 10) + "&CallbackCommand=" + url.QueryEscape(command) + "&contenttype=json&ClientIP=203.0.113.7&OptPlatform=RESTAPI"
	if token.Enabled {
		at := strconv.FormatInt(s.o.Now().Unix(), 10)
		sum := sha256.Sum256([]byte(token.Token + at))
		query += "&Sign=" + hex.EncodeToString(sum[:]) + "&RequestTime=" + at
	}
	waits, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(waits, http.MethodPost, to.URL+"?"+query, bytes.NewReader(body))
	if err != nil {
		return f, fmt.Errorf("%w: %w", errNotSent, err)
	}
	req.Header.Set("Content-Type", "application/json")
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
	}
	if f.Took = time.Since(began); ctx.Err() != nil {
		return f, ctx.Err()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.Answer = "timeout"
	case err != nil:
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // its URL is long, and signed
		}
		f.Answer = err.Error()
	default:
		f.Status, f.Answer = resp.StatusCode, string(answer)
	}
	f.Effect = effect(command, f.Status, answer, slices.Contains(to.Commands, notBlock))
	s.o.Log(f.String())
	return f, nil
}

// effect is what the platform does with an answer (trtc.io/document/72210 and
// 74347; product 1047, 34354).
func effect(command string, status int, answer []byte, calm bool) string {
	var a struct {
		ActionStatus    *string
		ErrorCode       *int
		MsgBody         json.RawMessage
		CloudCustomData json.RawMessage
	}
	bad := ""
	switch {
	case status == 0:
		bad = "no answer"
	case status != http.StatusOK:
		bad = fmt.Sprintf("HTTP %d", status)
	case json.Unmarshal(answer, &a) != nil || a.ActionStatus == nil || a.ErrorCode == nil:
		bad = "an answer that is not the JSON that is wanted"
	}
	gift := command == "Live.CallbackBeforeSendGift"
	message := command == "Group.CallbackBeforeSendMsg"
	if bad != "" {
		bad += " is a failure: "
		switch {
		case gift && !calm:
			return bad + "the gift is BLOCKED"
		case gift:
			return bad + "the gift is sent, as " + notBlock + " is in the list"
		case message:
			return bad + "the message is delivered"
		case strings.Contains(command, ".CallbackBefore"):
			return bad + "what it was asked for goes on"
		}
		return bad + "the callback is lost"
	}
	code := *a.ErrorCode
	switch {
	case gift && code == 0:
		return "the gift is sent"
	case gift && code >= 102100 && code <= 102200:
		return fmt.Sprintf("the gift is rejected, and the client sees %d", code)
	case gift:
		return "the gift is rejected"
	case message && code == 0 && (len(a.MsgBody) > 0 || len(a.CloudCustomData) > 0):
		return "the message is delivered, changed"
	case message && code == 0:
		return "the message is delivered"
	case message && code == 2:
		return "the message is dropped, and its sender sees success"
	case message && code >= 10100 && code <= 10200:
		return fmt.Sprintf("the message is rejected, and the client sees %d", code)
	case message:
		return "the message is rejected, and the client sees 10016"
	}
	return "taken note of"
}
