package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

const (
	// bulkBatch is how many companies are read at once: what memory holds of them.
	bulkBatch = 25
	// bulkMemory is how many bytes of an answer wait in memory before they go to a file.
	bulkMemory = 1 << 20
	// bulkChunk is how many bytes are handed to the client at once.
	bulkChunk = 32 << 10
)

// bulkJSON is a company with all that hangs on it (docs/compatibility.md, "Bulk").
type bulkJSON struct {
	Company          companyJSON    `json:"company"`
	Assets           []assetJSON    `json:"assets"`
	Contacts         []contactJSON  `json:"contacts"`
	Locations        []locationJSON `json:"locations"`
	*bulkTicketsJSON                // nil leaves its key out
}

// bulkTicketsJSON is there with include_tickets=true.
type bulkTicketsJSON struct {
	Tickets []ticketJSON `json:"tickets"`
}

// bulkAnswer is what is being answered, with what becomes known of it before its first byte.
type bulkAnswer struct {
	tickets  *query.TicketFilter // nil: none
	kept     []string            // the tags under which the caller has answers
	whatever bool                // the caller wants none that it has, whatever its tag

	// tag is there before anything is read or written of the answer.
	tag string
}

// errUnchanged ends the reading where the caller has the answer already.
var errUnchanged = errors.New("the caller has this answer")

// bulk streams. Nothing is sent before the first batch was read, so that what fails until then is
// answered as an error; what fails later breaks the connection.
func (s *service) bulk(w http.ResponseWriter, r *http.Request) error {
	filter, err := s.ticketFilter(r)
	if err != nil {
		return err
	}
	asked := &bulkAnswer{}
	asked.kept, asked.whatever = kept(r)
	if includeTickets(r) {
		asked.tickets = &filter
	}
	if r.Method == http.MethodHead {
		return s.bulkHead(w, r, asked)
	}

	ctx, cancel := context.WithCancel(r.Context())
	spool := newSpool(s.SpoolDir, bulkMemory)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		spool.finish(s.writeBulk(ctx, spool, asked))
	}()
	defer func() {
		cancel()
		if err := spool.Close(); err != nil {
			s.Logger.LogAttrs(r.Context(), slog.LevelError, "a spooled answer could not be dropped", LogAttrs(r, err)...)
		}
		<-finished
	}()

	chunk := make([]byte, bulkChunk)
	n, err := spool.Read(chunk)
	switch {
	case errors.Is(err, errUnchanged):
		mark(w, asked.tag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	case err != nil:
		return err
	}
	mark(w, asked.tag)
	w.Header().Set("Content-Type", "application/json")
	for {
		if _, err := w.Write(chunk[:n]); err != nil {
			panic(http.ErrAbortHandler) // the client has gone: the log shall not call it answered
		}
		n, err = spool.Read(chunk)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			if r.Context().Err() == nil {
				s.Logger.LogAttrs(r.Context(), slog.LevelError, "a bulk answer broke off", LogAttrs(r, err)...)
			}
			panic(http.ErrAbortHandler)
		}
	}
}

// bulkTag gives asked its tag, from the revisions of v's moment; the caller having that answer is
// errUnchanged.
func (s *service) bulkTag(ctx context.Context, v moment, asked *bulkAnswer) error {
	about := subject{Kind: "bulk", Entities: []string{ofCompanies, ofAssets, ofContacts, ofContactLinks, ofLocations}}
	if asked.tickets != nil {
		about.Tickets, about.Entities = asked.tickets, append(about.Entities, ofTickets)
	}
	tag, err := s.tag(ctx, v, about)
	if err != nil {
		return err
	}
	var unchanged bool
	if asked.tag, unchanged = tag.among(asked.kept); unchanged {
		return errUnchanged
	}
	if err := tag.complete(ctx, v); err != nil {
		return err
	}
	if asked.tag = tag.String(); asked.whatever { // there always is an array
		return errUnchanged
	}
	return nil
}

// errEnough ends the reading for a HEAD.
var errEnough = errors.New("the first batch could be read")

// bulkHead answers the head that a GET would have begun with, after what a GET reads before it.
func (s *service) bulkHead(w http.ResponseWriter, r *http.Request, asked *bulkAnswer) error {
	status := http.StatusOK
	err := s.moments(r.Context(), func(ctx context.Context, v moment) error {
		if err := s.bulkTag(ctx, v, asked); err != nil {
			return err
		}
		return v.EachCompany(ctx, bulkBatch, func(batch []*ent.Company) error {
			if _, err := s.bulkForms(ctx, v, batch, asked.tickets); err != nil {
				return err
			}
			return errEnough
		})
	})
	switch {
	case errors.Is(err, errUnchanged):
		status = http.StatusNotModified
	case err != nil && !errors.Is(err, errEnough):
		return err
	default:
		w.Header().Set("Content-Type", "application/json")
	}
	mark(w, asked.tag)
	w.WriteHeader(status)
	return nil
}

// writeBulk writes the array to out from one snapshot. Each company is one write, so that the reader
// sees whole ones, and sees nothing before the first is whole.
func (s *service) writeBulk(ctx context.Context, out io.Writer, asked *bulkAnswer) (err error) {
	defer func() { // nobody else would catch it in this goroutine, and it would end the process
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return s.moments(ctx, func(ctx context.Context, v moment) error {
		if err := s.bulkTag(ctx, v, asked); err != nil {
			return err
		}
		before := "["
		err := v.EachCompany(ctx, bulkBatch, func(batch []*ent.Company) error {
			forms, err := s.bulkForms(ctx, v, batch, asked.tickets)
			if err != nil {
				return err
			}
			for _, form := range forms {
				body, err := encode(form)
				if err != nil {
					return err
				}
				body = append([]byte(before), bytes.TrimSuffix(body, []byte("\n"))...)
				if _, err := out.Write(body); err != nil {
					return err
				}
				before = ","
			}
			return nil
		})
		if err != nil {
			return err
		}
		end := "]\n"
		if before == "[" {
			end = "[]\n"
		}
		_, err = io.WriteString(out, end)
		return err
	})
}

// bulkForms reads what hangs on a batch of companies: one statement an edge.
func (s *service) bulkForms(ctx context.Context, v moment, batch []*ent.Company, tickets *query.TicketFilter) ([]bulkJSON, error) {
	accounts := list(batch, func(c *ent.Company) codex.AccountNumber { return c.ID })
	assets, err := v.AssetsByCompany(ctx, accounts, assetColumns()...)
	if err != nil {
		return nil, err
	}
	contacts, err := v.ContactsByCompany(ctx, accounts, contactColumns()...)
	if err != nil {
		return nil, err
	}
	locations, err := v.LocationsByCompany(ctx, accounts)
	if err != nil {
		return nil, err
	}
	var ticketsOf map[codex.AccountNumber][]*ent.Ticket
	if tickets != nil {
		if ticketsOf, err = v.TicketsByCompany(ctx, accounts, *tickets, ticketColumns()...); err != nil {
			return nil, err
		}
	}
	return list(batch, func(c *ent.Company) bulkJSON {
		form := bulkJSON{
			Company:   s.companyForm(c),
			Assets:    list(assets[c.ID], assetForm),
			Contacts:  list(contacts[c.ID], contactForm),
			Locations: list(locations[c.ID], locationForm),
		}
		if tickets != nil {
			form.bulkTicketsJSON = &bulkTicketsJSON{Tickets: list(ticketsOf[c.ID], func(t *ent.Ticket) ticketJSON {
				return ticketForm(t, v.TicketSeconds(t))
			})}
		}
		return form
	}), nil
}
