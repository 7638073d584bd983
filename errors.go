package codex

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is. The values are stable: GraphQL gives them as
// extensions.code, REST and the command line map them to HTTP statuses and exit codes.
type Code string

// The codes.
const (
	CodeUnauthenticated Code = "UNAUTHENTICATED"   // no caller, or one that cannot be verified
	CodeForbidden       Code = "FORBIDDEN"         // a caller without the role it takes
	CodeBadInput        Code = "BAD_USER_INPUT"    // Field names the argument, Message says what to do
	CodeNotFound        Code = "NOT_FOUND"         // what was named does not exist
	CodeConflict        Code = "CONFLICT"          // it cannot be done in the present state
	CodeCostLimit       Code = "COST_LIMIT"        // the query asks for more than one may at once
	CodeTooManyRequests Code = "TOO_MANY_REQUESTS" // the caller has too much under way: ask again in a moment
	CodeNoHistory       Code = "NO_HISTORY"        // a past before the first succeeded run
	CodePlanStale       Code = "PLAN_STALE"        // a plan whose base has moved since it was made
	CodeUnavailable     Code = "UNAVAILABLE"       // a database or upstream that does not answer now
	CodeInternal        Code = "INTERNAL"          // a defect of ours; the cause is in the log alone
)

// Error is a failure with a code on which a caller can decide. Message is for the caller and never
// holds a secret or an internal detail; Err is for the log.
type Error struct {
	Code    Code
	Field   string // the argument, key or parameter at fault, when there is one
	Message string
	Err     error
}

// Errorf makes an [Error] of code whose message is formatted as by [fmt.Sprintf].
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// BadInput makes a [CodeBadInput] error about field.
func BadInput(field, format string, args ...any) *Error {
	return &Error{Code: CodeBadInput, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives err a code and a message for the caller, and keeps it for the log.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// Error is the whole story, cause included: it is meant for logs, never for an answer.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause to [errors.Is] and [errors.As].
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of the first [Error] in err's chain, [CodeInternal] where there is none, and
// empty for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var coded *Error
	if errors.As(err, &coded) {
		return coded.Code
	}
	return CodeInternal
}
