package syncers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hivematrix/codex/clients/transport"
)

func TestWhatARefusalSays(t *testing.T) {
	status := func(status int, code string) error {
		return fmt.Errorf("reading: %w", &transport.StatusError{Upstream: "datto", Endpoint: "/x", Status: status, Code: code})
	}
	for _, test := range []struct {
		name               string
		err                error
		keyRefused, hidden bool
	}{
		{"no error", nil, false, false},
		{"401: the key", status(401, ""), true, false},
		{"a wrong key at the token endpoint", status(400, "invalid_grant"), true, false},
		{"403: the one thing", status(403, ""), false, true},
		{"blocked", fmt.Errorf("%w: %w", status(403, ""), transport.ErrBlocked), true, false},
		{"404", status(404, ""), false, true},
		{"500", status(500, ""), false, false},
		{"no connection", errors.New("connection refused"), false, false},
	} {
		if got := keyRefused(test.err); got != test.keyRefused {
			t.Errorf("%s: keyRefused = %t", test.name, got)
		}
		if got := hidden(test.err); got != test.hidden {
			t.Errorf("%s: hidden = %t", test.name, got)
		}
	}
}

func TestAKeyIsBoundedAndStaysItsOwn(t *testing.T) {
	long := strings.Repeat("ü", 2_000)
	if got := boundedKey("4711"); got != "4711" {
		t.Errorf("a short key became %q", got)
	}
	got, other := boundedKey(long), boundedKey(long+"x")
	if tooLong(got) || !utf8.ValidString(got) || got == other || !tooLong(long) {
		t.Errorf("got %q and %q", got, other)
	}
}
