package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/template"

	"ariga.io/atlas/sql/migrate"
)

// writeNext writes what the schema has and the migrations lack.
func writeNext(ctx context.Context, root, name, postgres string, stdout io.Writer) error {
	number, err := nextNumber(root)
	if err != nil {
		return err
	}
	changed := false
	for _, dialectName := range dialects() {
		wrote, err := writeOne(ctx, folder(root, dialectName), dialectName, number+"_"+name, postgres)
		if err != nil {
			return fmt.Errorf("%s: %w", dialectName, err)
		}
		changed = changed || wrote
	}
	if !changed {
		return errors.New("the schema has nothing that the migrations lack (a view or trigger is written -by-hand)")
	}
	// What one dialect has to do and the other has not is a pair all the same.
	if err := fillPair(root, number+"_"+name); err != nil {
		return err
	}
	return tell(root, number+"_"+name, stdout)
}

// writeOne writes one dialect's file, if there is a difference.
func writeOne(ctx context.Context, dir, dialectName, label, postgres string) (wrote bool, err error) {
	db, drop, err := scratch(ctx, dialectName, postgres)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	if _, err := db.Migrate(ctx); err != nil {
		return false, err
	}
	local, err := migrate.NewLocalDir(dir)
	if err != nil {
		return false, err
	}
	formatter, err := formatterOf(label)
	if err != nil {
		return false, err
	}
	return writeDiff(ctx, db, local, formatter)
}

// formatterOf names the file, which ends each statement with its comment before it.
func formatterOf(label string) (migrate.Formatter, error) {
	fileName, err := template.New("name").Parse(label + ".sql")
	if err != nil {
		return nil, err
	}
	content, err := template.New("content").Parse("{{ range .Changes }}{{ with .Comment }}-- {{ printf \"%s\\n\" . }}{{ end }}{{ printf \"%s;\\n\" .Cmd }}{{ end }}")
	if err != nil {
		return nil, err
	}
	return migrate.NewTemplateFormatter(fileName, content)
}

func writeByHand(root, name string, stdout io.Writer) error {
	number, err := nextNumber(root)
	if err != nil {
		return err
	}
	if err := fillPair(root, number+"_"+name); err != nil {
		return err
	}
	return tell(root, number+"_"+name, stdout)
}

// fillPair makes the label's file of each dialect that has none, and seals both folders.
func fillPair(root, label string) error {
	for _, dialectName := range dialects() {
		file := filepath.Join(folder(root, dialectName), label+".sql")
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if err := os.WriteFile(file, []byte("-- Nothing to do on "+dialectName+".\n"), 0o644); err != nil {
			return err
		}
	}
	return sealAll(root)
}

// sealAll writes the seals of what is there.
func sealAll(root string) error {
	for _, dialectName := range dialects() {
		dir, err := migrate.NewLocalDir(folder(root, dialectName))
		if err != nil {
			return err
		}
		sum, err := dir.Checksum()
		if err != nil {
			return err
		}
		if err := migrate.WriteSumFile(dir, sum); err != nil {
			return err
		}
	}
	return nil
}

// nextNumber is one more than the highest number in either folder.
func nextNumber(root string) (string, error) {
	highest := 0
	for _, dialectName := range dialects() {
		dir, err := migrate.NewLocalDir(folder(root, dialectName))
		if err != nil {
			return "", err
		}
		files, err := dir.Files()
		if err != nil {
			return "", err
		}
		for _, file := range files {
			number, err := strconv.Atoi(file.Version())
			if err != nil {
				return "", fmt.Errorf("%s: its name has no number", file.Name())
			}
			highest = max(highest, number)
		}
	}
	return fmt.Sprintf("%04d", highest+1), nil
}

func tell(root, label string, stdout io.Writer) error {
	for _, dialectName := range dialects() {
		if _, err := fmt.Fprintln(stdout, filepath.Join(folder(root, dialectName), label+".sql")); err != nil {
			return err
		}
	}
	return nil
}
