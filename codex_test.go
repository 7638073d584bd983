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
