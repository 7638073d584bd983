package audit_test

import (
	"testing"

	"github.com/hivematrix/codex/archive/audit"
)

func TestAnArchiveThatNobodyTouchedIsFine(t *testing.T) {
	eachDialect(t, func(t *testing.T, dialectName string) {
		w := filled(t, dialectName)
		for _, o := range []audit.Options{{}, {Key: w.key}, {Against: w.signed[1]}, {Against: w.signed[6], Key: w.key}, {Against: w.signed[9], Key: w.key}} {
			report := w.verify(t, o)
			if !report.OK() || len(report.Findings) != 0 || report.Untried != "" {
				t.Fatalf("%v", told(report))
			}
			if report.Against != nil && !report.Against.Proven {
				t.Errorf("%+v is not proven", report.Against)
			}
			if report.Size != 9 || report.Signed != 9 || report.Epoch != 2 || report.Bills != 4 || report.Events != 4 || report.Lines != 9 ||
				report.Contents != 19 || report.Checkpoints != 9 || report.Key != w.key.String() || report.KeyGiven != (o.Key == w.key) {
				t.Errorf("%+v", report)
			}
		}
	})
}
