package wire_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/hivematrix/codex/clients/wire"
	"pgregory.net/rapid"
)

func TestAListIsFoundByItsKeyOrAsTheOnlyArray(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want int // records; -1 = no list
	}{
		"by its key":                     {`{"departments":[{"id":1},{"id":2}]}`, 2},
		"by its key beside other arrays": {`{"departments":[{"id":1}],"errors":[]}`, 1},
		"under another key":              {`{"department":[{"id":1}],"meta":{}}`, 1},
		"empty":                          {`{"departments":[]}`, 0},
		"null":                           {`{"departments":null}`, 0},
		"two arrays, neither the key":    {`{"a":[],"b":[]}`, -1},
		"an error with 200":              {`{"code":"x","message":"y"}`, -1},
		"an object under the key":        {`{"departments":{}}`, -1},
		"no object":                      {`[]`, -1},
		"null alone":                     {`null`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := wire.Records([]byte(test.body), "departments")
			if test.want < 0 {
				if !errors.Is(err, wire.ErrNoEnvelope) {
					t.Fatalf("got %d records, %v", len(records), err)
				}
				return
			}
			if err != nil || len(records) != test.want {
				t.Fatalf("got %d records, %v", len(records), err)
			}
		})
	}
}

func TestARecordIsFoundByItsKeysOrAsTheOnlyObject(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"singular":             {`{"department":{"id":1}}`, `{"id":1}`},
		"plural":               {`{"departments":{"id":"1"}}`, `{"id":"1"}`},
		"a list of one":        {`{"departments":[{"id":1}]}`, `{"id":1}`},
		"under another key":    {`{"data":{"id":1}}`, `{"id":1}`},
		"a list of two":        {`{"departments":[{"id":1},{"id":2}]}`, ``},
		"null":                 {`{"department":null}`, ``},
		"two objects, no key":  {`{"a":{},"b":{}}`, ``},
		"an error with 200":    {`{"message":"y"}`, ``},
		"nothing but a string": {`"x"`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := wire.Record([]byte(test.body), "department", "departments")
			if string(record) != test.want || (err == nil) != (test.want != "") {
				t.Fatalf("got %s, %v", record, err)
			}
		})
	}
}

// reading is each form of field in one record.
type reading struct {
	ID     int64
	Text   *string
	Texts  []string
	IDs    []int64
	Bool   *bool
	Int    int
	Time   *time.Time
	Inner  *string
	Ratio  float64
	Number *int64
}

func read(raw string) (reading, error) {
	o := wire.Open(json.RawMessage(raw))
	r := reading{
		ID: o.ID("id"), Text: o.OptText("text"), Texts: o.Texts("texts"), IDs: o.IDs("ids"), Bool: o.OptBool("bool"),
		Int: o.Int("int"), Time: o.Time("time"), Inner: o.Object("inner").OptText("text"), Ratio: o.Float("ratio"),
		Number: o.OptID("number"),
	}
	return r, o.Err()
}

func TestAMissingKeyANullAndAnEmptyListAreTheSame(t *testing.T) {
	want := reading{ID: 1, Texts: []string{}, IDs: []int64{}}
	for name, raw := range map[string]string{
		"missing":             `{"id":1}`,
		"null":                `{"id":1,"text":null,"texts":null,"ids":null,"bool":null,"int":null,"time":null,"inner":null,"ratio":null,"number":null}`,
		"empty":               `{"id":1,"texts":[],"ids":[],"time":"","inner":{},"number":"","bool":""}`,
		"lists of nulls":      `{"id":1,"texts":[null],"ids":[null]}`,
		"empty texts as list": `{"id":1,"texts":"","ids":""}`,
		"unknown fields":      `{"id":1,"new":{"deep":[1,2]},"other":true}`,
	} {
		if got, err := read(raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestFieldsAreTakenInEachFormThatWasSeen(t *testing.T) {
	text, yes, inner, number := "5", true, "x", int64(7)
	at := time.Date(2025, 1, 15, 10, 30, 0, 0, time.UTC)
	want := reading{ID: 9007199254740993, Text: &text, Texts: []string{"a", "1"}, IDs: []int64{21000418006, 2}, Bool: &yes,
		Int: 5, Time: &at, Inner: &inner, Ratio: 0.9, Number: &number}
	for name, raw := range map[string]string{
		"as documented": `{"id":9007199254740993,"text":"5","texts":["a","1"],"ids":[21000418006,2],"bool":true,"int":5,
			"time":"2025-01-15T10:30:00Z","inner":{"text":"x"},"ratio":0.9,"number":7}`,
		"text as numbers, numbers as text": `{"id":"9007199254740993","text":5,"texts":["a",1],"ids":["21000418006","2"],"bool":"true","int":"5",
			"time":"2025-01-15 10:30:00","inner":{"text":"x"},"ratio":"0.9","number":" 7 "}`,
		"with needless fractions": `{"id":9007199254740993.0,"text":5,"texts":["a",1],"ids":[21000418006.0,2.00],"bool":1,"int":5.0,
			"time":"2025-01-15T12:30:00.000+02:00","inner":{"text":"x"},"ratio":9e-1,"number":7.0}`,
	} {
		if got, err := read(raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTheReasonNamesTheFieldAndNeverItsContent(t *testing.T) {
	for raw, want := range map[string]string{
		`{"text":"secret"}`:                    "id: missing",
		`{"id":"secret"}`:                      "id: no whole number",
		`{"id":1.5}`:                           "id: no whole number",
		`{"id":99999999999999999999}`:          "id: no whole number",
		`{"id":1,"text":{"secret":1}}`:         "text: neither text nor a number",
		`{"id":1,"texts":[{"secret":1}]}`:      "texts: no list of texts",
		`{"id":1,"ids":["secret"]}`:            "ids: no list of whole numbers",
		`{"id":1,"bool":"secret"}`:             "bool: neither true nor false",
		`{"id":1,"int":"secret"}`:              "int: no whole number",
		`{"id":1,"time":"secret"}`:             "time: no date",
		`{"id":1,"time":"2025-13-01"}`:         "time: no date",
		`{"id":1,"inner":"secret"}`:            "inner: no object",
		`{"id":1,"inner":{"text":["secret"]}}`: "inner.text: neither text nor a number",
		`{"id":1,"ratio":"secret"}`:            "ratio: no number",
		`["secret"]`:                           "the record is no object",
	} {
		if _, err := read(raw); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", raw, err, want)
		}
	}
}

func TestDatesAreTakenInEachFormThatWasSeen(t *testing.T) {
	for text, want := range map[string]string{
		"2025-01-15T10:30:00Z":      "2025-01-15T10:30:00Z",
		"2025-01-15T10:30:00.123Z":  "2025-01-15T10:30:00.123Z",
		"2025-01-15T10:30:00+01:00": "2025-01-15T09:30:00Z",
		"2025-01-15T10:30:00-0500":  "2025-01-15T15:30:00Z",
		"2025-01-15T10:30:00":       "2025-01-15T10:30:00Z",
		"2019-04-02 09:31:52":       "2019-04-02T09:31:52Z",
		"2019-04-02 09:31:52 UTC":   "2019-04-02T09:31:52Z",
		"2019-04-02 09:31:52 +0200": "2019-04-02T07:31:52Z",
		"2019-04-02":                "2019-04-02T00:00:00Z",
		"2019-04-02 09:31:52 EST":   "",
		"02.04.2019":                "",
		"1736937000":                "",
		"2025-02-30T00:00:00Z":      "",
		"":                          "",
	} {
		at, err := wire.ParseTime(text)
		if got := at.Format(time.RFC3339Nano); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

type item struct {
	ID      int64
	Version string
}

func decodeItem(raw json.RawMessage) (item, error) {
	o := wire.Open(raw)
	decoded := item{ID: o.ID("id"), Version: o.Text("v")}
	return decoded, o.Err()
}

func collector() *wire.Collector[item] {
	return wire.NewCollector("id", func(i item) string { return json.Number(mustText(i.ID)).String() }, decodeItem)
}

func mustText(id int64) string {
	raw, err := json.Marshal(id)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func raws(records ...string) []json.RawMessage {
	list := make([]json.RawMessage, len(records))
	for i, record := range records {
		list[i] = json.RawMessage(record)
	}
	return list
}

func TestPagesThatOverlapGiveEachRecordOnceAsItWasReadLast(t *testing.T) {
	c := collector()
	first := c.Add(raws(`{"id":1,"v":"a"}`, `{"id":2,"v":"a"}`))
	second := c.Add(raws(`{"id":2,"v":"a"}`, `{"id":1,"v":"b"}`, `{"id":3,"v":"a"}`))
	if first != 2 || second != 1 {
		t.Errorf("fresh: %d, %d", first, second)
	}
	list := c.Listing(true, 3)
	if want := (wire.Listing[item]{Items: []item{{1, "b"}, {2, "a"}, {3, "a"}}, Complete: true, Total: 3}); !reflect.DeepEqual(list, want) {
		t.Errorf("got %+v", list)
	}
}

func TestAnOddRecordCostsOnlyItselfAndCountsAsSeen(t *testing.T) {
	c := collector()
	c.Add(raws(`{"id":1}`, `{"id":2,"v":[]}`, `"odd"`, `{"v":"nameless"}`, `{"id":3,"v":{}}`))
	c.Add(raws(`"odd"`, `{"id":3,"v":"now well"}`, `{"id":1,"v":[]}`))
	list := c.Listing(true, 0)
	want := wire.Listing[item]{
		Items: []item{{1, ""}, {3, "now well"}},
		Bad: []wire.BadRecord{
			{ID: "2", Index: 1, Reason: "v: neither text nor a number"},
			{Index: 2, Reason: "the record is no object"},
			{Index: 3, Reason: "id: missing"},
		},
		Complete: true,
	}
	if !reflect.DeepEqual(list, want) || list.Seen() != 5 || c.Seen() != 5 {
		t.Errorf("seen %d, %d: got %+v", list.Seen(), c.Seen(), list)
	}
}

func TestARunCountsItsOwnRecordsAsFresh(t *testing.T) {
	c := collector()
	c.NextRun()
	c.Add(raws(`{"id":1}`))
	c.NextRun()
	if again := c.Add(raws(`{"id":1}`)); again != 1 {
		t.Errorf("the same record in another run: %d fresh", again)
	}
	if repeated := c.Add(raws(`{"id":1}`)); repeated != 0 {
		t.Errorf("the same record in the same run: %d fresh", repeated)
	}
}

// However pages overlap, a listing holds exactly the records that were sent, understood or not.
func TestAListingHoldsWhatWasSentHoweverPagesOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collector()
		last := map[int64]string{}
		understood := map[int64]bool{}
		for range rapid.IntRange(0, 6).Draw(t, "pages") {
			var page []json.RawMessage
			for range rapid.IntRange(0, 6).Draw(t, "records") {
				id := rapid.Int64Range(1, 8).Draw(t, "id")
				version := rapid.SampledFrom([]string{`"a"`, `"b"`, `[]`}).Draw(t, "version")
				page = append(page, json.RawMessage(`{"id":`+mustText(id)+`,"v":`+version+`}`))
				if version != `[]` {
					last[id], understood[id] = version, true
				} else if !understood[id] {
					last[id] = version
				}
			}
			c.Add(page)
		}
		got := map[int64]string{}
		list := c.Listing(true, 0)
		for _, item := range list.Items {
			got[item.ID] = `"` + item.Version + `"`
		}
		for _, bad := range list.Bad {
			id, err := json.Number(bad.ID).Int64()
			if err != nil {
				t.Fatalf("a bad record without name: %+v", bad)
			}
			got[id] = `[]`
		}
		if !reflect.DeepEqual(got, last) || list.Seen() != len(last) {
			t.Fatalf("got %v, want %v", got, last)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2025-01-15T10:30:00Z", "2019-04-02 09:31:52", "2025-01-15", "", "0001-01-01T00:00:00Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := wire.ParseTime(text)
		if err != nil {
			return
		}
		if again, err := wire.ParseTime(at.Format(time.RFC3339Nano)); at.Year() <= 9999 && at.Year() >= 0 && (err != nil || !again.Equal(at)) {
			t.Errorf("%q is %s, and that is %s, %v", text, at, again, err)
		}
		if at.Location() != time.UTC {
			t.Errorf("%q is not in UTC: %s", text, at)
		}
	})
}

func FuzzRecords(f *testing.F) {
	for _, seed := range []string{`{"departments":[{"id":1}]}`, `{"department":{"id":"1"}}`, `{"a":[[]]}`, `[]`, `{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := wire.Records(body, "departments")
		if err != nil {
			return
		}
		c := collector()
		if fresh := c.Add(records); fresh > len(records) || fresh != c.Listing(true, 0).Seen() {
			t.Errorf("%d records became %d, %d of them fresh", len(records), c.Listing(true, 0).Seen(), fresh)
		}
		for _, record := range records {
			if !json.Valid(record) {
				t.Errorf("no JSON: %q", record)
			}
		}
	})
}
