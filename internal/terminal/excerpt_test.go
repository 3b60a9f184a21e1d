package terminal

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// The pages are the beginnings of what the frameworks answer when a handler fails.
func TestExcerpt(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"text":            {"\n NoMethodError: undefined method\n\tapp.rb:5", "NoMethodError: undefined method"},
		"JSON":            {`{"error":"<b>no</b>"}`, `{"error":"<b>no</b>"}`},
		"XML":             {"<Response><Say>no</Say></Response>", "<Response><Say>no</Say></Response>"},
		"no text":         {"\xff\xfe\x00", ""},
		"Express":         {"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>TypeError: Cannot read properties of undefined (reading &#39;user&#39;)<br> &nbsp; &nbsp;at /app.js:7:44</pre>\n</body>\n</html>\n", "Error: TypeError: Cannot read properties of undefined (reading 'user') at /app.js:7:44"},
		"Flask":           {"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n<p>The server", "500 Internal Server Error: Internal Server Error The server"},
		"Flask, debugged": {"<!doctype html>\n<html lang=en>\n  <head>\n    <title>KeyError: 'nope'\n // Werkzeug Debugger</title>\n <script>\n var SECRET = \"0ehU\";\n if (a < b) { c = '</b>' }\n </script>", "KeyError: 'nope' // Werkzeug Debugger"},
		"Django":          {"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <meta name=\"robots\" content=\"NONE\">\n  <title>KeyError\n          at /hooks/stripe</title>\n  <style type=\"text/css\">\n    html * { padding:0; }", "KeyError at /hooks/stripe"},
		"PHP":             {"<br />\n<b>Fatal error</b>:  Uncaught Error: Call to a member function foo() on null in /index.php:4\n", "Fatal error: Uncaught Error: Call to a member function foo() on null in /index.php:4"},
		"Sinatra":         {"<h1>Internal Server Error</h1>", "Internal Server Error"},
		"a title twice":   {"<html><title>Bad Gateway</title><body><h1>Bad Gateway</h1>nginx", "Bad Gateway nginx"},
		"a page of none":  {"<html><style>a{}</style><script>1<2</script><!-- no --></html>", ""},
		"a hostile one":   {"<html><title>a\x1b[2J&#x202e;b</title>" + strings.Repeat("<i>", 1<<15), "a\x1b[2J\u202eb"},
	} {
		if got := Excerpt([]byte(tt.body)); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	long := "<html><p>" + strings.Repeat("é", 1<<20)
	if got := Excerpt([]byte(long)); Columns(got) > excerptLength || !utf8.ValidString(got) || !strings.HasPrefix(got, "éé") {
		t.Errorf("of a word that has no end: %d columns", Columns(got))
	}
}
