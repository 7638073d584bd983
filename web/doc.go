// Package web holds the pages that a person opens in a browser, as files inside the binary: the
// landing page (index.html) and the GraphiQL playground (playground.html) with its assets.
//
// The pages are static shells. They hold no data and no secret, so they may be served to anybody;
// what they show they ask of this server's GraphQL endpoint, with the token that the person enters.
// Each address in them is relative to the page, so they work below any path prefix, provided that
// index.html is served at a path that ends in a slash and playground.html beside it, as
// "playground". They load nothing from another origin, and work under the content security policy
// that [ContentSecurityPolicy] names.
//
// The sources are TypeScript, beside this file; `make build` bundles them into dist, which git
// ignores. A plain `go build` without Node works all the same: then [Built] is false and only
// [HowToBuild] is left to say. The package does no I/O, so there is nothing that can die half-way.
package web
