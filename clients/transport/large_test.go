package transport_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hivematrix/codex/clients/transport"
)

// Answers beyond some MiB are read one at a time: each comes whole all the same, and one that breaks
// off is asked for again.
func TestLargeAnswersComeWholeThoughSeveralAreUnderWay(t *testing.T) {
	body := func(n int) string { return fmt.Sprintf(`{"n":%d,"x":"%s"}`, n, strings.Repeat("x", (4+n)<<20)) }
	var broken sync.Once
	base, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		whole := body(n)
		broken.Do(func() {
			_, _ = io.WriteString(w, whole[:len(whole)-1])
			panic(http.ErrAbortHandler)
		})
		_, _ = io.WriteString(w, whole)
	})
	client := newClient(t, base, func(o *transport.Options) { o.Tuning.MaxBody, o.Tuning.Attempt = 8<<20, 0 })
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() {
			answer, err := client.Do(t.Context(), transport.Request{Path: fmt.Sprintf("/%d", n)})
			if fits := n < 4; (err == nil) != fits || fits && string(answer.Body) != body(n) {
				t.Errorf("%d: %d bytes, %v", n, len(answer.Body), err)
			}
		})
	}
	all.Wait()
}
