# devhook. `make` lists what there is; each target says what it does.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BINDIR      = $(if $(PREFIX),$(PREFIX)/bin,$(or $(shell $(GO) env GOBIN),$(shell $(GO) env GOPATH)/bin))

.DEFAULT_GOAL := help
.PHONY: help build install dist test race lint fmt-check tidy-check cross vendors browser screenshots fuzz soak bench demo golden ci

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build bin/devhook
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/devhook ./cmd/devhook

install: ## install devhook where go install does; PREFIX=DIR: into DIR/bin
	CGO_ENABLED=0 GOBIN=$(BINDIR) $(GO) install -trimpath ./cmd/devhook
	@echo "installed $(BINDIR)/devhook"
	@case ":$$PATH:" in *":$(BINDIR):"*) ;; *) echo 'which is not in PATH yet: export PATH="$(BINDIR):$$PATH"';; esac

dist: ## build into dist/ for each system, for who has no Go: with licences and checksums
	@GO=$(GO) .ci/dist

test: ## test everything; needs Go alone
	CGO_ENABLED=0 $(GO) test ./...

demo: ## see it work: no account, no app, no network
	@echo 'building devhook; the first time that takes a minute' >&2
	@CGO_ENABLED=0 $(GO) run -trimpath ./cmd/devhook demo --once

soak: ## kill writers 200 times each under load; nothing that was acknowledged may be missing
	DEVHOOK_SOAK=200 CGO_ENABLED=0 $(GO) test -count=1 -timeout 30m -run TestKilledUnderLoad -v ./recorder

bench: build ## compare with plain proxies, mitmdump, SQLite and the bare disk, and put the tables into docs/benchmarks.md; a store of a million in internal/bench/million
	cd internal/bench && $(GO) run . -o $(CURDIR)/docs/benchmarks.md -appends
	cd internal/bench && $(GO) run . -o $(CURDIR)/docs/benchmarks.md $(CURDIR)/bin/devhook
	cd internal/bench && $(GO) run . -o $(CURDIR)/docs/benchmarks.md -store million
	$(GO) test ./recorder ./verify ./internal/gateway -run '^$$' -bench . -benchmem

fuzz: ## fuzz each target for a while (FUZZTIME=20s)
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz); do \
	    $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-20s} -fuzzminimizetime 10x || exit 1; \
	  done; \
	done

golden: ## write the golden files anew; read the diff
	$(GO) test ./recorder ./cmd/devhook -update

lint: fmt-check ## gofmt, vet, staticcheck
	$(GO) vet ./...
	cd internal/bench && $(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fmt-check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w"; exit 1; }

tidy-check: ## fail if go.mod or go.sum is not tidy
	$(GO) mod tidy -diff
	cd internal/bench && $(GO) mod tidy -diff

cross: ## vet for the other systems; on Linux, what must give the same bytes everywhere is tested on 32 bits, too
	GOOS=windows CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin CGO_ENABLED=0 $(GO) vet ./...
	case "$$(uname -sm)" in "Linux x86_64") GOARCH=386 CGO_ENABLED=0 $(GO) test ./internal/livesession ./internal/interchange ./replay;; esac

race: ## test with the race detector; needs a C compiler
	@.ci/need gcc gcc
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./...

# FRAMEWORKS are the Debian packages of what docs/frameworks.md has apps for.
FRAMEWORKS = python3-flask uvicorn python3-fastapi python3-django php-cli puma ruby-sinatra

vendors: ## have the vendors' own SDKs judge signatures, and run the apps of docs/frameworks.md; needs npm
	@.ci/need node nodejs
	@.ci/need npm npm
	@.ci/need curl curl
	@.ci/need jq jq
	@for c in flask uvicorn django-admin php puma; do .ci/need $$c --no-install-recommends $(FRAMEWORKS) || exit 1; done
	cd internal/vendors && npm ci --ignore-scripts --omit=optional --silent --no-audit --no-fund
	CGO_ENABLED=0 $(GO) test -count=1 -tags vendors ./internal/vendors

browser: ## test the inspector's page in Chromium; needs npm
	@.ci/need chromium chromium
	@.ci/need node nodejs
	@.ci/need npm npm
	cd internal/inspector/testdata/axe && npm ci --silent --no-audit --no-fund
	$(GO) vet -tags browser ./internal/inspector
	CGO_ENABLED=0 $(GO) test -count=1 -tags browser -timeout 20m ./internal/inspector

screenshots: ## write the images of docs/img anew; look at them
	@.ci/need chromium chromium
	@fc-list : family | grep -q Inter || echo "without the packages fonts-inter and fonts-jetbrains-mono the images have other letters"
	SCREENSHOTS=$(CURDIR)/docs/img CGO_ENABLED=0 $(GO) test -count=1 -tags browser -run TestScreenshots ./internal/inspector

ci: lint tidy-check cross test race vendors browser ## what CI runs
	@$(MAKE) --no-print-directory demo >/dev/null 2>&1
	@echo "ci: all green"
