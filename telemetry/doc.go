// Package telemetry makes the logger that every room is handed, and names the keys of what is
// logged, so that the same thing has the same name in every line.
//
// It never logs by itself and keeps no global logger. It is the last guard before a line leaves the
// process: what a [codex.Secret] hides is hidden by its type; a text that is logged under a name such
// as "password", an Authorization header's value and the password in an address come out as ***
// even where somebody forgot the type. The guard is no licence to log a secret: it knows forms, not
// secrets.
//
// A line is written by one call to the writer, whole. When the process dies, lines that were logged
// are with the writer.
package telemetry
