// Package bench measures what the issues promise: `make bench`. It has benchmarks alone, each of which
// prints the thing measured beside the thing that it is held against, with their ratio. It writes
// nothing but to databases of its own, which are dropped when a benchmark ends.
package bench
