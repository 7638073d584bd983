package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
)

// The entities whose rows the answers are made of, by the names of their revisions.
const (
	ofCompanies    = "companies"
	ofAssets       = "assets"
	ofContacts     = "contacts"
	ofContactLinks = "contact_links"
	ofLocations    = "locations"
	ofTickets      = "tickets"
)

// subject is what an answer depends on, beside the program and its configuration. Two subjects that
// differ have different tags, though their answers may be the same.
type subject struct {
	Kind     string              // of the answer
	Account  codex.AccountNumber // empty: all companies
	Entities []string
	Tickets  *query.TicketFilter // nil: there are none in it
}

// entityTag is the strong validator of an answer (RFC 9110, section 8.8): two answers with one tag are
// the same, byte for byte, but for their content coding, which package httpd adds.
//
// It is made of the revisions, which every transaction that writes raises, and not of the answer, so
// that an answer that has not changed costs one statement.
type entityTag struct {
	hash string
	// from is where a window of tickets begins, zero where there is none: it moves with the clock, and
	// what leaves it changes the answer although nobody writes.
	from time.Time
	// oldest is the update of the first ticket that will leave the window, zero where it is empty.
	// While from is not past it, the window has the same tickets. A clock that is behind that of the
	// process which made the tag is no trouble: who asks has been told the later answer already.
	oldest time.Time
}

// tag is that of about at the moment of v, without oldest.
func (s *service) tag(ctx context.Context, v moment, about subject) (entityTag, error) {
	revisions, err := v.Revisions(ctx, about.Entities...)
	if err != nil {
		return entityTag{}, err
	}
	inputs := struct {
		Version      string // another program may write another JSON
		SeedKeysOnly bool
		Rules        query.Rules
		Kind         string
		Account      codex.AccountNumber
		Tickets      bool
		Year, Days   int
		Revisions    map[string]int64
	}{
		Version: s.Version, SeedKeysOnly: s.SeedKeysOnly, Rules: s.Rules,
		Kind: about.Kind, Account: about.Account, Revisions: revisions,
	}
	tag := entityTag{}
	if about.Tickets != nil {
		inputs.Tickets, inputs.Year = true, about.Tickets.Year
		if inputs.Year == 0 {
			inputs.Days, tag.from = s.TicketDays, about.Tickets.UpdatedFrom
		}
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		return entityTag{}, fmt.Errorf("making an entity tag: %w", err)
	}
	sum := sha256.Sum256(text)
	tag.hash = hex.EncodeToString(sum[:16])
	return tag, nil
}

// complete gives a tag its oldest ticket, which only an answer needs that is sent.
func (t *entityTag) complete(ctx context.Context, v moment) error {
	if t.from.IsZero() {
		return nil
	}
	oldest, err := v.OldestTicketSince(ctx, t.from)
	if err == nil && oldest != nil {
		t.oldest = *oldest
	}
	return err
}

// String is the tag as it is sent.
func (t entityTag) String() string {
	if t.oldest.IsZero() {
		return `"` + t.hash + `"`
	}
	return `"` + t.hash + "." + strconv.FormatInt(t.oldest.UnixMicro(), 36) + `"`
}

// among looks whether the answer is one that the caller has kept under one of its tags, and gives
// that tag. A weak one does as well: comparisons of If-None-Match are weak (RFC 9110, section 13.1.2).
func (t entityTag) among(kept []string) (string, bool) {
	for _, tag := range kept {
		tag = strings.TrimPrefix(tag, "W/")
		hash, oldest, windowed := strings.Cut(strings.Trim(tag, `"`), ".")
		if hash != t.hash {
			continue
		}
		if !windowed {
			return tag, true // of a window that was empty, and nothing was written since
		}
		micros, err := strconv.ParseInt(oldest, 36, 64)
		if err == nil && !t.from.IsZero() && !t.from.After(time.UnixMicro(micros)) {
			return tag, true
		}
	}
	return "", false
}

// kept are the entity tags of the header If-None-Match, and whether it has the asterisk.
func kept(r *http.Request) (tags []string, whatever bool) {
	tags = EntityTags(r.Header.Values("If-None-Match"))
	return tags, slices.Contains(tags, "*")
}

// EntityTags are the entity tags of a header with a list of them, quotes and W/ included, and *. What is
// none is passed over.
func EntityTags(values []string) []string {
	var tags []string
	rest := strings.Join(values, ",")
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return tags
		}
		if rest[0] == '*' {
			tags, rest = append(tags, "*"), rest[1:]
			continue
		}
		weak := ""
		if strings.HasPrefix(rest, "W/") {
			weak, rest = "W/", rest[2:]
		}
		end := -1
		if strings.HasPrefix(rest, `"`) {
			end = strings.IndexByte(rest[1:], '"')
		}
		if end < 0 { // up to the next comma it is nothing
			_, rest, _ = strings.Cut(rest, ",")
			continue
		}
		tags, rest = append(tags, weak+rest[:end+2]), rest[end+2:]
	}
}

// tagged answers with what read gives, under the tag of about; a caller who has the answer already is
// told so (304), and nothing but the revisions is read. They are of the same moment as the answer: a
// write in between is in neither.
func (s *service) tagged(w http.ResponseWriter, r *http.Request, about subject, read func(ctx context.Context, v moment) (any, error)) error {
	tags, whatever := kept(r)
	var (
		value     any
		tag       string
		unchanged bool
	)
	err := s.moments(r.Context(), func(ctx context.Context, v moment) error {
		made, err := s.tag(ctx, v, about)
		if err != nil {
			return err
		}
		if tag, unchanged = made.among(tags); unchanged {
			return nil
		}
		if value, err = read(ctx, v); err != nil {
			return err
		}
		if err := made.complete(ctx, v); err != nil {
			return err
		}
		tag, unchanged = made.String(), whatever
		return nil
	})
	if err != nil {
		return err
	}
	if unchanged {
		mark(w, tag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body, err := encode(value)
	if err != nil {
		return err
	}
	mark(w, tag)
	write(w, http.StatusOK, body)
	return nil
}

// hashed answers body under a tag made of its bytes, for what no revision tells from other answers
// before it is read. A caller who has it already is told so (304).
func (s *service) hashed(w http.ResponseWriter, r *http.Request, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	made := entityTag{hash: hex.EncodeToString(sum[:16])}
	mark(w, made.String())
	tags, whatever := kept(r)
	if _, unchanged := made.among(tags); unchanged || whatever {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeAs(w, http.StatusOK, contentType, body)
	return nil
}

// mark lets the caller, and nobody on the way, keep the answer, but ask each time whether it is still
// good. So it needs no Vary by who asks: they are all shown the same, or are refused before.
func mark(w http.ResponseWriter, tag string) {
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
}
