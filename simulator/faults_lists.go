package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// listBody is the body of a list: an object with one array in it, and pageDetails beside it with
// Datto RMM.
type listBody struct {
	members envelope // in their order; the records' is replaced when it is written
	at      int      // the records' place
	records []json.RawMessage
	details envelope // of pageDetails; nil where there is none
}

// readList reads a list's body; ok is false for what is none.
func readList(body []byte) (l listBody, ok bool) {
	members, err := readMembers(body)
	if err != nil {
		return l, false
	}
	l.members, l.at = members, -1
	for i, m := range members {
		raw, _ := m.value.(json.RawMessage)
		switch {
		case m.key == "pageDetails":
			if l.details, err = readMembers(raw); err != nil {
				return l, false
			}
		case l.at < 0 && json.Unmarshal(raw, &l.records) == nil && raw[0] == '[':
			l.at = i
		}
	}
	return l, l.at >= 0
}

// readMembers reads an object and keeps the order of its keys.
func readMembers(object []byte) (envelope, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("no object: %w", err)
	}
	members := envelope{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		members = append(members, member{fmt.Sprint(name), value})
	}
	return members, nil
}

// body writes the list, with the number of its records where the page tells one.
func (l listBody) body() envelope {
	l.tell("count", len(l.records))
	out := slices.Clone(l.members)
	out[l.at].value = append([]json.RawMessage{}, l.records...)
	for i, m := range out {
		if m.key == "pageDetails" {
			out[i].value = l.details
		}
	}
	return out
}

// told is a member of the page's details, or of the list where there are none.
func (l listBody) told(key string) (*member, bool) {
	of := l.details
	if of == nil {
		of = l.members
	}
	at := slices.IndexFunc(of, func(m member) bool { return m.key == key })
	if at < 0 {
		return nil, false
	}
	return &of[at], true
}

// tell changes what is told; a key that is not there stays away.
func (l listBody) tell(key string, value any) {
	if m, ok := l.told(key); ok {
		m.value = value
	}
}

// total changes the list's total.
func (l listBody) total(change func(int) int) {
	for _, key := range []string{"totalCount", "total"} {
		if m, ok := l.told(key); ok {
			if n, err := strconv.Atoi(fmt.Sprintf("%s", m.value)); err == nil {
				m.value = change(n)
			}
		}
	}
}

// editList makes the faults that edit a list of an answer. before is the answer of the page before.
func editList(f Fault, r *http.Request, a answer, before func() answer) answer {
	if a.status != http.StatusOK {
		return a
	}
	l, ok := readList(encodeBody(a))
	if !ok {
		if f.Kind == FaultNoEnvelope {
			a.body = envelope{}
		}
		return a
	}
	switch f.Kind {
	case FaultNoEnvelope:
		a.body = envelope{}
		if l.details != nil {
			a.body = envelope{{"pageDetails", l.details}}
		}
		return a
	case FaultBareRecords:
		a.body = append([]json.RawMessage{}, l.records...)
		return a
	case FaultRepeatPage:
		if previous, ok := readList(encodeBody(before())); ok {
			l.records = previous.records
		}
	case FaultEmptyList:
		l.records = nil
		l.total(func(int) int { return 0 })
		l.tell("nextPageUrl", nil)
		a.header = a.header.Clone()
		a.header.Del("Link")
	case FaultLoseRecords:
		l.records = l.records[:max(0, len(l.records)-f.By)]
	case FaultWrongTotal:
		l.total(func(n int) int { return n + f.By })
	case FaultSamePage:
		a = l.sendTo(a, baseOf(r)+r.URL.RequestURI())
	case FaultForeignNext:
		next := r.URL.Query()
		page, _ := strconv.Atoi(next.Get("page"))
		if l.details == nil {
			page = max(page, 1)
		}
		next.Set("page", strconv.Itoa(page+1))
		a = l.sendTo(a, f.Origin+r.URL.Path+"?"+next.Encode())
	}
	a.body = l.body()
	return a
}

// sendTo says where the next page is, in the upstream's own way.
func (l *listBody) sendTo(a answer, address string) answer {
	if l.details == nil {
		a.header = a.header.Clone()
		if a.header == nil {
			a.header = http.Header{}
		}
		a.header.Set("Link", fmt.Sprintf("<%s>; rel=%q", address, "next"))
		return a
	}
	if _, ok := l.told("nextPageUrl"); !ok {
		l.details = append(l.details, member{"nextPageUrl", nil})
	}
	l.tell("nextPageUrl", address)
	return a
}
