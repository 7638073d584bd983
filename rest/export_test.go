package rest

import (
	"github.com/hivematrix/codex/auth"
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
