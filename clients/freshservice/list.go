package freshservice

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
)

// resource says how one kind of record is listed.
type resource[T any] struct {
	path     string // below /api/v2
	endpoint string // path without ids; empty = path
	envelope string
	bucket   string
	query    url.Values
	include  []string // embeds, given up where an account refuses them
	// perWorkspace asks for one listing of each configured workspace, since a plain one shows the
	// primary workspace only.
	perWorkspace bool
	// global tells that the records may belong to no workspace: then the parameter may be refused,
	// and a plain listing has everything.
	global bool
	decode func(json.RawMessage) (T, error)
	key    func(T) int64
	told   func(http.Header) // hears the head of each page
}

// plain is the listing that names no workspace.
const plain = ""

// listings are the values of workspace_id that r is asked for with. 0 is all workspaces, which only
// tickets know: what may belong to none is listed plainly then.
func (r *resource[T]) listings(workspaces []int64) []string {
	if !r.perWorkspace || len(workspaces) == 0 {
		return []string{plain}
	}
	if slices.Contains(workspaces, 0) { // the others are in it
		if r.global {
			return []string{plain}
		}
		return []string{"0"}
	}
	var values []string
	for _, id := range workspaces {
		values = append(values, strconv.FormatInt(id, 10))
	}
	return values
}

// listAll reads every page of r, of each workspace.
func listAll[T any](ctx context.Context, c *Client, r resource[T]) (wire.Listing[T], error) {
	id := func(item T) string { return strconv.FormatInt(r.key(item), 10) }
	collector := wire.NewCollector("id", id, r.decode)
	complete := true
	var began time.Time
	r.told = func(header http.Header) {
		if began.IsZero() {
			began, _ = http.ParseTime(header.Get("Date")) // zero where it is none
		}
	}
	for _, workspace := range r.listings(c.workspaces) {
		whole, err := walk(ctx, c, &r, workspace, collector)
		if r.global && workspace != plain && transport.StatusOf(err) == http.StatusBadRequest {
			// The account does not divide these by workspace.
			workspace = plain
			whole, err = walk(ctx, c, &r, workspace, collector)
		}
		if err != nil {
			return wire.Listing[T]{}, err
		}
		complete = complete && whole
		if workspace == plain {
			break
		}
	}
	listing := collector.Listing(complete, 0)
	listing.Began = began
	return listing, nil
}

// maxStalePages is how many pages in a row may bring nothing new before the list is left. Pages
// can repeat by a fault, or because as many records as fit on one were inserted before it.
const maxStalePages = 2

// walk reads the pages of one list to their end: an empty page, or one that is neither full nor
// followed by a link to the next, since Freshservice tells no totals. False if a page was missing.
func walk[T any](
	ctx context.Context, c *Client, r *resource[T], workspace string, collector *wire.Collector[T],
) (complete bool, err error) {
	collector.NextRun()
	complete, stale := true, 0
	for page := 1; ; page++ {
		var records []json.RawMessage
		var more bool
		for range 2 { // a page that repeats another is asked for once more
			if records, more, err = readPage(ctx, c, r, workspace, page); err != nil {
				return false, err
			}
			fresh := collector.Add(records)
			if stale++; len(records) == 0 || fresh > 0 {
				stale = 0
				break
			}
		}
		if stale > 0 {
			complete = false
		}
		if len(records) == 0 || stale >= 2*maxStalePages || !more && len(records) < c.perPage {
			return complete, nil
		}
	}
}

// readPage reads one page. more tells that the answer links to a next one.
func readPage[T any](
	ctx context.Context, c *Client, r *resource[T], workspace string, page int,
) (records []json.RawMessage, more bool, err error) {
	query := maps.Clone(r.query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("page", strconv.Itoa(page))
	query.Set("per_page", strconv.Itoa(c.perPage))
	if workspace != plain {
		query.Set("workspace_id", workspace)
	}
	if len(r.include) > 0 {
		query.Set("include", strings.Join(r.include, ","))
	}
	answer, err := c.api.Do(ctx, transport.Request{
		Path: apiPath + r.path, Endpoint: r.endpoint, Query: query,
		Bucket: r.bucket, Cost: listCost(len(r.include)),
		Check: func(body []byte) (err error) {
			records, err = wire.Records(body, r.envelope)
			return err
		},
	})
	if transport.StatusOf(err) == http.StatusBadRequest && len(r.include) > 0 {
		r.include = nil // some accounts refuse every embed on lists: what they would tell is then not told
		return readPage(ctx, c, r, workspace, page)
	}
	if err != nil {
		return nil, false, err
	}
	r.told(answer.Header)
	return records, linksToNext(answer.Header), nil
}

// linksToNext finds rel="next" in the Link header, with or without blank and quotes.
func linksToNext(header http.Header) bool {
	for _, value := range header.Values("Link") {
		value = strings.ReplaceAll(strings.ToLower(value), " ", "")
		if strings.Contains(value, `rel="next"`) || strings.Contains(value, "rel=next") {
			return true
		}
	}
	return false
}

// one says how a single record is read.
type one struct {
	path      string // below /api/v2
	endpoint  string // path without ids
	bucket    string
	include   []string
	envelopes []string // the keys under which it may be
}

func readOne[T any](
	ctx context.Context, c *Client, r one, decode func(json.RawMessage) (T, error),
) (item T, err error) {
	query := url.Values{}
	if len(r.include) > 0 {
		query.Set("include", strings.Join(r.include, ","))
	}
	var record json.RawMessage
	_, err = c.api.Do(ctx, transport.Request{
		Path: apiPath + r.path, Endpoint: r.endpoint, Query: query,
		Bucket: r.bucket, Cost: viewCost(len(r.include)),
		Check: func(body []byte) (err error) {
			record, err = wire.Record(body, r.envelopes...)
			return err
		},
	})
	if err != nil {
		return item, err
	}
	return decode(record)
}
