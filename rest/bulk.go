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

// bulkReader is what the answer is read by: *query.Reader is one.
type bulkReader interface {
	EachCompany(ctx context.Context, batch int, fn func([]*ent.Company) error) error
	AssetsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Asset, error)
	ContactsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Contact, error)
	LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Location, error)
	TicketsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter query.TicketFilter, columns ...string) (map[codex.AccountNumber][]*ent.Ticket, error)
	TicketSeconds(t *ent.Ticket) codex.Seconds
}

// snapshots runs fn with a reader all of whose reads see one moment.
type snapshots func(ctx context.Context, fn func(context.Context, bulkReader) error) error

// bulk streams. Nothing is sent before the first batch was read, so that what fails until then is
// answered as an error; what fails later breaks the connection.
func (s *service) bulk(w http.ResponseWriter, r *http.Request) error {
	filter, err := s.ticketFilter(r)
	if err != nil {
		return err
	}
	var tickets *query.TicketFilter
	if includeTickets(r) {
		tickets = &filter
	}
	if r.Method == http.MethodHead {
		return s.bulkHead(w, r, tickets)
	}

	ctx, cancel := context.WithCancel(r.Context())
	spool := newSpool(s.SpoolDir, bulkMemory)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		spool.finish(s.writeBulk(ctx, spool, tickets))
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
	if err != nil {
		return err
	}
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

// errEnough ends the reading for a HEAD.
var errEnough = errors.New("the first batch could be read")

// bulkHead answers the head that a GET would have begun with, after what a GET reads before it.
func (s *service) bulkHead(w http.ResponseWriter, r *http.Request, tickets *query.TicketFilter) error {
	err := s.snapshot(r.Context(), func(ctx context.Context, reader bulkReader) error {
		return reader.EachCompany(ctx, bulkBatch, func(batch []*ent.Company) error {
			if _, err := s.bulkForms(ctx, reader, batch, tickets); err != nil {
				return err
			}
			return errEnough
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	return nil
}

// writeBulk writes the array to out from one snapshot. Each company is one write, so that the reader
// sees whole ones, and sees nothing before the first is whole.
func (s *service) writeBulk(ctx context.Context, out io.Writer, tickets *query.TicketFilter) (err error) {
	defer func() { // nobody else would catch it in this goroutine, and it would end the process
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return s.snapshot(ctx, func(ctx context.Context, reader bulkReader) error {
		before := "["
		err := reader.EachCompany(ctx, bulkBatch, func(batch []*ent.Company) error {
			forms, err := s.bulkForms(ctx, reader, batch, tickets)
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
func (s *service) bulkForms(ctx context.Context, reader bulkReader, batch []*ent.Company, tickets *query.TicketFilter) ([]bulkJSON, error) {
	accounts := list(batch, func(c *ent.Company) codex.AccountNumber { return c.ID })
	assets, err := reader.AssetsByCompany(ctx, accounts, assetColumns()...)
	if err != nil {
		return nil, err
	}
	contacts, err := reader.ContactsByCompany(ctx, accounts, contactColumns()...)
	if err != nil {
		return nil, err
	}
	locations, err := reader.LocationsByCompany(ctx, accounts)
	if err != nil {
		return nil, err
	}
	var ticketsOf map[codex.AccountNumber][]*ent.Ticket
	if tickets != nil {
		if ticketsOf, err = reader.TicketsByCompany(ctx, accounts, *tickets, ticketColumns()...); err != nil {
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
				return ticketForm(t, reader.TicketSeconds(t))
			})}
		}
		return form
	}), nil
}
