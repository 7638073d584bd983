package codex_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
)

func TestBackupSizeIsServedAsTheOldServiceRoundedIt(t *testing.T) {
	const tb = 1 << 40
	for _, tc := range []struct {
		name  string
		bytes codex.Bytes
		tb    string
		back  int64
	}{
		{"nothing", 0, "0.00", 0},
		{"a quarter", tb / 4, "0.25", tb / 4},
		{"an exact half goes to the even digit below", tb / 8, "0.12", 131941395333},
		{"an exact half goes to the even digit above", tb * 3 / 8, "0.38", 417814418554},
		{"one and a bit", tb + 1, "1.00", tb},
		{"beyond two terabytes", 5 * tb / 2, "2.50", 5 * tb / 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.bytes.LegacyTB(); got != tc.tb {
				t.Errorf("LegacyTB() = %s, want %s", got, tc.tb)
			}
			if got := tc.bytes.LegacyBytes(); got != tc.back {
				t.Errorf("LegacyBytes() = %d, want %d", got, tc.back)
			}
		})
	}
}

func TestABillingMonthIsAMonthOfUTC(t *testing.T) {
	newYork := time.FixedZone("UTC-5", -5*3600)
	lateOnThe31st := time.Date(2025, time.October, 31, 22, 0, 0, 0, newYork)
	period := codex.PeriodOf(lateOnThe31st)
	if want := (codex.Period{Year: 2025, Month: time.November}); period != want {
		t.Errorf("PeriodOf = %v, want %v", period, want)
	}
	if got := period.String(); got != "2025-11" {
		t.Errorf("String() = %q", got)
	}
	if end := (codex.Period{Year: 2025, Month: time.December}).End(); !end.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("December ends at %v", end)
	}
}

func TestADayIsADayOfUTC(t *testing.T) {
	zone := time.FixedZone("", -3*60*60)
	for _, tc := range []struct {
		at   time.Time
		day  codex.Day
		text string
	}{
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 0, "1970-01-01"},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), -1, "1969-12-31"},
		{time.Date(2025, 10, 31, 23, 59, 59, 0, time.UTC), 20392, "2025-10-31"},
		{time.Date(2025, 10, 31, 21, 0, 0, 0, zone), 20393, "2025-11-01"},
	} {
		if got := codex.DayOf(tc.at); got != tc.day || got.String() != tc.text {
			t.Errorf("%s is the day %d, %s, want %d, %s", tc.at, got, got, tc.day, tc.text)
		}
		if back, err := codex.ParseDay(tc.text); back != tc.day || err != nil || codex.DayOf(back.Start()) != back {
			t.Errorf("%s came back as %d, %v", tc.text, back, err)
		}
	}
	for _, text := range []string{"", "2025-13-01", "2025-1-1", "31.10.2025", "2025-10-31T00:00:00Z"} {
		if day, err := codex.ParseDay(text); err == nil {
			t.Errorf("%q was taken as %s", text, day)
		}
	}
}

func TestASecretNeverPrints(t *testing.T) {
	const key = "hunter2"
	secret := codex.Secret(key)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", secret, "in", struct{ S codex.Secret }{secret})
	asJSON, err := json.Marshal(map[string]any{"s": secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{
		fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %s %q", secret, secret, secret, secret, secret),
		fmt.Sprintf("%+v", struct{ S codex.Secret }{secret}), string(asJSON), log.String(),
	} {
		if strings.Contains(printed, key) {
			t.Errorf("told: %s", printed)
		}
	}
	if secret.Reveal() != key {
		t.Error("Reveal() lost the secret")
	}
}

func TestTheCodeOfAnErrorIsFoundInItsChain(t *testing.T) {
	cause := errors.New("disk on fire")
	wrapped := fmt.Errorf("loading: %w", codex.Wrap(codex.CodeUnavailable, cause, "try again later"))
	for _, tc := range []struct {
		name string
		err  error
		want codex.Code
	}{
		{"nil has none", nil, ""},
		{"an unknown error is a defect of ours", cause, codex.CodeInternal},
		{"wrapped", wrapped, codex.CodeUnavailable},
		{"bad input", codex.BadInput("year", "four digits"), codex.CodeBadInput},
	} {
		if got := codex.CodeOf(tc.err); got != tc.want {
			t.Errorf("%s: CodeOf = %q, want %q", tc.name, got, tc.want)
		}
	}
	if !errors.Is(wrapped, cause) {
		t.Error("the cause is lost")
	}
	if got, want := codex.BadInput("year", "give four digits").Error(), "year: give four digits"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestOnlyKnownFeedsAndRolesAreTaken(t *testing.T) {
	for _, feed := range codex.Feeds() {
		if got, err := codex.ParseFeed(string(feed)); err != nil || got != feed {
			t.Errorf("ParseFeed(%q) = %q, %v", feed, got, err)
		}
	}
	if _, err := codex.ParseFeed("psa"); codex.CodeOf(err) != codex.CodeBadInput {
		t.Errorf("ParseFeed(psa): %v", err)
	}
	if _, err := codex.ParseRole("client"); codex.CodeOf(err) != codex.CodeBadInput {
		t.Errorf("a token for a customer was taken: %v", err)
	}
	if (codex.Caller{}).HasAny("") {
		t.Error("a caller without role has a role")
	}
}
