package datto

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// pageSize is what a page holds at most, and by default.
const pageSize = "250"

// maxStalePages is how many pages in a row may bring nothing new before the list is left.
const maxStalePages = 2

// resource says how one kind of record is listed.
type resource[T any] struct {
	path     string // below /api
	endpoint string // path without uids; empty = path
	envelope string
	idField  string // names a record that cannot be understood
	decode   func(json.RawMessage) (T, error)
	key      func(T) string
}

// page is one answer of a list.
type page struct {
	records []json.RawMessage
	next    url.Values // what asks for the next page; nil = this was the last
	total   *int64
}

// listAll reads every page of r. The list is complete when its end was reached and, where the
// upstream tells a total, as many records came as any page told: a partial listing looks like
// deletions.
func listAll[T any](ctx context.Context, c *Client, r resource[T]) (wire.Listing[T], error) {
	collector := wire.NewCollector(r.idField, r.key, r.decode)
	query := url.Values{"page": {"0"}, "max": {pageSize}}
	asked := map[string]bool{}
	complete, stale, total := true, 0, int64(-1)
	for query != nil {
		if asked[query.Encode()] { // the list leads back to a page of its own
			complete = false
			break
		}
		asked[query.Encode()] = true
		page, err := readPage(ctx, c, r, query)
		if err != nil {
			return wire.Listing[T]{}, err
		}
		if page.total != nil {
			total = max(total, *page.total) // what went while pages were read has moved others past us
		}
		if len(page.records) == 0 {
			break
		}
		if collector.Add(page.records) > 0 {
			stale = 0
		} else if complete, stale = false, stale+1; stale >= maxStalePages {
			break
		}
		query = page.next
	}
	if total >= 0 {
		complete = int64(collector.Seen()) >= total
	}
	return collector.Listing(complete, int(max(total, 0))), nil
}

// readPage reads one page, the figures of the limit before if need be.
func readPage[T any](ctx context.Context, c *Client, r resource[T], query url.Values) (page, error) {
	var read page
	_, err := c.ask(ctx, transport.Request{
		Path: apiPath + r.path, Endpoint: r.endpoint, Query: query,
		Check: func(body []byte) (err error) {
			read, err = parsePage(body, r.envelope, query, c.api.SameOrigin)
			return err
		},
	})
	return read, err
}

// parsePage takes a list answer apart. nextPageUrl is absolute, may have dropped parameters of the
// query that led here, and is null, empty or absent on the last page. Only its query is taken, so
// that the path stays ours behind a proxy too; and it must be of our origin, which is an error
// rather than an end, because the rest of the list is missing.
func parsePage(
	body []byte, envelope string, query url.Values, sameOrigin func(*url.URL) bool,
) (page, error) {
	records, err := wire.Records(body, envelope)
	if err != nil {
		return page{}, err
	}
	answer := wire.Open(body)
	details := answer.Object("pageDetails")
	read := page{records: records, total: details.OptID("totalCount")}
	next := details.Text("nextPageUrl")
	if err := answer.Err(); err != nil {
		return page{}, err
	}
	if next == "" {
		return read, nil
	}
	target, err := url.Parse(next)
	if err != nil {
		return page{}, fmt.Errorf("pageDetails.nextPageUrl: no URL")
	}
	if !sameOrigin(target) {
		return page{}, fmt.Errorf("pageDetails.nextPageUrl: %w: %s", transport.ErrOtherOrigin, target.Host)
	}
	read.next = url.Values{}
	for key, values := range query {
		read.next[key] = values
	}
	for key, values := range target.Query() {
		read.next[key] = values
	}
	return read, nil
}

// readOne reads a bare record.
func readOne[T any](
	ctx context.Context, c *Client, path, endpoint string, decode func(json.RawMessage) (T, error),
) (item T, err error) {
	answer, err := c.ask(ctx, transport.Request{
		Path: apiPath + path, Endpoint: endpoint,
		Check: func(body []byte) error { return wire.IsObject(body) },
	})
	if err != nil {
		return item, err
	}
	return decode(answer.Body)
}
