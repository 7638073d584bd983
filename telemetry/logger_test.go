package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"testing"

	"github.com/hivematrix/codex"
)

// logged is the line that log makes, without its time.
func logged(t *testing.T, format string, level slog.Level, log func(*slog.Logger)) string {
	t.Helper()
	var b bytes.Buffer
	logger, err := NewLogger(&b, level, format)
	if err != nil {
		t.Fatal(err)
	}
	log(logger)
	line := b.Bytes()
	if format == "json" {
		_, line, _ = bytes.Cut(line, []byte(","))
		return "{" + string(line)
	}
	_, line, _ = bytes.Cut(line, []byte(" "))
	return string(line)
}

func TestALineHasLevelMessageAndAttributes(t *testing.T) {
	log := func(l *slog.Logger) {
		l.Info("asset moved", KeyFeed, codex.FeedDatto, KeyAccountNumber, codex.AccountNumber("620547"), KeyAttempt, 2)
	}
	for _, test := range []struct {
		format string
		level  slog.Level
		want   string
	}{
		{"text", slog.LevelInfo, "level=INFO msg=\"asset moved\" feed=datto account_number=620547 attempt=2\n"},
		{"json", slog.LevelDebug, `{"level":"INFO","msg":"asset moved","feed":"datto","account_number":"620547","attempt":2}` + "\n"},
		{"text", slog.LevelWarn, ""},
	} {
		t.Run(fmt.Sprintf("%s at %s", test.format, test.level), func(t *testing.T) {
			if got := logged(t, test.format, test.level, log); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAnUnknownFormatIsAnError(t *testing.T) {
	_, err := NewLogger(&bytes.Buffer{}, slog.LevelInfo, "xml")
	if want := `there is no log format "xml": it is text or json`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestNoFormOfASecretLeavesTheProcess(t *testing.T) {
	withPassword := &url.URL{Scheme: "http", User: url.UserPassword("u", "hunter2"), Host: "h"}
	for _, test := range []struct {
		name string
		attr slog.Attr
		want string // the attribute as text
	}{
		{"a secret by its type", slog.Any("key", codex.Secret("hunter2")), "key=***"},
		{"a secret inside a struct", slog.Any("settings", struct{ Key codex.Secret }{"hunter2"}), "settings={Key:***}"},
		{"a secret by its name", slog.String("password", "hunter2"), "password=***"},
		{"a name that ends in one", slog.String("datto.secret_key", "hunter2"), "datto.secret_key=***"},
		{"a name in another case", slog.String("Set-Cookie", "hunter2"), "Set-Cookie=***"},
		{"in a group", slog.Group("core", slog.String("token", "hunter2")), "core.token=***"},
		{"nothing under such a name", slog.String("token", ""), `token=""`},
		{"a name that only begins so", slog.String("token_name", "ci"), "token_name=ci"},
		{"a connection string", slog.String("to", "postgresql://codex:hunter2@db/codex"), "to=postgresql://codex:***@db/codex"},
		{"an error with an address", slog.Any(KeyErr, errors.New("dial http://u:hunter2@h: refused")), `err="dial http://u:***@h: refused"`},
		{"an address as a value", slog.Any("to", withPassword), "to=http://u:***@h"},
		{"an Authorization header", slog.String("header", "Bearer hunter2.hunter2"), `header="Bearer ***"`},
		{"an address without a password", slog.String("to", "http://h:8080/a@b"), "to=http://h:8080/a@b"},
		{"an ordinary error", slog.Any(KeyErr, errors.New("basic form refused")), `err="basic form refused"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := logged(t, "text", slog.LevelInfo, func(l *slog.Logger) { l.Info("m", test.attr) })
			if want := "level=INFO msg=m " + test.want + "\n"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	t.Run("the message", func(t *testing.T) {
		got := logged(t, "text", slog.LevelInfo, func(l *slog.Logger) { l.Info("to http://u:hunter2@h") })
		if want := "level=INFO msg=\"to http://u:***@h\"\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
