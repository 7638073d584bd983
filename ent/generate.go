// Package ent is the generated database client. Its source is package schema; nothing here but this
// file is written by hand.
package ent

//go:generate go tool ent generate --feature sql/modifier,sql/lock,sql/upsert,sql/execquery,sql/versioned-migration ./schema
