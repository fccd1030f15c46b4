# envd: `make help` lists everything.
#
# One non-recursive Makefile: a new .c file in a known folder is picked up by itself.

CC := gcc
Q := $(if $(V),,@)
BUILD ?= build
PREFIX ?= /usr/local
VERSION := 0.1.0

LIBRARIES := libevent libevent_openssl libcurl expat jansson sqlite3 libgit2 uuid zlib yaml-0.1 libssl libcrypto
PKG_CFLAGS = $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Wvla -Wundef -Werror
HARDENING := -fstack-protector-strong -fno-strict-aliasing -fno-delete-null-pointer-checks -fPIE
OPTIMISE := -O2 -g
SANITIZERS :=
ifeq ($(SANITIZE),1)
BUILD := build/sanitize
OPTIMISE := -O1 -g -fno-omit-frame-pointer
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
else
ifeq ($(FAULTS),1)
# A test build: named places can be told to die, to stall or to fail (envd/base/fault.h).
BUILD := build/faults
OPTIMISE := -O2 -g -DENVD_FAULTS
FAIL_NTH = $(call object,tests/support/fail_nth.c)
endif
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
CFLAGS_ALL = -std=gnu17 -D_GNU_SOURCE -DENVD_VERSION='"$(VERSION)"' -Ienvd -I. $(WARNINGS) \
	$(HARDENING) $(OPTIMISE) $(SANITIZERS) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZERS) $(LDFLAGS)

# ---- what is made of what -------------------------------------------------------------------

ENVD_SOURCES := $(filter-out envd/main.c,$(wildcard envd/*/*.c envd/*/*/*.c))
CLI_SOURCES := $(filter-out cli/main.c,$(wildcard cli/*.c))
REAPER_SOURCES := $(filter-out reaper/main.c,$(wildcard reaper/*.c))
SUPPORT_SOURCES := $(filter-out tests/support/filter.c tests/support/fail_nth.c,$(wildcard tests/support/*.c))
SIMULATION_SOURCES := $(filter-out tests/simulation/main.c,$(wildcard tests/simulation/*.c))
UNIT_TESTS := $(wildcard tests/unit/*/test_*.c)
SCENARIO_TESTS := $(wildcard tests/scenario/test_*.c)
FAILURE_TESTS := $(wildcard tests/failure/test_*.c)
SLOW_TESTS := $(wildcard tests/slow/*)
TEMPLATE_TESTS := $(wildcard templates/*/test/run)
# Need images that take a minute to build.
LIVE_TEMPLATE_TESTS := $(wildcard templates/*/test/live)
CI_TESTS := $(wildcard tests/ci/test_*)
PARTS_TESTS := $(wildcard tests/parts/test_*)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
test_program = $(patsubst tests/%.c,$(BUILD)/tests/%,$(1))

ENVD_LIBRARY := $(BUILD)/libenvd.a
CLI_LIBRARY := $(BUILD)/libenvctl.a
REAPER_LIBRARY := $(BUILD)/libreaper.a
SUPPORT_LIBRARY := $(BUILD)/libsupport.a
SIMULATION_LIBRARY := $(BUILD)/libsimulation.a
PROGRAMS := $(BUILD)/bin/envd $(BUILD)/bin/envd-reaper $(BUILD)/bin/envd-worker $(BUILD)/bin/envctl

.DEFAULT_GOAL := all
.PHONY: all help libraries
all: $(PROGRAMS) ## build envd, envd-reaper, envd-worker and envctl into build/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A missing library should read as a package to install, not as a compiler's complaint.
libraries:
	@ci/local/check-libraries $(LIBRARIES)

$(BUILD)/obj/%.o: %.c | libraries
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# The codes of problems, for the OpenAPI document: where they are set is their only list.
PROBLEM_CODES := $(BUILD)/generated/problem_codes.inc
$(BUILD)/obj/envd/wire/problem_schema.o: CFLAGS_ALL += -I$(dir $(PROBLEM_CODES))
$(BUILD)/obj/envd/wire/problem_schema.o: $(PROBLEM_CODES)
# envctl alone has envd/conformance: what it says is no problem of the API.
$(PROBLEM_CODES): $(filter-out envd/conformance/%,$(ENVD_SOURCES))
	@mkdir -p $(@D)
	@cat $^ | tr '\n\t' '  ' | \
		grep -oE '(error_set_as\([^;]*ERR_[A-Z]+, *|refuse\(strict, [0-9]+, *)"[a-z0-9_]+"' | \
		grep -oE '"[a-z0-9_]+"$$' | sort -u | sed 's/$$/,/' >$@

$(ENVD_LIBRARY): $(call object,$(ENVD_SOURCES))
$(CLI_LIBRARY): $(call object,$(CLI_SOURCES))
$(REAPER_LIBRARY): $(call object,$(REAPER_SOURCES))
$(SUPPORT_LIBRARY): $(call object,$(SUPPORT_SOURCES))
$(SIMULATION_LIBRARY): $(call object,$(SIMULATION_SOURCES))
%.a:
	@rm -f $@
	@ar rcsD $@ $^

$(BUILD)/bin/envd: $(call object,envd/main.c) $(ENVD_LIBRARY)
$(BUILD)/bin/envd-reaper: $(call object,reaper/main.c) $(REAPER_LIBRARY) $(ENVD_LIBRARY)
$(BUILD)/bin/envd-worker: $(call object,worker/main.c) $(ENVD_LIBRARY)
$(BUILD)/bin/envctl: $(call object,cli/main.c) $(CLI_LIBRARY) $(ENVD_LIBRARY)
$(PROGRAMS): $(FAIL_NTH)
$(PROGRAMS):
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) $(filter %.o,$^) $(filter %.a,$^) -Wl,--as-needed $(PKG_LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/obj/tests/support/filter.o $(SUPPORT_LIBRARY) $(CLI_LIBRARY) $(REAPER_LIBRARY) $(ENVD_LIBRARY)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		$(PKG_LIBS) -lcmocka -o $@

# The simulation runs the real decisions: the linker gives them another clock, other processes and
# another peer (tests/simulation/sim.h).
SIMULATED := clock_wall_ms clock_mono_ms clock_boot_ms clock_boot_id \
	loop_new loop_free loop_turn loop_turn_more loop_now_mono_ms loop_defer \
	timer_new timer_set_ms timer_stop timer_is_set timer_free \
	env_id_new job_id_new template_registry_find instance_record_keep lock_watch_busy \
	peer_take peer_see peer_free peer_is_running peer_is_responsive peer_end peer_wake \
	store_reserve_ensure store_begin store_commit store_environment_insert store_environment_move \
	jobs_new jobs_free job_folder_make job_launch job_adopt job_go job_cancel job_ask_stop \
	job_look folder_make job_runner_attend engine_question_ask image_sweep retention_run
SIMULATION_PROGRAMS := $(BUILD)/tests/simulation/main $(BUILD)/tests/unit/control/test_simulation \
	$(BUILD)/tests/failure/test_simulation_long
$(SIMULATION_PROGRAMS): LDFLAGS_ALL += $(SIMULATED:%=-Wl,--wrap=%)
$(SIMULATION_PROGRAMS): $(SIMULATION_LIBRARY)

.PHONY: simulate
simulate: $(BUILD)/tests/simulation/main ## decisions on virtual time, SCHEDULES=n of them, or SEED=n again
	@$<

# ---- setting up, trying out -------------------------------------------------------------------

.PHONY: setup demo install
setup: ## install the Debian packages that building and testing need
	@ci/local/packages build test runtime docker

demo: ## the main job on real containers, from nothing; KEEP=1 leaves it up
	@ci/local/packages build runtime
	@$(MAKE) --no-print-directory all
	@KEEP=$(KEEP) ci/local/demo

.PHONY: man
man: $(BUILD)/bin/envctl ## the manual pages of envctl, from its tables, into build/man
	$(Q)$(BUILD)/bin/envctl help --man $(BUILD)/man

SHARE = $(DESTDIR)$(PREFIX)/share

install: all man ## install into $(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/envd/templates
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	cp -R templates/mara-local $(DESTDIR)$(PREFIX)/share/envd/templates/
	cp -R templates/engines templates/prices $(SHARE)/envd/
	install -d $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
		$(SHARE)/zsh/vendor-completions $(SHARE)/fish/vendor_completions.d
	install -m 0644 $(BUILD)/man/*.1 $(SHARE)/man/man1/
	$(BUILD)/bin/envctl completion bash > $(SHARE)/bash-completion/completions/envctl
	$(BUILD)/bin/envctl completion zsh > $(SHARE)/zsh/vendor-completions/_envctl
	$(BUILD)/bin/envctl completion fish > $(SHARE)/fish/vendor_completions.d/envctl.fish

# ---- tests --------------------------------------------------------------------------------------

UNIT_PROGRAMS := $(call test_program,$(UNIT_TESTS))
SCENARIO_PROGRAMS := $(call test_program,$(SCENARIO_TESTS))
FAILURE_PROGRAMS := $(call test_program,$(FAILURE_TESTS))
RUN := ENVD_BIN=$(abspath $(BUILD))/bin tests/run

.PHONY: test test-unit test-scenario test-failure test-live test-ci test-corpus test-parts real-parts test-all test-slow chaos planted build-tests
build-tests: all $(BUILD)/tests/simulation/main $(UNIT_PROGRAMS) $(SCENARIO_PROGRAMS) $(FAILURE_PROGRAMS)

test: ## unit and scenario tests, on real runtimes; installs what it needs
	@ci/local/packages build test runtime docker
	@$(MAKE) --no-print-directory build-tests
	@$(RUN) $(UNIT_PROGRAMS) $(TEMPLATE_TESTS) $(SCENARIO_PROGRAMS)

test-unit: $(UNIT_PROGRAMS) all ## unit tests alone
	@$(RUN) $(UNIT_PROGRAMS)

test-scenario: $(SCENARIO_PROGRAMS) all ## scenario tests alone
	@$(RUN) $(SCENARIO_PROGRAMS)

test-failure: $(FAILURE_PROGRAMS) all ## failure tests alone: kill -9, full disks, lying engines, the real Pulumi
	@ci/local/real-parts python pulumi moto policy >/dev/null
	@$(RUN) --limit 900 $(FAILURE_PROGRAMS)

test-live: all ## every template built on a real runtime, its planted faults caught, then broken in every way
	@$(RUN) --limit 600 $(LIVE_TEMPLATE_TESTS)

test-ci: all ## what CI systems use, under ci/: run by their own tools on a real runtime
	@$(RUN) --limit 600 $(CI_TESTS)

test-corpus: all ## the Compose corpus alone: what runs by envd and by the real docker compose
	@ci/local/docker-compose >/dev/null
	@$(RUN) --limit 600 $(SLOW_TESTS)

real-parts: ## Pulumi, Kubernetes, helm into the cache: about 15 minutes once
	@ci/local/packages test
	@ci/local/real-parts all moto policy >/dev/null

test-parts: real-parts ## a miniature of MARA by the real Pulumi on a real Kubernetes API server
	@$(RUN) --limit 900 $(PARTS_TESTS)

# Costs money: for those with an account; no test runs it.
.PHONY: acceptance-cloud
acceptance-cloud: all ## MARA on a real cloud: make acceptance-cloud PROVIDER=aws|do|linode BUDGET=5 OPTIONS="--param fqdn=..."
	@PATH="$(CURDIR)/$(BUILD)/bin:$$PATH" ci/local/acceptance-cloud "$(PROVIDER)" "$(BUDGET)" $(OPTIONS)

test-all: ## everything: test, then test-slow
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-slow

# All of them, whatever one of them says: who reads the output wants to know everything that is wrong.
SLOW_SUITES := test-failure test-crashes test-live test-ci test-corpus test-parts fuzz-short schemathesis test-sanitized planted
test-slow: ## failure tests, crash matrix, live, CI, Compose corpus, real parts, fuzzing, schemathesis, sanitizers, planted bugs
	@ci/local/packages build test runtime docker lint
	@failed=; for suite in $(SLOW_SUITES); do \
		began=$$(date +%s); \
		$(MAKE) --no-print-directory $$suite || failed="$$failed $$suite"; \
		echo "== $$suite: $$(($$(date +%s) - began)) s"; \
	done; \
	if [ -n "$$failed" ]; then echo "== failed:$$failed"; exit 1; fi

.PHONY: test-crashes test-sanitized
test-crashes: ## a part of the crash matrix, and calls that fail
	@$(MAKE) --no-print-directory FAULTS=1 all
	@ENVD_CHAOS=quick $(RUN) --limit 480 tests/chaos/crash_matrix tests/chaos/nth_calls

test-sanitized: ## nearly all tests under ASan and UBSan
	@$(MAKE) --no-print-directory SANITIZE=1 sanitized

# Without the 20,000 schedules: those are about decisions, and 300 of them run here too. Of Pulumi's
# stories one: in the others the time is the CLI's, and what they have of our own is in unit tests. Without
# those that mostly wait for a runtime, and whose code others run too.
PULUMI_CLI_TESTS := $(filter-out %/test_pulumi_backends,$(foreach test,$(FAILURE_PROGRAMS),$(if $(findstring /test_pulumi,$(test)),$(test))))
WAITING_TESTS := $(addprefix %/,test_container_isolation test_container_crashes test_container_refusals \
	test_adapters test_kills test_evidence_trouble test_compose_effects test_resolver test_runtime_dies test_sweep)
.PHONY: sanitized
sanitized: build-tests
	@ci/local/real-parts python pulumi moto policy >/dev/null
	@$(RUN) --limit 900 $(UNIT_PROGRAMS) $(filter-out $(WAITING_TESTS),$(SCENARIO_PROGRAMS)) \
		$(filter-out %/test_simulation_long $(PULUMI_CLI_TESTS) $(WAITING_TESTS),$(FAILURE_PROGRAMS))

# Inputs that nobody thought of, against claims that must hold for all of them.
FUZZ_SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),60)
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
FUZZ_MAKE = $(MAKE) --no-print-directory BUILD=build/fuzzed CC=clang-19 HARDENING= OPTIMISE='-O1 -g' \
	SANITIZERS='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined'

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/http_oracle.o $(ENVD_LIBRARY)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer $^ $(PKG_LIBS) -o $@

.PHONY: fuzz fuzz-short fuzz-programs
fuzz-programs: $(FUZZ_PROGRAMS)

fuzz: ## parsers and the HTTP server against claims and an oracle, SECONDS=60 each
	@ci/local/packages build fuzz
	@$(FUZZ_MAKE) fuzz-programs
	@tests/fuzz/run --seconds $(FUZZ_SECONDS) $(addprefix build/fuzzed/fuzz/,$(FUZZ_TARGETS))

fuzz-short: ## the same, 20,000 runs each, always the same ones
	@ci/local/packages build fuzz
	@$(FUZZ_MAKE) fuzz-programs
	@tests/fuzz/run --runs 20000 $(addprefix build/fuzzed/fuzz/,$(FUZZ_TARGETS))

.PHONY: schemathesis
schemathesis: all ## the running envd against its OpenAPI document
	@ci/local/packages build test
	@$(RUN) --limit 300 tests/schemathesis/run

chaos: ## every fault point x action x story, then kill -9 at random on real containers
	@ci/local/packages build test runtime
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory FAULTS=1 all
	@socket=$$(ci/local/runtime --own "$${ENVD_TEST_WORK:-/tmp/envd-tests-$$(id -u)}/podman") && \
		tests/support/busybox-image "$$socket" >/dev/null 2>&1 && export ENVD_TEST_PODMAN=$$socket && \
		tests/chaos/crash_matrix && tests/chaos/nth_calls --each 40 && tests/chaos/random_kills
	@$(MAKE) --no-print-directory build/tests/failure/test_pulumi_kills
	@LIVES=25 ENVD_TEST_FILTER=whatever_moment_it_is_killed_at_the_world_is_right $(RUN) --limit 6000 \
		build/tests/failure/test_pulumi_kills

# The clients and the peers of the benchmarks; tests/bench/run drives them.
BENCH_TOOLS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(ENVD_LIBRARY)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) $^ $(PKG_LIBS) -o $@

# Whatever it costs to start it is not what is measured.
$(BUILD)/bench/idle_engine: tests/bench/idle_engine.c
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) -std=gnu17 -O2 -Wall -Wextra -Werror -static $< -o $@

.PHONY: bench bench-tools
bench-tools: $(BENCH_TOOLS)

bench: ## speed and size against named peers, into build/bench.json and docs/performance.md; PART=NAME for one
	@ci/local/packages build test runtime docker
	@$(MAKE) --no-print-directory all bench-tools
	@tests/bench/run $(PART)

planted: ## eighteen bugs, each planted in a copy, each caught by the test that should
	@tests/planted/run

# ---- looking at the code --------------------------------------------------------------------------

C_FILES = $(wildcard envd/*.[ch] envd/*/*.[ch] envd/*/*/*.[ch] cli/*.[ch] reaper/*.[ch] worker/*.c \
	tests/support/*.[ch] tests/simulation/*.[ch] tests/unit/*/*.c tests/scenario/*.c tests/failure/*.c \
	tests/fuzz/*.[ch])
SHELL_FILES = $(shell grep -lE '^\#!/bin/(ba)?sh' ci/local/* tests/fuzz/run tests/schemathesis/run tests/run tests/lint/* tests/ci/* tests/support/* \
	tests/planted/run tests/slow/* .ci/run \
	templates/engines/*/*-engine tests/fixtures/engines/*/*.sh 2>/dev/null)

.PHONY: lint longest format
lint: ## structure, format, two compilers' warnings, cppcheck, shellcheck
	@ci/local/packages build test lint
	@tests/lint/test-lint
	@tests/lint/layers
	@tests/lint/libraries
	@clang-format-19 --dry-run --Werror $(C_FILES)
	@shellcheck -x -e SC2016 $(SHELL_FILES)
	@$(MAKE) --no-print-directory BUILD=build/lint OPTIMISE=-O0 HARDENING= build-tests
	@test -z "$$(tests/lint/single-use build/lint/obj | tee /dev/stderr)"
	@$(MAKE) --no-print-directory BUILD=build/lint-clang CC=clang-19 OPTIMISE=-O0 HARDENING= all
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr \
		--library=tests/lint/cppcheck.cfg -Ienvd -I. envd cli reaper worker

format: ## let clang-format put every file into shape
	@clang-format-19 -i $(C_FILES)

longest: ## the five longest functions and files, to look at
	@ctags -x --c-kinds=f --fields=+ne -o - $(filter %.c,$(C_FILES)) --output-format=json 2>/dev/null | \
		python3 -c 'import json,sys; rows=[json.loads(l) for l in sys.stdin]; \
		[print("%5d  %s:%s" % (r["end"]-r["line"]+1, r["path"], r["name"])) for r in \
		sorted((r for r in rows if "end" in r), key=lambda r: r["line"]-r["end"])[:5]]'
	@wc -l $(filter %.c,$(C_FILES)) | sort -rn | sed -n '2,6p'

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.SECONDARY:
