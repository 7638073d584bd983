package freshservice

import (
	"net/http"
	"strconv"

	"github.com/hivematrix/codex/clients/transport"
)

// Endpoints with a limit of their own, beside the account's; all others count into the account's
// alone. The figures differ by plan and are told by each answer.
const (
	bucketTickets    = "list tickets"
	bucketTicket     = "view ticket"
	bucketRequesters = "list requesters"
	bucketAgents     = "list agents"
)

// listCost is what a page of a list takes of the limits: one credit, and two for each embed.
func listCost(embeds int) int { return 1 + 2*embeds }

// viewCost is what a single record takes: one credit, and one for each embed.
func viewCost(embeds int) int { return 1 + embeds }

// rateFigures reads what each answer of Freshservice tells. Total is the called endpoint's own limit
// where it has one, as was observed; the documentation does not say.
func rateFigures(header http.Header) (transport.Figures, bool) {
	total, err := strconv.Atoi(header.Get("X-RateLimit-Total"))
	if err != nil || total <= 0 {
		return transport.Figures{}, false
	}
	remaining, err := strconv.Atoi(header.Get("X-RateLimit-Remaining"))
	if err != nil {
		return transport.Figures{}, false
	}
	used, err := strconv.Atoi(header.Get("X-RateLimit-Used-CurrentRequest"))
	if err != nil || used < 0 {
		used = 0
	}
	return transport.Figures{Total: total, Remaining: max(remaining, 0), Used: used}, true
}
