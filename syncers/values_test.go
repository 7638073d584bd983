package syncers

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

func TestPlainTextIsMarkupWithoutTagsDecodedAndFolded(t *testing.T) {
	for markup, want := range map[string]string{
		"":                                "",
		"plain":                           "plain",
		"<div>Hi</div><div>there</div>":   "Hithere", // nothing in a tag's place, as the old service had it
		"<p>a</p>\n <p>b</p>":             "a b",
		"a&nbsp;&nbsp;b\u00a0c":           "a b c",
		"1 &lt; 2 &amp;&amp; 3 &gt; 2":    "1 < 2 && 3 > 2",
		"&lt;b&gt;not a tag&lt;/b&gt;":    "<b>not a tag</b>",
		"a < b":                           "a < b",
		"<img src=x onerror='alert(1)'>x": "x",
		"\t a \r\n b ":                    "a b",
	} {
		if got := plainText(markup); got != want {
			t.Errorf("%q is %q, want %q", markup, got, want)
		}
	}
}

func FuzzPlainText(f *testing.F) {
	for _, markup := range []string{"<p>a</p>", "a&nbsp;b", "<<>>", "&#0;", "&lt;", "<a", "\xff"} {
		f.Add(markup)
	}
	f.Fuzz(func(t *testing.T, markup string) {
		plain := plainText(markup)
		if plain != strings.Join(strings.Fields(plain), " ") {
			t.Errorf("%q is not folded: %q", markup, plain)
		}
		if utf8.ValidString(markup) && !utf8.ValidString(plain) {
			t.Errorf("%q is no text any more: %q", markup, plain)
		}
	})
}

func FuzzBackupBytes(f *testing.F) {
	for _, text := range []string{"", "0", "1099511627776", "1e3", "-1", "n/a", "0x1p4", "1_0", "9223372036854775808", "Infinity", " 7 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bytes, ok := backupBytes(text)
		switch {
		case bytes.Valid && (!ok || bytes.V < 0):
			t.Errorf("%q is %+v, %t", text, bytes, ok)
		case !bytes.Valid && bytes.V != 0:
			t.Errorf("%q leaves %d beside NULL", text, bytes.V)
		case ok && !bytes.Valid && strings.TrimSpace(text) != "":
			t.Errorf("%q is taken for an empty field", text)
		}
		if again, ok := backupBytes(fmt.Sprint(bytes.V)); bytes.Valid && (!ok || again != bytes) {
			t.Errorf("%q is %d, which is %+v", text, bytes.V, again)
		}
	})
}

func FuzzContract(f *testing.F) {
	f.Add("2024-01-15", "1 Year")
	f.Add("2024-02-29", "3 YEARS")
	f.Add("9999-12-31", "99 Year")
	f.Add("x", "month-to-month")
	f.Fuzz(func(t *testing.T, start, term string) {
		normal := contractTerm(term)
		if contractTerm(normal) != normal {
			t.Errorf("%q is %q, which is %q", term, normal, contractTerm(normal))
		}
		end := contractEnd(filled(start), filled(normal))
		if !end.Valid {
			return
		}
		from, err := time.Parse(time.DateOnly, strings.TrimSpace(start)[:len(time.DateOnly)])
		if err != nil {
			t.Fatalf("%q is no date, and ends %s", start, end.V)
		}
		until, err := time.Parse(time.DateOnly, end.V)
		if err != nil || until.Before(from) {
			t.Errorf("%q for %q ends %s", start, term, end.V)
		}
	})
}

func TestTextsAreKeptAsJSONWithoutEscapesOfHTML(t *testing.T) {
	for _, test := range []struct {
		list []string
		want string
	}{{nil, "[]"}, {[]string{}, "[]"}, {[]string{"a.com", `b"&<c>`}, `["a.com","b\"&<c>"]`}} {
		got := textList(test.list)
		if got != some(test.want) {
			t.Errorf("%v is %+v, want %s", test.list, got, test.want)
		}
		if back := listOf(got); fmt.Sprint(back) != fmt.Sprint(test.list) {
			t.Errorf("%s reads as %v", test.want, back)
		}
	}
	if got := listOf(sql.Null[string]{V: "no list", Valid: true}); got != nil {
		t.Errorf("what is no list reads as %v", got)
	}
}

func TestAReasonTellsWhatWasBeingDoneAndNoCauseThatIsForTheLog(t *testing.T) {
	internal := errors.New(`ERROR: duplicate key value violates "assets_datto_uid" (SQLSTATE 23505)`)
	refused := &transport.StatusError{Upstream: "datto", Endpoint: "/v2/account/sites", Status: 401, Code: "invalid_token"}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"an upstream's refusal", fmt.Errorf("listing sites: %w", refused), "listing sites: 401 Unauthorized: invalid_token"},
		{"one of ours", fmt.Errorf("planning: %w", codex.Errorf(codex.CodeUnavailable, "the list came short")), "planning: the list came short"},
		{"one with a cause", fmt.Errorf("writing assets: %w", codex.Wrap(codex.CodeConflict, internal, "it exists already")), "writing assets: it exists already"},
		{"one with a cause somewhere else", errors.Join(codex.Wrap(codex.CodeConflict, internal, "it exists already"), errors.New("x")), "it exists already"},
		{"a defect of the database", defect(fmt.Errorf("writing assets: %w", internal)), "the hub's database refused it; the log says why"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := reasonOf(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
