// Package ent is the generated database client. Its source is package schema; nothing here but this
// file is written by hand. The mutations of all entities would be one file of more than a megabyte: tools/entsplit
// gives each entity its own.
package ent

//go:generate go tool ent generate --feature sql/modifier,sql/lock,sql/upsert,sql/execquery,sql/versioned-migration ./schema
//go:generate go run -C ../tools ./entsplit ../ent
