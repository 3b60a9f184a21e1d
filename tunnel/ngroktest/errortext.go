package ngroktest

import "fmt"

// ErrorText returns an error as the service words it: the message, a blank line
// and the code. Agents look for the code in the text.
func ErrorText(message, code string) string {
	return message + "\r\n\r\n" + code + "\r\n"
}

// The errors that the server gives by itself. The messages have the shape of
// those at https://ngrok.com/docs/errors/reference, with all that makes them
// awkward: several lines, lists, and the authtoken itself.

func errNoAuthtoken() string {
	return ErrorText("Usage of ngrok requires a verified account and authtoken.\n\n"+
		"Sign up for an account: https://dashboard.ngrok.com/signup\n"+
		"Install your authtoken: https://dashboard.ngrok.com/get-started/your-authtoken", "ERR_NGROK_4018")
}

func errMalformedAuthtoken(token string) string {
	return ErrorText("The authtoken you specified does not look like a proper ngrok authtoken.\n"+
		"Your authtoken: "+token+"\n"+
		"Instructions to install your authtoken are on your ngrok dashboard:\n"+
		"https://dashboard.ngrok.com/get-started/your-authtoken", "ERR_NGROK_105")
}

func errInvalidAuthtoken(token string) string {
	return ErrorText("The authtoken you specified is properly formed, but it is invalid.\n"+
		"Your authtoken: "+token+"\n"+
		"This usually happens when:\n"+
		"    - You reset your authtoken\n"+
		"    - Your authtoken was for a team account that you were removed from\n"+
		"Go to your ngrok dashboard and double check that your authtoken is correct:\n"+
		"https://dashboard.ngrok.com/get-started/your-authtoken", "ERR_NGROK_107")
}

func errTooManySessions(limit int) string {
	return ErrorText(fmt.Sprintf("Your account is limited to %d simultaneous ngrok agent sessions.\n", limit)+
		"Run multiple endpoints at the same time from a single agent by defining them in your agent configuration file "+
		"and running `ngrok start --all`.\n"+
		"You can view your current agent sessions in the dashboard: https://dashboard.ngrok.com/agents.", "ERR_NGROK_108")
}

func errAlreadyOnline(url string) string {
	return ErrorText("The endpoint '"+url+"' is already online. Either\n"+
		"1. stop your existing endpoint first, or\n"+
		"2. start both endpoints with `--pooling-enabled` to load balance between them.", "ERR_NGROK_334")
}

func errBadBind(reason string) string {
	return ErrorText("The bind payload you specified is not valid.\n"+
		"This usually indicates a bug in the client's protocol implementation.\n"+
		"The parsing error encountered was:\n"+reason, "ERR_NGROK_301")
}

func errNoTunnel(id string) string {
	return ErrorText("No tunnel found with the ID "+id, "ERR_NGROK_333")
}
