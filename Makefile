# Everything that is done with this repository, from a fresh clone on: each target does all of its
# own set-up and needs Debian with Go, Node.js, git and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --jobs=2

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LINTER := .cache/golangci-lint
# Written last by npm ci, so it tells that the packages are there and complete.
PACKAGES := web/node_modules/.package-lock.json
PAGES := web/dist/index.html
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/test -prune -o \
	-type f -not -name '*.go' -print)

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: build ## Build everything and serve: instance/codex.conf if there is one, else a demo
	@if [ -f instance/codex.conf ]; then exec bin/codex serve; else exec bin/codex serve --demo; fi

.PHONY: build
build: $(PAGES) rooms ## Build bin/codex, web pages included
	go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/codex ./cmd/server

# What needs no page compiles while npm still fetches its packages: most of a cold build.
.PHONY: rooms
rooms:
	@go build -trimpath ./resolvers ./rest ./simulator

.PHONY: test
test: $(PAGES) ## Run all tests, against SQLite and a throw-away PostgreSQL, and the pages in Chromium
	@test -x /usr/bin/chromium || scripts/debian-package chromium
	cd web && npm run --silent check
	scripts/with-postgres go test -timeout 12m ./...

# What a quick look makes smaller; `go test ./bench -args -help` lists all of it.
quick_look := -past.assets 2000 -past.asks 10 -first.companies 50 -first.assets 2000 -first.contacts 1000 -first.repeats 1 \
	-bills.most 10000 -bills.asks 100 -tickets.count 100 -tickets.sequential 20 -webhooks.closings 6 -webhooks.flood 1000 -webhooks.flooded 10

# 45 minutes, most of them spent waiting for the simulated upstreams' limits; the quick look takes five.
.PHONY: bench
bench: ## Measure what is promised: 45 minutes; make bench quick=yes for a look of five
	scripts/with-postgres go test ./bench -run '^$$' -bench . -benchtime 1x -timeout 120m $(if $(quick),$(quick_look))

# An hour and more, at low priority: times is how many times as many kills as make test makes, checks how
# often each law is checked. A single test can be called the same way, with the seed that it printed.
.PHONY: soak
soak: ## Kill, break and compare for hours: make soak times=20 checks=200 (the defaults)
	nice -n 10 scripts/with-postgres go test ./cmd/server -run 'Kill' -soak $(or $(times),20) -timeout 0 -v
	nice -n 10 scripts/with-postgres go test ./syncers -run 'Kill|Law|Fault|FullDisk' -soak $(or $(times),20) -rapid.checks $(or $(checks),200) -timeout 0 -v
	nice -n 10 scripts/with-postgres go test ./syncers -run GoesAway -crash -soak $(or $(times),20) -timeout 0 -v

.PHONY: generate
generate: ## Write the generated code anew: ent's client, the graph's, and a client's of it
	go generate ./...

.PHONY: lint
lint: $(LINTER) $(PACKAGES) ## Check the Go code (floors included) and the TypeScript
	$(LINTER) run
	cd web && npm run --silent lint

.PHONY: migration
migration: ## Write the next migration of both databases from a changed schema: make migration name=…
	@test -n '$(name)' || { echo 'usage: make migration name=what_changes' >&2; exit 2; }
	scripts/with-postgres go run ./store/migration -name '$(name)'

.PHONY: clean
clean: ## Remove what was built (instance folders stay)
	rm -rf bin .cache web/node_modules
	find web/dist -mindepth 1 -not -name .gitkeep -delete

# A build of minutes the first time, in a module of its own that leaves ours alone.
$(LINTER): tools/go.mod tools/go.sum
	cd tools && go build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(PACKAGES): web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo 'The web pages need Node.js 20.19 or later, with npm' >&2; exit 1; }
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(PAGES): $(PACKAGES) $(PAGE_SOURCES)
	cd web && npm run --silent build
	@touch $@
