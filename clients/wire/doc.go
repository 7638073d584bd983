// Package wire decodes what the upstream APIs send: lists whose records are decoded one by one,
// and fields that come in more than one form.
//
// It is strict about what it understands and forgiving about the rest. An unknown field is never
// looked at; a missing key, null and (in lists) [] are the same, and where the difference matters
// [Object.Has] tells it; numbers come as text and text as numbers. A record that cannot be
// understood becomes a [BadRecord] beside the good ones: one odd record never costs its list, and
// never counts as absent.
//
// It does no I/O and keeps no state. A BadRecord names the field at fault and what was expected,
// never what was there: records hold personal data, and some hold recovery keys.
package wire
