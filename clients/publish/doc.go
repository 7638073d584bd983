// Package publish hands signed log checkpoints to somebody else over HTTP: POST, the note as the body,
// text/plain. Any 2xx is an answer.
//
// What may pass by itself (no connection, a timeout, 408, 429, 5xx) is tried again after a jittered,
// doubling wait, and given up after five tries; every other status fails at once. A receiver may get
// the same note more than once. Redirects are not followed: what is published goes where it was
// configured. Errors name the address's host and the status, and nothing else of either side.
//
// It keeps nothing: a process that dies has handed the note over, or has not, and the next one does.
package publish
