# envd: `make help` lists everything.
#
# One non-recursive Makefile: a new .c file in a known folder is picked up by itself.

CC ?= gcc
BUILD ?= build
PREFIX ?= /usr/local
VERSION := 0.1.0

LIBRARIES := libevent libevent_openssl libcurl jansson sqlite3 libgit2 uuid yaml-0.1 libssl libcrypto
PKG_CFLAGS = $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)

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
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
CFLAGS_ALL = -std=gnu17 -D_GNU_SOURCE -DENVD_VERSION='"$(VERSION)"' -Ienvd -I. $(WARNINGS) \
	$(HARDENING) $(OPTIMISE) $(SANITIZERS) $(PKG_CFLAGS) $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANITIZERS) $(LDFLAGS)

# ---- what is made of what -------------------------------------------------------------------

ENVD_SOURCES := $(filter-out envd/main.c,$(wildcard envd/*/*.c envd/*/*/*.c))
CLI_SOURCES := $(filter-out cli/main.c,$(wildcard cli/*.c))
REAPER_SOURCES := $(filter-out reaper/main.c,$(wildcard reaper/*.c))
SUPPORT_SOURCES := $(wildcard tests/support/*.c)
UNIT_TESTS := $(wildcard tests/unit/*/test_*.c)
SCENARIO_TESTS := $(wildcard tests/scenario/test_*.c)
FAILURE_TESTS := $(wildcard tests/failure/test_*.c)

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
test_program = $(patsubst tests/%.c,$(BUILD)/tests/%,$(1))

ENVD_LIBRARY := $(BUILD)/libenvd.a
CLI_LIBRARY := $(BUILD)/libenvctl.a
REAPER_LIBRARY := $(BUILD)/libreaper.a
SUPPORT_LIBRARY := $(BUILD)/libsupport.a
PROGRAMS := $(BUILD)/bin/envd $(BUILD)/bin/envd-reaper $(BUILD)/bin/envctl

.DEFAULT_GOAL := all
.PHONY: all help libraries
all: $(PROGRAMS) ## build envd, envd-reaper and envctl into build/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A missing library should read as a package to install, not as a compiler's complaint.
libraries:
	@ci/local/check-libraries $(LIBRARIES)

$(BUILD)/obj/%.o: %.c | libraries
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(ENVD_LIBRARY): $(call object,$(ENVD_SOURCES))
$(CLI_LIBRARY): $(call object,$(CLI_SOURCES))
$(REAPER_LIBRARY): $(call object,$(REAPER_SOURCES))
$(SUPPORT_LIBRARY): $(call object,$(SUPPORT_SOURCES))
%.a:
	@rm -f $@
	ar rcsD $@ $^

$(BUILD)/bin/envd: $(call object,envd/main.c) $(ENVD_LIBRARY)
$(BUILD)/bin/envd-reaper: $(call object,reaper/main.c) $(REAPER_LIBRARY) $(ENVD_LIBRARY)
$(BUILD)/bin/envctl: $(call object,cli/main.c) $(CLI_LIBRARY) $(ENVD_LIBRARY)
$(PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) $^ $(PKG_LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(SUPPORT_LIBRARY) $(CLI_LIBRARY) $(REAPER_LIBRARY) $(ENVD_LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) $^ $(PKG_LIBS) -lcmocka -o $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.SECONDARY:
