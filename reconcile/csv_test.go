package reconcile_test

import (
	"strings"
	"testing"

	"github.com/hivematrix/codex/reconcile"
)

// A table that is opened in a spreadsheet runs nothing.
func TestATableHasNoFormulas(t *testing.T) {
	var b strings.Builder
	if err := reconcile.WriteCSV(&b, [][]string{{"=1+1", "+PC", "-PC", "@a", "-12.50", "PC", ""}}); err != nil || b.String() != "'=1+1,'+PC,'-PC,'@a,-12.50,PC,\n" {
		t.Errorf("it is %q, %v", b.String(), err)
	}
}
