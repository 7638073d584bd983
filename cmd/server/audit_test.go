package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hivematrix/codex/store/storetest"
)

// The questions are those of npm's graphql-http, which the specification's authors keep
// (https://github.com/graphql/graphql-http): all that a server MUST and SHOULD do is done. This
// machine needs Node for it, and `make` fetches the package.
func TestThePublicAuditOfGraphQLOverHTTPFindsNothing(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			s := install(t, dialectName).serve()
			audit := exec.CommandContext(t.Context(), "node", "test/audit.mjs")
			audit.Dir = "../../web"
			audit.Env = append(os.Environ(), "CODEX_URL="+s.url+"/", "CODEX_TOKEN="+s.token("technician"))
			out, err := audit.CombinedOutput()
			if err != nil {
				t.Fatalf("%v (make test fetches what it needs)\n%s", err, out)
			}
			asked := map[string]int{}
			for line := range strings.Lines(string(out)) {
				verdict, question, _ := strings.Cut(line, " ")
				_, question, _ = strings.Cut(question, " ")
				duty, _, _ := strings.Cut(question, " ")
				asked[duty]++
				if verdict != "ok" {
					t.Log(strings.TrimSpace(line))
				}
			}
			if asked["MUST"] < 10 || asked["SHOULD"] < 20 || asked["MAY"] < 20 {
				t.Errorf("so few questions were asked: %v\n%s", asked, out)
			}
		})
	}
}
