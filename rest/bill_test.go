package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

const noSnapshot = `{"error":"Snapshot not found"}` + "\n"

func created(id int, invoice string) string {
	return fmt.Sprintf(`{"message":"Snapshot created successfully","snapshot_id":%d,"invoice_number":"%s"}`+"\n", id, invoice)
}

func TestABillThatLedgerSendsIsArchivedAndEveryKeyComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for i, generation := range []string{"a", "b"} {
			content := ledgerBill(t, generation)
			invoice := valueOf(t, content, "invoice_number")
			path := "/api/snapshot/" + url.PathEscape(invoice)
			expect(t, "before", ask(t, server, http.MethodGet, path, codex.RoleService), 404, noSnapshot)
			expect(t, generation, handIn(t, server, content, 201), 201, created(i+1, invoice))

			got := ask(t, server, http.MethodGet, path, codex.RoleTechnician)
			golden(t, "snapshot_of_ledger_"+generation, got.body)
			var sent, served map[string]json.RawMessage
			if json.Unmarshal(content, &sent) != nil || json.Unmarshal([]byte(got.body), &served) != nil {
				t.Fatal("no JSON")
			}
			if compacted(t, sent["billing_data_json"]) != string(served["billing_data"]) {
				t.Error("the billing data are others than were sent")
			}
			csv := ask(t, server, http.MethodGet, path+"/csv", codex.RoleBilling)
			if csv.status != 200 || csv.body != valueOf(t, content, "invoice_csv") || csv.header.Get("Content-Type") != "text/csv; charset=utf-8" {
				t.Errorf("the CSV: %d %v\n%s", csv.status, csv.header, csv.body)
			}
		}
		golden(t, "snapshots_found", ask(t, server, http.MethodGet, "/api/snapshots/search", codex.RoleService).body)
		golden(t, "snapshots_of_a_company", ask(t, server, http.MethodGet, "/api/snapshots/company/620547", codex.RoleService).body)
		golden(t, "snapshots_of_one_with_a_slash", ask(t, server, http.MethodGet, "/api/snapshots/company/10%2F2%20%25%C3%BC", codex.RoleService).body)
		golden(t, "snapshots_of_nobody", ask(t, server, http.MethodGet, "/api/snapshots/company/nobody", codex.RoleService).body)
	}, storetest.Now(today))
}

func TestWhatABillLeavesOutHasTheDocumentedDefault(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for i, tc := range []struct{ golden, account, extra string }{
			{"snapshot_of_required_keys", "620547", ``},
			{"snapshot_of_an_unknown_account", "555", ``},
			{"snapshot_of_nulls", "9", `,"company_name":null,"invoice_date":null,"due_date":null,"billing_plan":null,"contract_term":null,
				"support_level":null,"user_count":null,"asset_count":null,"billable_hours":null,"created_by":null,"notes":null,"line_items":null`},
			{"snapshot_of_texts", "B", `,"total_user_charges":"100.005","user_count":"3","asset_count":2.0,"billable_hours":"0.10005",
				"notes":"","company_name":"","line_items":[]`},
		} {
			invoice := tc.account + "-202402"
			content := `{"company_account_number":"` + tc.account + `","billing_year":"2024","billing_month":2,"invoice_number":"` + invoice + `",
				"total_amount":"100.005","billing_data_json":"{\"b\": 1, \"a\": [1.10, null]}","invoice_csv":""` + tc.extra + `}`
			expect(t, tc.golden, handIn(t, server, []byte(content), 201), 201, created(i+1, invoice))
			golden(t, tc.golden, ask(t, server, http.MethodGet, "/api/snapshot/"+invoice, codex.RoleService).body)
		}
	}, storetest.Now(today))
}

// Whoever lost the answer to a bill sends it again, and learns from the answer whether the one that is
// there says the same.
func TestTheSameBillIsThereAlreadyAndAnotherOneSaysWhereItDiffers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		content := ledgerBill(t, "a")
		handIn(t, server, content, 201)
		const there = `{"error":"Snapshot already exists for invoice 620547-202509"`
		for _, tc := range []struct {
			name      string
			content   []byte
			differing string
		}{
			{"the same", content, ``},
			{"the same with its keys in another order", changed(t, content, "notes", `null`), ``},
			{"the same cents", changed(t, content, "total_amount", `"708.080"`), ``},
			{"one cent more", changed(t, content, "total_amount", `708.09`), `,"differing_fields":["total_amount"]`},
			{"a defaulted author", changed(t, content, "created_by", ``), ``},
			{"nobody as its author", changed(t, content, "created_by", `null`), `,"differing_fields":["created_by"]`},
			{"three others", changed(t, changed(t, changed(t, content, "notes", `""`), "invoice_csv", `"x"`), "billing_month", `8`),
				`,"differing_fields":["billing_month","invoice_csv","notes"]`},
		} {
			expect(t, tc.name, handIn(t, server, tc.content, 409), 409, there+tc.differing+"}\n")
		}
		if n := db.Ent().Snapshot.Query().CountX(t.Context()); n != 1 {
			t.Errorf("%d snapshots", n)
		}
	})
}

func TestABodyThatIsNoBillIsRefusedInTheDocumentsWords(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		required := []string{"company_account_number", "billing_year", "billing_month", "invoice_number", "total_amount", "billing_data_json", "invoice_csv"}
		good := ledgerBill(t, "b")
		for _, tc := range []struct{ body, message string }{
			{``, "No data provided"},
			{`null`, "No data provided"},
			{`{}`, "No data provided"},
			{`[]`, "the body must be a JSON object"},
			{`"x"`, "the body must be a JSON object"},
			{`company_account_number=1`, "the body is not JSON"},
			{string(good) + "}", "the body is not JSON"},
			{"{\"notes\": \"\xff\"}", "the body is not UTF-8"},
			{`{"notes": "x"}`, "Missing required fields: " + strings.Join(required, ", ")},
			{string(changed(t, changed(t, good, "invoice_csv", ``), "billing_year", `null`)), "Missing required fields: billing_year, invoice_csv"},
			{string(changed(t, good, "total_amount", ``)), "Missing required fields: total_amount"},
		} {
			expect(t, tc.body, handIn(t, server, []byte(tc.body), 400), 400, `{"error":"`+tc.message+`"}`+"\n")
		}
		tooLong := handIn(t, server, make([]byte, archive.MaxBodyBytes+1), 413)
		expect(t, "17 MB", tooLong, 413, `{"error":"a bill has at most 16777216 bytes"}`+"\n")
		nothingIsKept(t, db)
	})
}

func TestEveryValueOfAnotherKindIsRefusedAndItsKeyIsNamed(t *testing.T) {
	const (
		text    = "give a text"
		number  = "give a number, or a text that holds one"
		day     = "give a day as YYYY-MM-DD"
		nul     = "a text here has no NUL character"
		empty   = "it must not be empty"
		digits  = "a number here has at most 8 digits before the point"
		whole   = "give a whole number"
		count   = "give a whole number from 0 to 99999999"
		objects = "give an array of objects"
		object  = "give a JSON object, or a text that holds one"
	)
	long := func(n int) string { return `"` + strings.Repeat("ü", n+1) + `"` }
	tooLong := func(n int) string { return fmt.Sprintf("it has more than %d characters", n) }
	texts := func(most int) map[string]string {
		return map[string]string{`7`: text, `true`: text, `[]`: text, `{}`: text, `"a\u0000b"`: nul, long(most): tooLong(most)}
	}
	with := func(cases map[string]string, more ...string) map[string]string {
		for i := 0; i < len(more); i += 2 {
			cases[more[i]] = more[i+1]
		}
		return cases
	}
	amounts := func() map[string]string {
		return map[string]string{`null`: number, `""`: number, `"x"`: number, `"NaN"`: number, `"1,5"`: number, `true`: number, `[1]`: number, `{}`: number,
			`100000000`: digits, `-1e8`: digits, `1e999999999`: digits, `"Infinity"`: number}
	}
	days := func() map[string]string {
		return map[string]string{`""`: day, `"30.09.2025"`: day, `"2025-02-30"`: day, `"2025-09-30T00:00:00"`: day, `20250930`: day, `true`: day, `"0000-01-01"`: day}
	}
	counts := map[string]string{`-1`: count, `1.5`: whole, `"x"`: number, `true`: number, `[]`: number, `100000000`: digits}
	line := func(key, value string) string {
		keys := map[string]string{"item_name": `"x"`, "rate": `1`, "amount": `1`}
		keys[key] = value
		var members []string
		for key, value := range keys {
			if value != "" {
				members = append(members, `"`+key+`":`+value)
			}
		}
		return `[{"item_name":"x","rate":1,"amount":1},{` + strings.Join(members, ",") + `}]`
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		for key, cases := range map[string]map[string]string{
			"company_account_number":  with(texts(50), `""`, empty),
			"invoice_number":          with(texts(50), `""`, empty),
			"company_name":            texts(150),
			"billing_plan":            texts(1000),
			"contract_term":           texts(1000),
			"support_level":           texts(1000),
			"created_by":              texts(1000),
			"notes":                   texts(100_000),
			"invoice_csv":             {`7`: text, `[]`: text, `{}`: text, `"a\u0000b"`: nul},
			"billing_year":            {`0`: whole + " from 1 to 9999", `10000`: whole + " from 1 to 9999", `2025.5`: whole, `"x"`: number, `true`: number, `[]`: number},
			"billing_month":           {`0`: whole + " from 1 to 12", `13`: whole + " from 1 to 12", `-9`: whole + " from 1 to 12", `9.5`: whole, `"September"`: number, `{}`: number},
			"billing_data_json":       {`7`: object, `[]`: object, `"[]"`: object, `"{"`: object, `""`: object, `"{\"a\": 1} x"`: object, `true`: object},
			"invoice_date":            days(),
			"due_date":                days(),
			"total_amount":            amounts(),
			"total_user_charges":      amounts(),
			"total_asset_charges":     amounts(),
			"total_backup_charges":    amounts(),
			"total_ticket_charges":    amounts(),
			"total_line_item_charges": amounts(),
			"user_count":              counts,
			"asset_count":             counts,
			"billable_hours":          {`""`: number, `"x"`: number, `true`: number, `{}`: number, `100000000`: digits},
			"line_items":              {`7`: objects, `"[]"`: objects, `{}`: objects, `[7]`: objects},
		} {
			for value, message := range cases {
				got := handIn(t, server, changed(t, ledgerBill(t, "b"), key, value), 400)
				expect(t, key+" "+value[:min(len(value), 40)], got, 400, `{"error":"`+key+": "+message+`"}`+"\n")
			}
		}
		for key, cases := range map[string]map[string]string{
			"line_type":   texts(50),
			"item_name":   with(texts(255), ``, "it is missing", `null`, empty, `""`, empty),
			"description": texts(100_000),
			"quantity":    {`"x"`: number, `true`: number, `1e8`: digits},
			"rate":        with(map[string]string{`null`: number, `"x"`: number, `1e8`: digits}, ``, "it is missing"),
			"amount":      with(amounts(), ``, "it is missing"),
		} {
			for value, message := range cases {
				got := handIn(t, server, changed(t, ledgerBill(t, "b"), "line_items", line(key, value)), 400)
				expect(t, "line_items "+key+" "+value[:min(len(value), 40)], got, 400, `{"error":"line_items[1].`+key+": "+message+`"}`+"\n")
			}
		}
		nothingIsKept(t, db)
	})
}

func nothingIsKept(t *testing.T, db *store.DB) {
	t.Helper()
	if rows, leaves := db.Ent().Snapshot.Query().CountX(t.Context()), db.Ent().LogLeaf.Query().CountX(t.Context()); rows+leaves > 0 {
		t.Errorf("%d snapshots and %d leaves", rows, leaves)
	}
}

func TestTheSettingsRefuseUnknownAccountsAndTotalsThatAreNoSums(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		o := options(t, db)
		o.Bills = bills(t, db, func(o *archive.Options) { o.RejectUnknown, o.RejectTotals = true, true })
		server := serve(t, o)
		expect(t, "unknown", handIn(t, server, changed(t, ledgerBill(t, "a"), "company_account_number", `"555"`), 400), 400,
			`{"error":"company_account_number: no company has the account number 555 ([archive] unknown_accounts = reject)"}`+"\n")
		expect(t, "a total", handIn(t, server, changed(t, ledgerBill(t, "a"), "total_amount", `700`), 400), 400,
			`{"error":"total_amount: it is 700.00, and its charges come to 708.08, its lines come to 708.08, the amounts of its CSV come to 708.08 ([archive] totals = reject)"}`+"\n")
		nothingIsKept(t, db)
		handIn(t, server, ledgerBill(t, "a"), 201)
	})
}

func TestAReopenedBillIsGoneForServicesUntilItsNextRevision(t *testing.T) {
	now := today()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now = today()
		fill(t, db)
		o := options(t, db)
		kept := bills(t, db)
		o.Bills = kept
		server := serve(t, o)
		admin := codex.Caller{Name: "ana", Role: codex.RoleAdmin}
		get := func(path string) response { return ask(t, server, http.MethodGet, path, codex.RoleService) }
		const nobody = `{"company_account_number":"620547","company_name":null,"total_snapshots":0,"snapshots":[]}` + "\n"
		content := ledgerBill(t, "a")
		handIn(t, server, content, 201)
		first := get("/api/snapshot/620547-202509").body

		reopen := func() {
			t.Helper()
			if _, err := kept.Reopen(t.Context(), "620547-202509", "a test", admin); err != nil {
				t.Fatal(err)
			}
		}
		reopen()
		expect(t, "open", get("/api/snapshot/620547-202509"), 404, noSnapshot)
		expect(t, "open, its CSV", get("/api/snapshot/620547-202509/csv"), 404, noSnapshot)
		expect(t, "open, searched for", get("/api/snapshots/search"), 200, `{"total":0,"limit":100,"offset":0,"results":[]}`+"\n")
		expect(t, "open, of its company", get("/api/snapshots/company/620547"), 200, nobody)
		expect(t, "open, its revision", get("/api/snapshot/620547-202509?revision=1"), 200, first)

		if _, err := kept.Close(t.Context(), "620547-202509", "it was right", admin); err != nil {
			t.Fatal(err)
		}
		expect(t, "closed again", get("/api/snapshot/620547-202509"), 200, first)
		handIn(t, server, content, 409)

		reopen()
		now = now.Add(time.Hour)
		corrected := changed(t, content, "notes", `"corrected"`)
		expect(t, "revision 2", handIn(t, server, corrected, 201), 201, created(2, "620547-202509"))
		second := strings.NewReplacer(`"id":1,"archived_at":"2025-10-20T12:00:00"`, `"id":2,"archived_at":"2025-10-20T13:00:00"`,
			`"notes":null`, `"notes":"corrected"`).Replace(first)
		expect(t, "the newest", get("/api/snapshot/620547-202509"), 200, second)
		expect(t, "revision 2 by its number", get("/api/snapshot/620547-202509?revision=2"), 200, second)
		expect(t, "revision 1", get("/api/snapshot/620547-202509?revision=1"), 200, first)
		expect(t, "revision 3", get("/api/snapshot/620547-202509?revision=3"), 404, noSnapshot)
		golden(t, "snapshots_after_a_correction", get("/api/snapshots/search").body+get("/api/snapshots/company/620547").body)
	}, storetest.Now(func() time.Time { return now }))
}

func TestWhatIsWrongWithAQuestionForBillsIsSaid(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		handIn(t, server, ledgerBill(t, "a"), 201)
		const day, revision = "give a day as YYYY-MM-DD", "give the number of a revision, from 1 on"
		whole := func(least, most int) string { return fmt.Sprintf("give a whole number from %d to %d", least, most) }
		bad := func(text string) string { return `{"error":"` + text + `"}` + "\n" }
		for _, tc := range []struct {
			path   string
			status int
			body   string
		}{
			{"/api/snapshots/search?year=x", 400, bad("year: " + whole(1, 9999))},
			{"/api/snapshots/search?year=0", 400, bad("year: " + whole(1, 9999))},
			{"/api/snapshots/search?month=13", 400, bad("month: " + whole(1, 12))},
			{"/api/snapshots/search?month=9.0", 400, bad("month: " + whole(1, 12))},
			{"/api/snapshots/search?from_date=2025-9-1", 400, bad("from_date: " + day)},
			{"/api/snapshots/search?to_date=2025-02-29", 400, bad("to_date: " + day)},
			{"/api/snapshots/search?limit=-1", 400, bad("limit: " + whole(0, 1<<31-1))},
			{"/api/snapshots/search?limit=ten", 400, bad("limit: " + whole(0, 1<<31-1))},
			{"/api/snapshots/search?offset=-1", 400, bad("offset: " + whole(0, 1<<31-1))},
			{"/api/snapshots/search?offset=99999999999999999999", 400, bad("offset: " + whole(0, 1<<31-1))},
			{"/api/snapshots/search?account_number=%zz", 400, bad("account_number: the value is not well-formed")},
			{"/api/snapshot/620547-202509?revision=0", 400, bad("revision: " + revision)},
			{"/api/snapshot/620547-202509?revision=", 400, bad("revision: " + revision)},
			{"/api/snapshot/620547-202509?revision=new", 400, bad("revision: " + revision)},
			{"/api/snapshot/620547-202509/csv?revision=-1", 400, bad("revision: " + revision)},
			{"/api/snapshot/620547-202509/csv?safe=true", 400, bad("safe: give 0 or 1")},
			{"/api/snapshot/404", 404, noSnapshot},
			{"/api/snapshot/404/csv?safe=1", 404, noSnapshot},
			{"/api/snapshot/%00", 404, noSnapshot},
			{"/api/snapshot/%FF/csv", 404, noSnapshot},
			{"/api/snapshot/620547-202509%20", 404, noSnapshot},
			{"/api/snapshot/620547-202509?revision=9999999999", 404, noSnapshot},
			{"/api/snapshot/", 404, bad("Not found")},
			{"/api/snapshots", 404, bad("Not found")},
			{"/api/snapshot/620547-202509/pdf", 404, bad("Not found")},
			{"/api/snapshots/search?account_number=%00", 200, `{"total":0,"limit":100,"offset":0,"results":[]}` + "\n"},
			{"/api/snapshots/search?from_date=0001-01-01&to_date=9999-12-31&limit=0", 200, `{"total":1,"limit":0,"offset":0,"results":[]}` + "\n"},
			{"/api/snapshots/search?limit=99999&offset=2147483647", 200, `{"total":1,"limit":1000,"offset":2147483647,"results":[]}` + "\n"},
			{"/api/snapshots/company/%00", 200, `{"company_account_number":"\u0000","company_name":null,"total_snapshots":0,"snapshots":[]}` + "\n"},
		} {
			expect(t, tc.path, ask(t, server, http.MethodGet, tc.path, codex.RoleBilling), tc.status, tc.body)
		}
	})
}

func TestASearchFindsWhatItIsAskedFor(t *testing.T) {
	now := today()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		day := func(day, hour int) time.Time { return time.Date(2025, time.October, day, hour, 0, 0, 0, time.UTC) }
		for _, bill := range []struct {
			account, invoice string
			year, month      int
			archived         time.Time
		}{
			{"1", "a", 2025, 9, day(1, 0)},
			{"1", "b", 2025, 8, day(1, 23)},
			{"2", "c", 2025, 9, day(2, 0)},
			{"2", "d", 2024, 9, day(3, 0)},
			{"1", "e", 2025, 9, day(3, 0)}, // of the same instant: the later id is the newer
		} {
			now = bill.archived
			handIn(t, server, fmt.Appendf(nil, `{"company_account_number":%q,"billing_year":%d,"billing_month":%d,"invoice_number":%q,
				"total_amount":1,"billing_data_json":{},"invoice_csv":""}`, bill.account, bill.year, bill.month, bill.invoice), 201)
		}
		for _, tc := range []struct {
			query, want string
			total       int
		}{
			{"", "edcba", 5},
			{"?account_number=1", "eba", 3},
			{"?account_number=", "edcba", 5},
			{"?account_number=01", "", 0},
			{"?year=2025&month=9", "eca", 3},
			{"?year=&month=&from_date=&to_date=&limit=&offset=", "edcba", 5},
			{"?month=9&account_number=2", "dc", 2},
			{"?from_date=2025-10-02", "edc", 3},
			{"?to_date=2025-10-01", "ba", 2}, // that day too
			{"?from_date=2025-10-02&to_date=2025-10-02", "c", 1},
			{"?from_date=2025-10-03&to_date=2025-10-01", "", 0},
			{"?limit=2", "ed", 5},
			{"?limit=2&offset=3", "ba", 5},
			{"?offset=5", "", 5},
		} {
			var page struct {
				Total   int
				Results []struct {
					InvoiceNumber string `json:"invoice_number"`
				}
			}
			got := ask(t, server, http.MethodGet, "/api/snapshots/search"+tc.query, codex.RoleService)
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatal(err)
			}
			var found strings.Builder
			for _, row := range page.Results {
				found.WriteString(row.InvoiceNumber)
			}
			if found.String() != tc.want || page.Total != tc.total {
				t.Errorf("%s finds %s of %d, want %s of %d", tc.query, found.String(), page.Total, tc.want, tc.total)
			}
		}
		company := ask(t, server, http.MethodGet, "/api/snapshots/company/2", codex.RoleService)
		if at := strings.Index; at(company.body, `"c"`) > at(company.body, `"d"`) {
			t.Errorf("the newest month is not first: %s", company.body)
		}
	}, storetest.Now(func() time.Time { return now }))
}

func TestABillThatTheCallerHasIsNotSentAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		handIn(t, server, ledgerBill(t, "a"), 201)
		handIn(t, server, ledgerBill(t, "b"), 201)
		tags := map[string]string{}
		for _, path := range billPaths() {
			first := ask(t, server, http.MethodGet, path, codex.RoleService)
			tag := first.header.Get("ETag")
			if len(tag) < 20 || first.header.Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%s: %v", path, first.header)
			}
			if body, there := tags[tag]; there && body != first.body {
				t.Errorf("%s has the tag of another answer", path)
			}
			tags[tag] = first.body
			again := askKeeping(t, server, http.MethodGet, path, codex.RoleService, tag)
			if again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag {
				t.Errorf("%s again: %d %v %q", path, again.status, again.header, again.body)
			}
			if other := askKeeping(t, server, http.MethodGet, path, codex.RoleService, `"another"`); other.status != 200 || other.body != first.body {
				t.Errorf("%s for who has another: %d %q", path, other.status, other.body)
			}
		}
	})
}

func TestACSVIsSavedUnderItsCompanysName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		handIn(t, server, ledgerBill(t, "a"), 201)
		got := ask(t, server, http.MethodGet, "/api/snapshot/620547-202509/csv", codex.RoleBilling).header.Get("Content-Disposition")
		const want = `attachment; filename="Contoso_Ltd__Söhne_2025-09.csv"; filename*=UTF-8''Contoso_Ltd__S%C3%B6hne_2025-09.csv`
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
	for company, want := range map[string]string{
		"Example Ltd":                    "Example_Ltd_2025-09.csv",
		"  A.B, \"C\"/..\\D\r\n; e_f-g ": "AB_CD_e_f-g_2025-09.csv",
		"张伟 ٣":                           "张伟_٣_2025-09.csv",
		"\"; filename=evil.exe":          "filenameevilexe_2025-09.csv",
		"&!":                             "_2025-09.csv",
	} {
		if got := rest.FileName(company); got != want {
			t.Errorf("%q is saved as %s, want %s", company, got, want)
		}
	}
}

func TestOnlyTheSafeVariantOfACSVHasItsFormulasNeutralised(t *testing.T) {
	for text, want := range map[string]string{
		"a,b\r\n1,-2.50\r\n":                "a,b\r\n1,-2.50\r\n",
		"=1+1,+x,-x,@x\r\n":                 "'=1+1,'+x,'-x,'@x\r\n",
		"\"=HYPERLINK(\"\"http://x\"\")\"":  "\"'=HYPERLINK(\"\"http://x\"\")\"\r\n",
		"a;=cmd|' /C calc'!A0,b\n":          "a;'=cmd|' /C calc'!A0,b\r\n",
		"a\t=1,\"b\r\n=2\"\n":               "a\t'=1,\"b\r\n'=2\"\r\n",
		" =1,'=1,\"\"\"=1\"\r\n":            "' =1,'=1,\"'\"\"=1\"\r\n",
		"＝1,＋1,－1,＠1\n":                     "'＝1,'＋1,'－1,'＠1\r\n",
		"x,-5,+5,-5.,-,--5,1-1,a=b,a@b.c\n": "x,-5,+5,'-5.,'-,'--5,1-1,a=b,a@b.c\r\n",
		"-5\n+5.5\n":                        "-5\r\n+5.5\r\n",
		"-5,5+cmd|' /C calc'!A0\n":          "'-5,5+cmd|' /C calc'!A0\r\n", // one cell, where ; separates
		"5,-5\n":                            "5,-5\r\n",
		"\uFEFF=a\n":                        "\uFEFF'=a\r\n",
		"\"a\"x,\"unfinished\n=1,2":         "\"a\"\"x,\"\"unfinished\r\n'=1,2\"\r\n",
		"":                                  "",
	} {
		got, err := rest.WithoutFormulas(text)
		if err != nil || string(got) != want {
			t.Errorf("%q becomes %q, %v; want %q", text, got, err, want)
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		server := serve(t, options(t, db))
		content := ledgerBill(t, "a")
		handIn(t, server, content, 201)
		archived := valueOf(t, content, "invoice_csv")
		for query, want := range map[string]string{
			"": archived, "?safe=0": archived, "?safe=1": strings.ReplaceAll(archived, `"=HYPERLINK`, `"'=HYPERLINK`),
		} {
			if got := ask(t, server, http.MethodGet, "/api/snapshot/620547-202509/csv"+query, codex.RoleBilling); got.status != 200 || got.body != want {
				t.Errorf("%s: %d\n%s\nwant\n%s", query, got.status, got.body, want)
			}
		}
	})
}
