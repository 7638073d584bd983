package rest

import (
	"bytes"
	_ "embed"
	"encoding/json"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI is the description of all paths, an OpenAPI 3.1 document (openapi.json), for callers who reach
// them under root: a path without a slash at its end, empty where they are at /. It holds no data. Tests
// hold it against the table of routes and the answers (package openapitest).
func OpenAPI(root string) ([]byte, error) {
	server, err := json.Marshal(root + "/")
	if err != nil {
		return nil, err
	}
	const servers = `"servers": [{ "url": `
	return bytes.Replace(openAPI, []byte(servers+`"/"`), append([]byte(servers), server...), 1), nil
}
