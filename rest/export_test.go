package rest

import (
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/syncers"
)

// Paths are all routes as "METHOD /path", for the matrix of roles.
func Paths() []string {
	var paths []string
	for _, route := range (&service{}).routes() {
		paths = append(paths, route.method+" "+route.path)
	}
	return paths
}

// Routes are all routes with whom they admit.
func Routes() map[string]auth.Allow {
	routes := map[string]auth.Allow{}
	for _, route := range (&service{}).routes() {
		routes[route.method+" "+route.path] = route.allow
	}
	return routes
}

// ParseWebhook is parseWebhook.
func ParseWebhook(body []byte) ([]syncers.UpstreamRecord, error) { return parseWebhook(body) }

// WithoutFormulas is withoutFormulas.
func WithoutFormulas(text string) ([]byte, error) { return withoutFormulas(text) }

// FileName is fileName of a bill of September 2025.
func FileName(company string) string {
	return fileName(&archive.Bill{Snapshot: &ent.Snapshot{CompanyName: company, BillingYear: 2025, BillingMonth: 9}})
}
