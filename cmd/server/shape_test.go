package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// fits tells where JSON text differs from a shape: {key:shape key:shape} is an object with exactly
// those keys in that order, [shape] a list, and string, bool, int, float (written with a point or an
// exponent) and number are values; with ? behind it a shape may be null too. White space in a shape
// separates keys.
func fits(text, shape string) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	p := &shapeParser{text: shape}
	wanted := p.shape()
	if p.text != "" {
		return fmt.Errorf("the shape goes on after its end: %s", p.text)
	}
	var value json.RawMessage
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if decoder.More() {
		return fmt.Errorf("more than one value in %s", text)
	}
	return wanted.check("$", value)
}

// shape is a parsed shape.
type shape struct {
	kind     string // "{", "[", or a value's
	keys     []string
	parts    []*shape
	nullable bool
}

type shapeParser struct{ text string }

func (p *shapeParser) take(prefix string) bool {
	rest, found := strings.CutPrefix(strings.TrimLeft(p.text, " "), prefix)
	if found {
		p.text = rest
	}
	return found
}

func (p *shapeParser) word() string {
	p.text = strings.TrimLeft(p.text, " ")
	end := strings.IndexFunc(p.text, func(r rune) bool { return strings.ContainsRune(" :?{}[]", r) })
	if end < 0 {
		end = len(p.text)
	}
	word := p.text[:end]
	p.text = p.text[end:]
	return word
}

func (p *shapeParser) shape() *shape {
	s := &shape{}
	switch {
	case p.take("{"):
		s.kind = "{"
		for !p.take("}") {
			s.keys = append(s.keys, p.word())
			p.take(":")
			s.parts = append(s.parts, p.shape())
		}
	case p.take("["):
		s.kind, s.parts = "[", []*shape{p.shape()}
		p.take("]")
	default:
		s.kind = p.word()
	}
	s.nullable = strings.HasPrefix(p.text, "?") && p.take("?")
	return s
}

func (s *shape) check(at string, text json.RawMessage) error {
	if string(text) == "null" {
		if s.nullable {
			return nil
		}
		return fmt.Errorf("%s is null", at)
	}
	switch s.kind {
	case "{":
		return s.checkObject(at, text)
	case "[":
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil || list == nil {
			return fmt.Errorf("%s is no list: %.60s", at, text)
		}
		for i, item := range list {
			if err := s.parts[0].check(fmt.Sprintf("%s[%d]", at, i), item); err != nil {
				return err
			}
		}
		return nil
	}
	first := text[0]
	number := first == '-' || '0' <= first && first <= '9'
	point := bytes.ContainsAny(text, ".eE")
	good := map[string]bool{
		"string": first == '"', "bool": first == 't' || first == 'f',
		"int": number && !point, "float": number && point, "number": number,
	}[s.kind]
	if !good {
		return fmt.Errorf("%s is no %s: %.60s", at, s.kind, text)
	}
	return nil
}

func (s *shape) checkObject(at string, text json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("%s is no object: %.60s", at, text)
	}
	var keys []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		key := fmt.Sprint(token)
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err
		}
		if n := len(keys); n < len(s.keys) && s.keys[n] == key {
			if err := s.parts[n].check(at+"."+key, value); err != nil {
				return err
			}
		}
		keys = append(keys, key)
	}
	if got, want := strings.Join(keys, " "), strings.Join(s.keys, " "); got != want {
		return fmt.Errorf("%s has the keys\n%s, not\n%s", at, got, want)
	}
	return nil
}

func TestAShapeIsToldFromWhatItIsNot(t *testing.T) {
	tests := []struct {
		text, shape string
		fits        bool
	}{
		{`{"a": 1, "b": [{"c": null}]}`, "{a:int b:[{c:string?}]}", true},
		{`{"b": [], "a": 1}`, "{a:int b:[int]}", false},
		{`{"a": 1, "b": 2}`, "{a:int}", false},
		{`{"a": null}`, "{a:int}", false},
		{`{"a": 1}`, "{a:float}", false},
		{`{"a": 1.0}`, "{a:float}", true},
		{`null`, "[int]", false},
		{`[1, "x"]`, "[int]", false},
		{`{"a": true} {}`, "{a:bool}", false},
	}
	for _, tt := range tests {
		if err := fits(tt.text, tt.shape); (err == nil) != tt.fits {
			t.Errorf("%s as %s: %v", tt.text, tt.shape, err)
		}
	}
}
