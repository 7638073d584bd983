package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The INI dialect of Python's configparser.RawConfigParser with its default options, rule by rule
// (CPython 3.11, Lib/configparser.py, RawConfigParser._read). The test's golden files were written
// by that parser itself.

// defaultSection holds the entries that every other section inherits.
const defaultSection = "DEFAULT"

// iniFile is what an INI text says.
type iniFile struct {
	defaults iniSection   // the entries of [DEFAULT]
	sections []iniSection // the others, in the text's order, each name once
}

// iniSection is one section, its name as written: names of sections are case-sensitive.
type iniSection struct {
	name    string
	line    int
	entries []iniEntry // in the text's order, each key once
}

// iniEntry is one key, in lower case, and its value: the lines of a value are joined by \n.
type iniEntry struct {
	key   string
	value string
	line  int
}

// iniError is a line that cannot be read. It does not show the line, which may hold a secret.
type iniError struct {
	line   int
	reason string
}

func (e *iniError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// section is the section of that name, nil where there is none.
func (f *iniFile) section(name string) *iniSection {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// lookup is the entry of key in section: its own, else the one of [DEFAULT]. A section that is not
// there inherits nothing.
func (f *iniFile) lookup(section, key string) (iniEntry, bool) {
	s := f.section(section)
	if s == nil {
		return iniEntry{}, false
	}
	if e := s.entry(key); e != nil {
		return *e, true
	}
	if e := f.defaults.entry(key); e != nil {
		return *e, true
	}
	return iniEntry{}, false
}

func (s *iniSection) entry(key string) *iniEntry {
	for i := range s.entries {
		if s.entries[i].key == key {
			return &s.entries[i]
		}
	}
	return nil
}

// parseINI reads text. All lines that cannot be read are in the error, which is *iniError or
// several of them joined.
//
// One thing is taken that RawConfigParser refuses: a byte order mark, which Windows editors write
// and Python's "utf-8" leaves in the text.
func parseINI(text string) (*iniFile, error) {
	if !utf8.ValidString(text) {
		return nil, &iniError{line: invalidLine(text), reason: "is not UTF-8: save the file as UTF-8"}
	}
	p := iniParser{file: &iniFile{defaults: iniSection{name: defaultSection}}}
	for i, line := range splitLines(strings.TrimPrefix(text, "\ufeff")) {
		p.line(i+1, line)
		if p.fatal {
			break
		}
	}
	p.finish()
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.file, nil
}

// iniParser is the state between two lines.
type iniParser struct {
	file    *iniFile
	current *iniSection // nil before the first section
	open    *iniEntry   // the entry that a deeper line continues; nil after a header
	pending []string    // the lines of open's value
	indent  int         // of the line that began open, in characters
	errs    []error
	fatal   bool
}

func (p *iniParser) line(number int, line string) {
	text := strings.TrimFunc(line, isSpace)
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
		return // a comment, inside a value too
	}
	if text == "" {
		if p.open != nil {
			p.pending = append(p.pending, "") // kept where the value goes on after it
		}
		return
	}
	indent := utf8.RuneCountInString(line[:strings.IndexFunc(line, func(r rune) bool { return !isSpace(r) })])
	if p.open != nil && indent > p.indent {
		p.pending = append(p.pending, text)
		return
	}
	p.indent = indent
	if name, ok := header(text); ok {
		p.header(number, name)
		return
	}
	if p.current == nil {
		p.fail(number, "stands before the first section: begin the file with a line such as [database]")
		p.fatal = true
		return
	}
	p.option(number, text)
}

// header is the name in a section's header: what stands between the [ at the start and the last ]
// of the line, whatever follows.
func header(text string) (string, bool) {
	end := strings.LastIndexByte(text, ']')
	if text[0] != '[' || end < 2 {
		return "", false
	}
	return text[1:end], true
}

func (p *iniParser) header(number int, name string) {
	p.finish()
	if name == defaultSection {
		p.current = &p.file.defaults
		return
	}
	if earlier := p.file.section(name); earlier != nil {
		p.fail(number, fmt.Sprintf("section [%s] is there already, at line %d: join the two", name, earlier.line))
		p.fatal = true
		return
	}
	p.file.sections = append(p.file.sections, iniSection{name: name, line: number})
	p.current = &p.file.sections[len(p.file.sections)-1]
}

func (p *iniParser) option(number int, text string) {
	at := strings.IndexAny(text, "=:")
	if at < 0 {
		p.fail(number, "has neither = nor : and is neither a [section] nor a comment: write key = value")
		return
	}
	key := strings.ToLower(strings.TrimRightFunc(text[:at], isSpace))
	if key == "" {
		p.fail(number, "has no key before its = or :")
		return
	}
	p.finish()
	if earlier := p.current.entry(key); earlier != nil {
		p.fail(number, fmt.Sprintf("[%s] %s is there already, at line %d: remove one of the two",
			p.current.name, key, earlier.line))
		p.fatal = true
		return
	}
	p.current.entries = append(p.current.entries, iniEntry{key: key, line: number})
	p.open = &p.current.entries[len(p.current.entries)-1]
	p.pending = []string{strings.TrimFunc(text[at+1:], isSpace)}
}

// finish gives the open entry its value.
func (p *iniParser) finish() {
	if p.open != nil {
		p.open.value = strings.TrimRightFunc(strings.Join(p.pending, "\n"), isSpace)
	}
	p.open, p.pending = nil, nil
}

func (p *iniParser) fail(line int, reason string) {
	p.errs = append(p.errs, &iniError{line: line, reason: reason})
}

// splitLines splits at \n, \r\n and \r, as Python does with a text file.
func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Split(text, "\n")
}

// isSpace is Python's str.isspace, which has four separators more than Go's.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func invalidLine(text string) int {
	for i, line := range splitLines(text) {
		if !utf8.ValidString(line) {
			return i + 1
		}
	}
	return 0
}
