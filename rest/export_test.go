package rest

import "github.com/hivematrix/codex/syncers"

// Paths are all routes as "METHOD /path", for the matrix of roles.
func Paths() []string {
	var paths []string
	for _, route := range (&service{}).routes() {
		paths = append(paths, route.method+" "+route.path)
	}
	return paths
}

// ParseWebhook is parseWebhook.
func ParseWebhook(body []byte) ([]syncers.UpstreamRecord, error) { return parseWebhook(body) }
