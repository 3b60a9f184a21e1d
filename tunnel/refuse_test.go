package tunnel

import (
	"context"
	"strings"
	"testing"

	"devhook/tunnel/ngroktest"
)

func TestConnectRefusedByTheService(t *testing.T) {
	const token = "2badtoken_cafe"
	taken := func(t *testing.T, srv *ngroktest.Server, o *NgrokOptions) {
		o.URL = "me.ngrok.test"
		mustOpen(t, *o, usual)
	}
	tests := []struct {
		name   string
		server func(*ngroktest.Server)
		before func(*testing.T, *ngroktest.Server, *NgrokOptions)
		code   string
		text   string
		hint   string
	}{
		{
			name:   "an authtoken that is not known",
			server: func(s *ngroktest.Server) { s.Authtokens = []string{ngroktest.Authtoken} },
			before: func(_ *testing.T, _ *ngroktest.Server, o *NgrokOptions) { o.Authtoken = token },
			code:   "ERR_NGROK_107",
			text:   "the authtoken you specified is properly formed, but it is invalid",
			hint:   "NGROK_AUTHTOKEN",
		},
		{
			name:   "an authtoken that is none",
			before: func(_ *testing.T, _ *ngroktest.Server, o *NgrokOptions) { o.Authtoken = "not-a-token" },
			code:   "ERR_NGROK_105",
			text:   "the authtoken you specified does not look like a proper ngrok authtoken",
			hint:   "https://dashboard.ngrok.com/get-started/your-authtoken",
		},
		{
			name:   "too many sessions",
			server: func(s *ngroktest.Server) { s.MaxSessions = 1 },
			before: func(t *testing.T, _ *ngroktest.Server, o *NgrokOptions) { mustOpen(t, *o, usual) },
			code:   "ERR_NGROK_108",
			text:   "your account is limited to 1 simultaneous ngrok agent sessions",
			hint:   "https://dashboard.ngrok.com/agents",
		},
		{
			name:   "a URL that is online",
			before: taken,
			code:   "ERR_NGROK_334",
			text:   "the endpoint 'https://me.ngrok.test' is already online",
			hint:   "--pooling-enabled",
		},
		{
			name: "a URL that is online, shared by one side only",
			before: func(t *testing.T, srv *ngroktest.Server, o *NgrokOptions) {
				taken(t, srv, o)
				o.PoolingEnabled = true
			},
			code: "ERR_NGROK_334",
			text: "the endpoint 'https://me.ngrok.test' is already online",
			hint: "another agent is online",
		},
		{
			name: "an account that may not",
			before: func(_ *testing.T, srv *ngroktest.Server, _ *NgrokOptions) {
				srv.HandleAuth(func(context.Context, ngroktest.Auth) string {
					return ngroktest.ErrorText("The account a has been suspended.", "ERR_NGROK_103")
				})
			},
			code: "ERR_NGROK_103",
			text: "the account a has been suspended",
			hint: "support@ngrok.com",
		},
		{
			name: "a code that is not known here",
			before: func(_ *testing.T, srv *ngroktest.Server, _ *NgrokOptions) {
				srv.HandleBind(func(context.Context, ngroktest.Bind) string {
					return ngroktest.ErrorText("No such thing.", "ERR_NGROK_98765")
				})
			},
			code: "ERR_NGROK_98765",
			text: "no such thing",
			hint: "https://ngrok.com/docs/errors/err_ngrok_98765",
		},
		{
			name: "no code",
			before: func(_ *testing.T, srv *ngroktest.Server, _ *NgrokOptions) {
				srv.HandleAuth(func(context.Context, ngroktest.Auth) string { return "Internal server error" })
			},
			text: "internal server error",
			hint: "https://status.ngrok.com",
		},
		{
			name: "a text that attacks the terminal",
			before: func(_ *testing.T, srv *ngroktest.Server, o *NgrokOptions) {
				srv.HandleBind(func(context.Context, ngroktest.Bind) string {
					return "\x1b]0;title\x07\x1b[31mBad\u202e\r\n" + o.Authtoken + strings.Repeat(" long", 10_000) + "ERR_NGROK_9\x1b"
				})
			},
			code: "ERR_NGROK_9",
			text: "]0;title[31mBad [hidden] long",
			hint: "err_ngrok_9",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			setUp := test.server
			if setUp == nil {
				setUp = func(*ngroktest.Server) {}
			}
			srv := start(t, setUp)
			o := options(t, srv)
			test.before(t, srv, &o)
			had := srv.Connections()
			e := fails(t, o, usual, test.code)
			if !strings.HasPrefix(e.Text, test.text) {
				t.Errorf("text %q, want %q", e.Text, test.text)
			}
			if !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q, want %q in it", e.Hint, test.hint)
			}
			eventually(t, "the connection is gone", func() bool { return srv.Connections() == had })
		})
	}
}

// A service that hangs up at once after its refusal is understood, though the
// SDK at times sees no more than that.
func TestConnectRefusedCurtly(t *testing.T) {
	srv := start(t, func(s *ngroktest.Server) { s.Authtokens = []string{"another"} })
	srv.SetMode(ngroktest.Curt)
	for range 8 {
		fails(t, options(t, srv), usual, "ERR_NGROK_107")
	}
}
