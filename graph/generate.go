package graph

// gqlgen looks for gqlgen.yml in this folder and those above it, and works from where it is.
//go:generate go tool gqlgen generate
