package core

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// Options are what a check is made with.
type Options struct {
	BaseURL    string       // Core's address: http://localhost:5000
	HTTPClient *http.Client // as [transport.Options] has it
	Now        func() time.Time
	Logger     *slog.Logger
	Tuning     transport.Tuning // zero = the defaults
}

// CheckKeys asks Core for the keys that its tokens are signed with, and tells how many there are.
// None, or an answer that holds no key set, is an error: that address is not Core's.
func CheckKeys(ctx context.Context, options Options) (int, error) {
	api, err := transport.New(transport.Options{
		Upstream: "core", BaseURL: options.BaseURL, HTTPClient: options.HTTPClient,
		Now: options.Now, Logger: options.Logger, Tuning: options.Tuning,
	})
	if err != nil {
		return 0, fmt.Errorf("core: %w", err)
	}
	defer api.Close()
	keys := 0
	_, err = api.Do(ctx, transport.Request{
		Path: "/.well-known/jwks.json", Tries: 1, // a person is waiting, and can ask again
		Check: func(body []byte) error {
			records, err := wire.Records(body, "keys")
			if err == nil && len(records) == 0 {
				err = fmt.Errorf("there are no keys")
			}
			keys = len(records)
			return err
		},
	})
	if err != nil {
		return 0, fmt.Errorf("reading Core's signing keys: %w", err)
	}
	return keys, nil
}
