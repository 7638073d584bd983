package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// The keys of log attributes.
const (
	KeyRunID         = "run_id"         // a sync run, codex.RunID
	KeyFeed          = "feed"           // codex.Feed
	KeyAccountNumber = "account_number" // a company, codex.AccountNumber
	KeyUpstream      = "upstream"       // freshservice, datto, core, ledger
	KeyAttempt       = "attempt"        // which try of a request, from 1
	KeyErr           = "err"            // what went wrong, an error
	KeyRequestID     = "request_id"     // the HTTP request that caused the line
)

// NewLogger writes lines of level and above to w, as "text" (logfmt) or "json".
func NewLogger(w io.Writer, level slog.Leveler, format string) (*slog.Logger, error) {
	g := newGuard()
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: g.replace}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("there is no log format %q: it is text or json", format)
}

const masked = "***"

// guard finds what looks like a secret in attributes.
type guard struct {
	name     *regexp.Regexp // of an attribute whose value is none of a log's business
	scheme   *regexp.Regexp // of an Authorization header's value
	userinfo *regexp.Regexp // of an address, up to the password
}

func newGuard() guard {
	return guard{
		name:     regexp.MustCompile(`(?i)(^|[_.-])(password|passwd|secret|token|authorization|cookie|api_?key|secret_?key|private_?key|dsn)$`),
		scheme:   regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}`),
		userinfo: regexp.MustCompile(`(://[^\s/:@]*):[^\s/@]+@`),
	}
}

// replace is for slog.HandlerOptions.ReplaceAttr, which sees the message as an attribute too.
func (g guard) replace(_ []string, attr slog.Attr) slog.Attr {
	if g.name.MatchString(attr.Key) && attr.Value.String() != "" {
		return slog.String(attr.Key, masked)
	}
	var text string
	switch attr.Value.Kind() {
	case slog.KindString:
		text = attr.Value.String()
	case slog.KindAny:
		switch v := attr.Value.Any().(type) {
		case error:
			text = v.Error()
		case fmt.Stringer:
			text = v.String()
		default:
			return attr
		}
	default:
		return attr
	}
	if clean := g.clean(text); clean != text {
		return slog.String(attr.Key, clean)
	}
	return attr
}

func (g guard) clean(text string) string {
	if strings.Contains(text, "://") {
		text = g.userinfo.ReplaceAllString(text, "$1:"+masked+"@")
	}
	return g.scheme.ReplaceAllString(text, "$1 "+masked)
}
