package datto

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// RequestRate are Datto's own figures of how fast the account may be read. Reading them counts as
// a request.
type RequestRate struct {
	AccountUID  string        // which account this is
	Window      time.Duration // of the sliding window
	Count       int           // reads of the whole account in the window now, this one included
	Limit       int           // reads that a window may have
	CutOffRatio float64       // the share of Limit beyond which Datto slows each answer down
}

// What Datto documents for every account; it stands in for figures that are not told.
const (
	documentedWindow = 60 * time.Second
	documentedLimit  = 600
	documentedRatio  = 0.9
)

// figures are what the limiter is to keep to: below the cut-off, which costs a second an answer.
func (r RequestRate) figures(window time.Duration) transport.Figures {
	if r.CutOffRatio <= 0 || r.CutOffRatio > 1 {
		r.CutOffRatio = documentedRatio
	}
	if r.Limit <= 0 {
		r.Limit = documentedLimit
	}
	if r.Window > 0 {
		r.CutOffRatio *= window.Seconds() / r.Window.Seconds()
	}
	total := max(int(float64(r.Limit)*r.CutOffRatio), 1)
	return transport.Figures{Total: total, Remaining: max(total-r.Count, 0)}
}

// RequestRate reads the account's figures, and lets the limiter follow them. It is also the
// cheapest check of platform and keys, and the way to the account's uid.
func (c *Client) RequestRate(ctx context.Context) (RequestRate, error) {
	rate, err := c.pace.read(ctx, 0)
	if err != nil {
		return rate, fmt.Errorf("reading the request rate: %w", err)
	}
	return rate, nil
}

// pacer keeps the limiter informed: Datto's answers tell nothing about its limits, one endpoint
// does. It is asked before the first call and then once a window, as long as there are calls; so it
// is always asked at the start of a run.
type pacer struct {
	api     *transport.Client
	limiter *transport.Limiter
	now     func() time.Time
	logger  *slog.Logger
	window  time.Duration
	turn    chan struct{} // holds one reading at a time

	mu     sync.Mutex
	readAt time.Time
}

func newPacer(api *transport.Client, limiter *transport.Limiter, options Options) *pacer {
	window := options.Tuning.Window
	if window <= 0 {
		window = documentedWindow
	}
	return &pacer{
		api: api, limiter: limiter, now: options.Now, logger: options.Logger, window: window,
		turn: make(chan struct{}, 1),
	}
}

// keep makes sure that the figures are not older than a window. While somebody reads newer ones,
// the others go on by the old; only before the very first they wait.
//
// Figures that cannot be read fail nothing: the documented ones take their place.
func (p *pacer) keep(ctx context.Context) error {
	if p.fresh() {
		return nil
	}
	if p.known() {
		select {
		case p.turn <- struct{}{}:
		default:
			return nil
		}
	} else {
		select {
		case p.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-p.turn }()
	if p.fresh() {
		return nil
	}
	if _, err := p.read(ctx, 2); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.logger.WarnContext(ctx, "the request rate could not be read; the last known or documented one holds",
			slog.String("upstream", "datto"), slog.Any("err", err))
		if !p.known() {
			p.follow(RequestRate{})
		}
		p.mark()
	}
	return nil
}

// read asks for the figures, tries times at most, and follows them. It goes before whatever is
// queued, since that waits by the old ones.
func (p *pacer) read(ctx context.Context, tries int) (RequestRate, error) {
	var rate RequestRate
	_, err := p.api.Do(transport.WithPriority(ctx, transport.PriorityInteractive), transport.Request{
		Path: apiPath + "/v2/system/request_rate", Tries: tries,
		Check: func(body []byte) error {
			answer := wire.Open(body)
			rate = RequestRate{
				AccountUID:  answer.Text("accountUid"),
				Window:      time.Duration(answer.Int("slidingTimeWindowSizeSeconds")) * time.Second,
				Count:       answer.Int("accountCount"),
				Limit:       answer.Int("accountRateLimit"),
				CutOffRatio: answer.Float("accountCutOffRatio"),
			}
			return answer.Err()
		},
	})
	if err != nil {
		return rate, err
	}
	p.follow(rate)
	p.mark()
	return rate, nil
}

func (p *pacer) follow(rate RequestRate) { p.limiter.Follow(rate.figures(p.window)) }

func (p *pacer) mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readAt = p.now()
}

func (p *pacer) known() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.readAt.IsZero()
}

func (p *pacer) fresh() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.readAt.IsZero() && p.now().Sub(p.readAt) < p.window
}
