package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hivematrix/codex"
)

// Value is the text of one key for [Write].
type Value struct {
	Section, Key string
	Text         string // as it stands in the file; blank: left out
}

// Write makes the configuration file at path from values, readable and writable by its owner alone,
// in a folder of the same kind where there is none yet. The file appears whole: whatever happens
// on the way, path holds what was there before or all of the new. A file that is there is
// [codex.CodeConflict] unless overwrite; values that [Load] would refuse are its errors, and nothing
// is written.
func Write(path string, values []Value, overwrite bool) error {
	text, err := format(path, values)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !overwrite {
		return codex.Errorf(codex.CodeConflict, "%s is there already", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return codex.Wrap(codex.CodeUnavailable, err, "look for %s", path)
	}
	if err := writeWhole(path, text); err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "write %s", path)
	}
	return nil
}

// format is the INI text of values, in the order of the list, and valid as a whole.
func format(path string, values []Value) (string, error) {
	texts := map[[2]string]string{}
	for _, v := range values {
		texts[[2]string{v.Section, v.Key}] = v.Text
	}
	var b strings.Builder
	b.WriteString("# The configuration of a hub. docs/configuration.md has every key.\n")
	for _, s := range sections() {
		head := "\n[" + s.name + "]\n"
		for _, k := range s.keys {
			name := [2]string{s.name, k.name}
			text := texts[name]
			delete(texts, name)
			if strings.TrimFunc(text, isSpace) == "" {
				continue
			}
			if text != strings.TrimFunc(text, isSpace) || strings.ContainsAny(text, "\r\n\x00") {
				return "", codex.BadInput("["+s.name+"] "+k.name, "must be one line without blanks around it")
			}
			b.WriteString(head + k.name + " = " + text + "\n")
			head = ""
		}
	}
	for _, v := range values {
		if _, left := texts[[2]string{v.Section, v.Key}]; left {
			return "", codex.BadInput("["+v.Section+"] "+v.Key, "is no setting of the hub")
		}
	}
	text := b.String()
	ini, err := parseINI(text)
	if err != nil {
		return "", located(path, err)
	}
	l := &loader{config: &Config{InstanceDir: filepath.Dir(path)}, path: path, ini: ini}
	l.evaluate()
	return text, errors.Join(l.errs...)
}

// writeWhole writes text to a new file beside path, to the disk, and moves it to path.
func writeWhole(path, text string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make its folder: %w", err)
	}
	file, err := os.CreateTemp(dir, ".codex.conf-*") // made with 0600
	if err != nil {
		return fmt.Errorf("make a file beside it: %w", err)
	}
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncDir(dir)
}

// syncDir makes the names in a folder last over a power failure.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open its folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync its folder: %w", err)
	}
	return nil
}
