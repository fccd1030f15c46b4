#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "compose/compose.h"

static struct compose_file *parse_with(const char *yaml, const json_t *variables)
{
	struct compose_file *file = NULL;
	struct error err;

	if (!compose_parse(yaml, strlen(yaml), "compose.yaml", variables, &file, &err))
		fail_msg("%s: %s", err.slug, err.message);
	return file;
}

static struct compose_file *parse(const char *yaml)
{
	return parse_with(yaml, NULL);
}

/* The whole message, and the slug. */
static void assert_refused(const char *yaml, const char *slug, const char *message)
{
	struct compose_file *file = NULL;
	struct error err;

	if (compose_parse(yaml, strlen(yaml), "compose.yaml", NULL, &file, &err)) {
		compose_free(file);
		fail_msg("accepted: %s", yaml);
	}
	assert_null(file);
	assert_string_equal(err.message, message);
	assert_string_equal(err.slug, slug);
	assert_int_equal(err.code, ERR_INVALID);
}

/* ---- what is read -------------------------------------------------------------------------- */

static void a_file_with_one_image_has_one_service_on_the_default_network(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file = parse("services:\n  web:\n    image: busybox\n");
	const struct compose_service *web = &file->services[0];

	(void)unused;
	assert_int_equal(file->service_count, 1);
	assert_string_equal(web->name, "web");
	assert_string_equal(web->image, "busybox");
	assert_int_equal(web->at.line, 2);
	assert_int_equal(web->at.column, 3);
	assert_int_equal(web->networks.count, 1);
	assert_string_equal(web->networks.items[0].network, "default");
	assert_int_equal(file->networks.count, 1);
	assert_string_equal(file->networks.items[0].name, "default");
	assert_false(web->command.is_set);
	assert_int_equal(web->health.kind, COMPOSE_HEALTH_OF_IMAGE);
	assert_int_equal(web->restart, COMPOSE_RESTART_NO);
}

static void keys_beginning_with_x_and_version_are_ignored(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("version: '3.9'\nname: demo\nx-top: { a: [1, 2] }\nservices:\n"
		  "  x-anchor: { privileged: true }\n"
		  "  web: { image: busybox, x-mine: 1, healthcheck: { x-y: 2, disable: true } }\n");

	(void)unused;
	assert_int_equal(file->service_count, 1);
	assert_string_equal(file->name, "demo");
	assert_int_equal(file->services[0].health.kind, COMPOSE_HEALTH_NONE);
}

static void anchors_and_merge_keys_are_followed(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("x-base: &base { image: busybox, user: '1000', restart: always }\n"
		  "services:\n  a: { <<: *base, user: '2000' }\n  b: *base\n");

	(void)unused;
	assert_string_equal(file->services[0].user, "2000");
	assert_string_equal(file->services[1].user, "1000");
	assert_int_equal(file->services[0].restart, COMPOSE_RESTART_ALWAYS);
}

static void a_command_in_a_string_is_split_as_a_shell_would(void **unused)
{
	static const struct {
		const char *yaml;
		const char *words; /* joined by | */
	} cases[] = {
		{ "echo hello world", "echo|hello|world" },
		{ "'sh -c \"echo  a b\"'", "sh|-c|echo  a b" },
		{ "\"sh -c 'a \\\"b\\\"'\"", "sh|-c|a \"b\"" },
		{ "a\\ b c", "a b|c" },
		{ "\"a'b c'd \\\"\\\"\"", "ab cd|" },
		{ "|\n      one\n      two", "one|two" },
		{ "[sh, -c, 'a b']", "sh|-c|a b" },
		{ "[]", "" },
		{ "\"\"", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *yaml =
		    xasprintf("services:\n  a:\n    image: x\n    command: %s\n", cases[i].yaml);
		AUTO(compose_free) struct compose_file *file = parse(yaml);
		const struct compose_command *command = &file->services[0].command;
		AUTO(free)
		char *words = command->argv.count
				  ? text_join((const char *const *)command->argv.items, "|")
				  : xstrdup("");

		assert_true(command->is_set);
		assert_string_equal(words, cases[i].words);
	}
}

static void variables_come_as_a_map_or_as_a_list(void **unused)
{
	static const char *const files[] = {
		"services:\n  a:\n    image: x\n    environment: { A: one, B: 1.20, C: true, D: "
		"'', GIVEN: , GONE: }\n",
		"services:\n  a:\n    image: x\n    environment: [A=one, B=1.20, C=true, D=, "
		"GIVEN, GONE]\n",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO(json_decref) json_t *variables = json_pack("{s:s}", "GIVEN", "from outside");
		AUTO(compose_free) struct compose_file *file = parse_with(files[i], variables);
		const struct compose_pairs *pairs = &file->services[0].variables;

		assert_int_equal(pairs->count, 5);
		assert_string_equal(pairs->items[0].name, "A");
		assert_string_equal(pairs->items[0].value, "one");
		assert_string_equal(pairs->items[1].value, "1.20");
		assert_string_equal(pairs->items[2].value, "true");
		assert_string_equal(pairs->items[3].value, "");
		assert_string_equal(pairs->items[4].name, "GIVEN");
		assert_string_equal(pairs->items[4].value, "from outside");
	}
}

static void ports_are_read_in_every_form(void **unused)
{
	static const struct {
		const char *yaml;
		const char *address;
		int host, container;
		const char *protocol;
	} cases[] = {
		{ "80", NULL, 0, 80, "tcp" },
		{ "\"8080:80\"", NULL, 8080, 80, "tcp" },
		{ "\"0:80\"", NULL, 0, 80, "tcp" },
		{ "\":80\"", NULL, 0, 80, "tcp" },
		{ "\"127.0.0.1::80\"", "127.0.0.1", 0, 80, "tcp" },
		{ "\"127.0.0.1:81:80/udp\"", "127.0.0.1", 81, 80, "udp" },
		{ "\"[::1]:81:80\"", "::1", 81, 80, "tcp" },
		{ "\"53/UDP\"", NULL, 0, 53, "udp" },
		{ "{ target: 80 }", NULL, 0, 80, "tcp" },
		{ "{ target: 80, published: '8080', host_ip: 10.0.0.1, protocol: udp }", "10.0.0.1",
		  8080, 80, "udp" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *yaml = xasprintf("services: { a: { image: x, ports: [%s] } }", cases[i].yaml);
		AUTO(compose_free) struct compose_file *file = parse(yaml);
		const struct compose_port *port = &file->services[0].ports.items[0];

		assert_true(text_equal(port->host_address, cases[i].address));
		assert_int_equal(port->host_port, cases[i].host);
		assert_int_equal(port->container_port, cases[i].container);
		assert_string_equal(port->protocol, cases[i].protocol);
	}
}

static void dependencies_come_as_a_list_or_with_conditions(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file = parse(
	    "services:\n"
	    "  a: { image: x, depends_on: [b, c] }\n"
	    "  b: { image: x, depends_on: { c: { condition: service_healthy }, d: { condition: "
	    "service_completed_successfully, required: false } } }\n"
	    "  c: { image: x, depends_on: { d: } }\n"
	    "  d: { image: x }\n");
	const struct compose_dependencies *b = &file->services[1].needs;

	(void)unused;
	assert_int_equal(file->services[0].needs.count, 2);
	assert_int_equal(file->services[0].needs.items[1].condition, COMPOSE_STARTED);
	assert_true(file->services[0].needs.items[1].is_required);
	assert_string_equal(b->items[0].service, "c");
	assert_int_equal(b->items[0].condition, COMPOSE_HEALTHY);
	assert_int_equal(b->items[1].condition, COMPOSE_COMPLETED);
	assert_false(b->items[1].is_required);
	assert_int_equal(file->services[2].needs.items[0].condition, COMPOSE_STARTED);
}

static void health_checks_are_read_in_every_form(void **unused)
{
	static const struct {
		const char *test;
		enum compose_health_kind kind;
		const char *words;
	} cases[] = {
		{ "[CMD, wget, -q, x]", COMPOSE_HEALTH_EXEC, "wget|-q|x" },
		{ "[CMD-SHELL, 'a && b']", COMPOSE_HEALTH_SHELL, "a && b" },
		{ "a || b", COMPOSE_HEALTH_SHELL, "a || b" },
		{ "[NONE]", COMPOSE_HEALTH_NONE, "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *yaml =
		    xasprintf("services:\n  a:\n    image: x\n    healthcheck:\n      test: %s\n"
			      "      interval: 1s\n      timeout: 500ms\n      start_period: "
			      "1m30s\n      retries: 7\n",
			      cases[i].test);
		AUTO(compose_free) struct compose_file *file = parse(yaml);
		const struct compose_health *health = &file->services[0].health;
		AUTO(free)
		char *words = health->test.count
				  ? text_join((const char *const *)health->test.items, "|")
				  : xstrdup("");

		assert_int_equal(health->kind, cases[i].kind);
		assert_string_equal(words, cases[i].words);
		assert_int_equal(health->interval_ms, 1000);
		assert_int_equal(health->timeout_ms, 500);
		assert_int_equal(health->start_period_ms, 90000);
		assert_int_equal(health->start_interval_ms, 5000);
		assert_int_equal(health->retries, 7);
	}
}

static void a_disabled_health_check_has_no_test(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("services: { a: { image: x, healthcheck: { test: [CMD, x], disable: true } } }");

	(void)unused;
	assert_int_equal(file->services[0].health.kind, COMPOSE_HEALTH_NONE);
	assert_int_equal(file->services[0].health.test.count, 0);
}

static void networks_come_as_a_list_or_with_aliases(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("services:\n  a: { image: x, networks: [front, back] }\n"
		  "  b: { image: x, networks: { back: { aliases: [db, sql] }, front: } }\n"
		  "networks: { front: { driver: bridge }, back: }\n");
	const struct compose_attachment *back = &file->services[1].networks.items[0];

	(void)unused;
	assert_int_equal(file->services[0].networks.count, 2);
	assert_string_equal(file->services[0].networks.items[1].network, "back");
	assert_int_equal(back->aliases.count, 2);
	assert_string_equal(back->aliases.items[1], "sql");
	assert_int_equal(file->networks.count, 2);
}

static void mounts_are_read_in_every_form(void **unused)
{
	static const struct {
		const char *yaml;
		enum compose_mount_kind kind;
		const char *source, *target;
		bool is_read_only;
		int64_t bytes;
	} cases[] = {
		{ "data:/data", COMPOSE_MOUNT_VOLUME, "data", "/data", false, 0 },
		{ "data:/data:ro", COMPOSE_MOUNT_VOLUME, "data", "/data", true, 0 },
		{ "data:/data:rw", COMPOSE_MOUNT_VOLUME, "data", "/data", false, 0 },
		{ "/data", COMPOSE_MOUNT_ANONYMOUS, NULL, "/data", false, 0 },
		{ "./conf:/conf:ro", COMPOSE_MOUNT_BIND, "./conf", "/conf", true, 0 },
		{ "../conf:/conf", COMPOSE_MOUNT_BIND, "../conf", "/conf", false, 0 },
		{ "/etc:/conf", COMPOSE_MOUNT_BIND, "/etc", "/conf", false, 0 },
		{ "~/x:/conf", COMPOSE_MOUNT_BIND, "~/x", "/conf", false, 0 },
		{ "{ type: volume, source: data, target: /d, read_only: true }",
		  COMPOSE_MOUNT_VOLUME, "data", "/d", true, 0 },
		{ "{ type: volume, target: /d }", COMPOSE_MOUNT_ANONYMOUS, NULL, "/d", false, 0 },
		{ "{ type: bind, source: conf, target: /d }", COMPOSE_MOUNT_BIND, "conf", "/d",
		  false, 0 },
		{ "{ type: tmpfs, target: /d, tmpfs: { size: 64m, mode: 0755 } }",
		  COMPOSE_MOUNT_TMPFS, NULL, "/d", false, 67108864 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *yaml = xasprintf(
		    "services:\n  a:\n    image: x\n    volumes:\n    - %s\nvolumes: { data: }\n",
		    cases[i].yaml);
		AUTO(compose_free) struct compose_file *file = parse(yaml);
		const struct compose_mount *mount = &file->services[0].mounts.items[0];

		assert_int_equal(mount->kind, cases[i].kind);
		assert_true(text_equal(mount->source, cases[i].source));
		assert_string_equal(mount->target, cases[i].target);
		assert_int_equal(mount->is_read_only, cases[i].is_read_only);
		assert_int_equal(mount->tmpfs_bytes, cases[i].bytes);
		assert_int_equal(mount->at.line, 5);
	}
}

static void tmpfs_is_one_mount_or_several(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("services:\n  a: { image: x, tmpfs: /run }\n"
		  "  b: { image: x, tmpfs: ['/run', '/data:size=1g,mode=1777'] }\n");
	const struct compose_mounts *mounts = &file->services[1].mounts;

	(void)unused;
	assert_string_equal(file->services[0].mounts.items[0].target, "/run");
	assert_int_equal(mounts->count, 2);
	assert_int_equal(mounts->items[1].kind, COMPOSE_MOUNT_TMPFS);
	assert_int_equal(mounts->items[1].tmpfs_bytes, 1073741824);
	assert_int_equal(mounts->items[1].tmpfs_mode, 01777);
}

static void configs_come_from_files_or_from_the_file_itself(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file = parse(
	    "services:\n  a:\n    image: x\n    configs:\n      - nginx\n"
	    "      - { source: inline, target: /etc/x, mode: 0440, uid: '5', gid: 6 }\n"
	    "configs:\n  nginx: { file: ./nginx.conf }\n  inline: { content: \"cost $$5\\n\" }\n");
	const struct compose_config_uses *uses = &file->services[0].configs;

	(void)unused;
	assert_string_equal(uses->items[0].target, "/nginx");
	assert_int_equal(uses->items[0].mode, 0444);
	assert_string_equal(uses->items[1].target, "/etc/x");
	assert_int_equal(uses->items[1].mode, 0440);
	assert_int_equal(uses->items[1].uid, 5);
	assert_int_equal(uses->items[1].gid, 6);
	assert_string_equal(compose_config_find(&file->configs, "nginx")->file, "./nginx.conf");
	assert_string_equal(compose_config_find(&file->configs, "inline")->content, "cost $5\n");
	assert_null(compose_config_find(&file->configs, "other"));
}

static void limits_are_the_same_in_either_notation(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file =
	    parse("services:\n  a: { image: x, mem_limit: 64m, cpus: 0.25, pids_limit: 50 }\n"
		  "  b: { image: x, deploy: { resources: { limits: { memory: 64MiB, cpus: '0.25', "
		  "pids: 50 } } } }\n"
		  "  c: { image: x, mem_limit: 1.5gb, cpus: 2, pids_limit: -1 }\n"
		  "  d: { image: x, mem_limit: 100000000 }\n");

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(file->services[i].limits.memory_bytes, 67108864);
		assert_int_equal(file->services[i].limits.nano_cpus, 250000000);
		assert_int_equal(file->services[i].limits.pids, 50);
	}
	assert_int_equal(file->services[2].limits.memory_bytes, 1610612736);
	assert_int_equal(file->services[2].limits.nano_cpus, 2000000000);
	assert_int_equal(file->services[2].limits.pids, 0);
	assert_int_equal(file->services[3].limits.memory_bytes, 100000000);
}

static void restart_policies_are_read(void **unused)
{
	AUTO(compose_free)
	struct compose_file *file = parse(
	    "services:\n  a: { image: x, restart: no }\n  b: { image: x, restart: 'unless-stopped' "
	    "}\n"
	    "  c: { image: x, restart: 'on-failure:3' }\n  d: { image: x, restart: on-failure }\n");

	(void)unused;
	assert_int_equal(file->services[0].restart, COMPOSE_RESTART_NO);
	assert_int_equal(file->services[1].restart, COMPOSE_RESTART_UNLESS_STOPPED);
	assert_int_equal(file->services[2].restart, COMPOSE_RESTART_ON_FAILURE);
	assert_int_equal(file->services[2].restart_retries, 3);
	assert_int_equal(file->services[3].restart_retries, 0);
}

static void variables_reach_every_kind_of_value(void **unused)
{
	AUTO(json_decref)
	json_t *variables = json_pack("{s:s, s:s, s:s, s:s}", "IMAGE", "web:1", "PORT", "8080",
				      "MEMORY", "32m", "TIME", "3s");
	AUTO(compose_free)
	struct compose_file *file = parse_with(
	    "services:\n  a:\n    image: ${IMAGE}\n    ports: ['${PORT}:${INSIDE:-80}']\n"
	    "    mem_limit: ${MEMORY}\n    healthcheck: { test: [CMD, '$TIME'], interval: $TIME }\n"
	    "configs: { c: { content: '${UNUSED-none}' } }\n",
	    variables);
	AUTO(free) char *used = text_join((const char *const *)file->variables_used.items, " ");

	(void)unused;
	assert_string_equal(file->services[0].image, "web:1");
	assert_int_equal(file->services[0].ports.items[0].host_port, 8080);
	assert_int_equal(file->services[0].ports.items[0].container_port, 80);
	assert_int_equal(file->services[0].limits.memory_bytes, 33554432);
	assert_int_equal(file->services[0].health.interval_ms, 3000);
	assert_string_equal(used, "IMAGE INSIDE MEMORY PORT TIME UNUSED");
}

/* ---- what is refused ----------------------------------------------------------------------- */

static void every_key_that_would_weaken_isolation_is_refused_by_name(void **unused)
{
	static const char *const keys[] = { "network_mode",
					    "pid",
					    "ipc",
					    "userns_mode",
					    "security_opt",
					    "container_name",
					    "cgroup_parent",
					    "device_cgroup_rules",
					    "volumes_from",
					    "links",
					    "external_links",
					    "uts",
					    "runtime",
					    "cgroup",
					    "use_api_socket",
					    "provider",
					    "gpus",
					    "oom_kill_disable",
					    "storage_opt" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		AUTO(free)
		char *yaml =
		    xasprintf("services:\n  web:\n    image: x\n    %s: [host]\n", keys[i]);
		AUTO(free)
		char *message = xasprintf(
		    "compose.yaml:4:5: service \"web\": \"%s\" is not supported", keys[i]);

		assert_refused(yaml, "compose_unsupported", message);
	}
}

static void a_refused_key_is_refused_whatever_its_value(void **unused)
{
	static const char *const values[] = { "false", "null", "''", "[]", "{}", "${A:-}" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		AUTO(free)
		char *yaml =
		    xasprintf("services:\n  web:\n    image: x\n    network_mode: %s\n", values[i]);

		assert_refused(
		    yaml, "compose_unsupported",
		    "compose.yaml:4:5: service \"web\": \"network_mode\" is not supported");
	}
}

static void a_refused_key_cannot_hide_behind_a_merge(void **unused)
{
	(void)unused;
	assert_refused(
	    "x-base: &base\n  network_mode: host\nservices:\n  web:\n    <<: *base\n    image: x\n",
	    "compose_unsupported",
	    "compose.yaml:2:3: service \"web\": \"network_mode\" is not supported");
}

static void unsupported_keys_anywhere_name_their_place(void **unused)
{
	static const struct {
		const char *yaml;
		const char *message;
	} cases[] = {
		{ "include: [other.yaml]\nservices: { a: { image: x } }\n",
		  "compose.yaml:1:11: \"include\": another file cannot be read from here" },
		{ "services: { a: { image: x, env_file: other } }\n",
		  "compose.yaml:1:38: service \"a\": \"env_file\": another file cannot be read "
		  "from here" },
		{ "services: { a: { image: x } }\nnetworks: { n: { external: true } }\n",
		  "compose.yaml:2:18: \"networks.external\" is not supported" },
		{ "services: { a: { image: x } }\nnetworks: { n: { driver: host } }\n",
		  "compose.yaml:2:26: \"networks.driver\": \"host\" is not supported (expected "
		  "bridge)" },
		{ "services: { a: { image: x } }\nnetworks: { n: { name: bridge } }\n",
		  "compose.yaml:2:18: \"networks.name\" is not supported" },
		{ "services: { a: { image: x } }\nvolumes: { v: { driver_opts: { device: / } } }\n",
		  "compose.yaml:2:17: \"volumes.driver_opts\" is not supported" },
		{ "services: { a: { image: x } }\nvolumes: { v: { external: true } }\n",
		  "compose.yaml:2:17: \"volumes.external\" is not supported" },
		{ "services: { a: { image: x, deploy: { replicas: 3 } } }\n",
		  "compose.yaml:1:38: service \"a\": \"deploy.replicas\" is not supported" },
		{ "services: { a: { image: x, deploy: { resources: { reservations: {} } } } }\n",
		  "compose.yaml:1:51: service \"a\": \"deploy.resources.reservations\" is not "
		  "supported" },
		{ "services: { a: { image: x, networks: { default: { ipv4_address: 10.0.0.1 } } } "
		  "}\n",
		  "compose.yaml:1:51: service \"a\": \"networks.ipv4_address\" is not supported" },
		{ "services: { a: { image: x, ports: ['80/sctp'] } }\n",
		  "compose.yaml:1:36: service \"a\": protocol \"sctp\" is not supported" },
		{ "services: { a: { image: x, volumes: ['./a:/a:U'] } }\n",
		  "compose.yaml:1:38: service \"a\": volume option \"U\" is not supported "
		  "(expected ro, rw, z or Z)" },
		{ "services: { a: { image: x, volumes: [{ type: npipe, target: /a }] } }\n",
		  "compose.yaml:1:46: service \"a\": volume type \"npipe\" is not supported "
		  "(expected volume, bind "
		  "or tmpfs)" },
		{ "services: { a: { image: x, volumes: [{ type: bind, source: a, target: /a, bind: "
		  "{ propagation: shared } }] } }\n",
		  "compose.yaml:1:83: service \"a\": \"volumes.bind.propagation\" is not "
		  "supported" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, "compose_unsupported", cases[i].message);
}

static void wrong_values_are_refused_with_their_place(void **unused)
{
	static const struct {
		const char *yaml;
		const char *message;
	} cases[] = {
		{ "", "compose.yaml:1:1: a Compose file must be a map (got nothing)" },
		{ "[]", "compose.yaml:1:1: a Compose file must be a map (got a list)" },
		{ "services:\n", "compose.yaml:1:1: there are no services" },
		{ "services: []\n", "compose.yaml:1:11: \"services\" must be a map (got a list)" },
		{ "services:\n  a:\n",
		  "compose.yaml:2:5: service \"a\": must be a map (got nothing)" },
		{ "services: { a: {} }", "compose.yaml:1:13: service \"a\": \"image\" is missing" },
		{ "services: { a: { image: } }",
		  "compose.yaml:1:13: service \"a\": \"image\" is missing" },
		{ "services: { a: { image: 'a b' } }",
		  "compose.yaml:1:25: service \"a\": \"image\": \"a b\" is no image's name" },
		{ "services: { a: { image: -x } }",
		  "compose.yaml:1:25: service \"a\": \"image\": \"-x\" is no image's name" },
		{ "services: { 'a/b': { image: x } }",
		  "compose.yaml:1:13: service name \"a/b\" must be 1 to 63 letters, digits, \".\", "
		  "\"_\" and \"-\"" },
		{ "services: { a: { image: x, command: \"'a\" } }",
		  "compose.yaml:1:37: service \"a\": \"command\" has a quote that is never "
		  "closed" },
		{ "services: { a: { image: x, ports: [0] } }",
		  "compose.yaml:1:36: service \"a\": port \"0\" is not a port number" },
		{ "services: { a: { image: x, ports: ['80:65536'] } }",
		  "compose.yaml:1:36: service \"a\": port \"65536\" is not a port number" },
		{ "services: { a: { image: x, ports: ['host:1:80'] } }",
		  "compose.yaml:1:36: service \"a\": port \"host\" has no IP address in front" },
		{ "services: { a: { image: x, ports: [80, '80'] } }",
		  "compose.yaml:1:40: service \"a\": port 80/tcp is there twice" },
		{ "services: { a: { image: x, expose: ['1:2'] } }",
		  "compose.yaml:1:37: service \"a\": port \"1:2\" is exposed, not published: write "
		  "only its number" },
		{ "services: { a: { image: x, environment: [A=1, A=2] } }",
		  "compose.yaml:1:47: service \"a\": \"environment\": \"A\" is there twice" },
		{ "services: { a: { image: x, environment: [=1] } }",
		  "compose.yaml:1:42: service \"a\": \"environment\": \"\" is no name" },
		{ "services: { a: { image: x, environment: { A: [] } } }",
		  "compose.yaml:1:46: service \"a\": \"A\" must be text (got a list)" },
		{ "services: { a: { image: x, labels: { envd-environment: x } } }",
		  "compose.yaml:1:36: service \"a\": label \"envd-environment\": envd-... is "
		  "reserved" },
		{ "services: { a: { image: x, depends_on: { b: { condition: ready } } } }",
		  "compose.yaml:1:58: service \"a\": condition \"ready\" is not known (expected "
		  "service_started, "
		  "service_healthy or service_completed_successfully)" },
		{ "services: { a: { image: x, depends_on: [b, b] }, b: { image: x } }",
		  "compose.yaml:1:40: service \"a\": \"depends_on\": \"b\" is there twice" },
		{ "services: { a: { image: x, healthcheck: { test: [wget] } } }",
		  "compose.yaml:1:49: service \"a\": \"healthcheck.test\" must be [NONE], [CMD, "
		  "program, ...], "
		  "[CMD-SHELL, command] or text" },
		{ "services: { a: { image: x, healthcheck: { interval: 0s } } }",
		  "compose.yaml:1:53: service \"a\": \"healthcheck.interval\" must be from 1ms to "
		  "24h" },
		{ "services: { a: { image: x, healthcheck: { retries: 0 } } }",
		  "compose.yaml:1:52: service \"a\": \"healthcheck.retries\" must be a whole "
		  "number from 1 to 1000 "
		  "(got \"0\")" },
		{ "services: { a: { image: x, healthcheck: { disable: maybe } } }",
		  "compose.yaml:1:52: service \"a\": \"healthcheck.disable\" must be true or false "
		  "(got \"maybe\")" },
		{ "services: { a: { image: x, volumes: ['a:b:ro:x'] } }",
		  "compose.yaml:1:38: service \"a\": \"volumes\": more than SOURCE:TARGET:ACCESS" },
		{ "services: { a: { image: x, volumes: ['data:relative'] } }",
		  "compose.yaml:1:38: service \"a\": \"volumes\": \"relative\" is not an absolute "
		  "path in the container" },
		{ "services: { a: { image: x, volumes: [':/x'] } }",
		  "compose.yaml:1:38: service \"a\": \"volumes\": nothing before the first \":\"" },
		{ "services: { a: { image: x, volumes: [/a, ./b:/a] } }",
		  "compose.yaml:1:42: service \"a\": \"volumes\": something else is mounted at "
		  "\"/a\" already" },
		{ "services: { a: { image: x, volumes: [{ type: bind, source: './a:/etc', target: "
		  "/x }] } }",
		  "compose.yaml:1:38: service \"a\": \"volumes\": a source cannot have \":\" in "
		  "it" },
		{ "services: { a: { image: x, volumes: [{ type: bind, source: a, target: '/x:/y' "
		  "}] } }",
		  "compose.yaml:1:38: service \"a\": \"volumes\": \"/x:/y\" is not an absolute "
		  "path in the container" },
		{ "services: { a: { image: x, mem_limit: lots } }",
		  "compose.yaml:1:39: service \"a\": \"memory\" must be a size, such as 64m or 1g "
		  "(got \"lots\")" },
		{ "services: { a: { image: x, mem_limit: 99999999999g } }",
		  "compose.yaml:1:39: service \"a\": \"memory\" must be a size, such as 64m or 1g "
		  "(got \"99999999999g\")" },
		{ "services: { a: { image: x, cpus: -1 } }",
		  "compose.yaml:1:34: service \"a\": \"cpus\" must be a number of processors, such "
		  "as 0.5 (got \"-1\")" },
		{ "services: { a: { image: x, mem_limit: 1m, deploy: { resources: { limits: { "
		  "memory: 1m } } } } }",
		  "compose.yaml:1:39: service \"a\": \"memory\": this limit is there twice" },
		{ "services: { a: { image: x, restart: sometimes } }",
		  "compose.yaml:1:37: service \"a\": \"restart\" must be no, always, "
		  "unless-stopped, on-failure or "
		  "on-failure:N (got \"sometimes\")" },
		{ "services: { a: { image: x, working_dir: here } }",
		  "compose.yaml:1:41: service \"a\": \"working_dir\" must be an absolute path" },
		{ "services: { a: { image: x, user: 'a b' } }",
		  "compose.yaml:1:34: service \"a\": \"user\": \"a b\" is no user" },
		/* A message is one line, whatever it quotes. */
		{ "services: { a: { image: x, user: \"a\\nb\\e[31m\" } }",
		  "compose.yaml:1:34: service \"a\": \"user\": \"a?b?[31m\" is no user" },
		{ "services: { a: { image: x } }\nconfigs: { c: {} }",
		  "compose.yaml:2:15: config \"c\" needs one of \"file\", \"content\" and "
		  "\"environment\"" },
		{ "services: { a: { image: x } }\nconfigs: { c: { file: a, content: b } }",
		  "compose.yaml:2:15: config \"c\" needs one of \"file\", \"content\" and "
		  "\"environment\"" },
		{ "services: { a: { image: x, configs: [{ source: c, mode: rw }] } }\nconfigs: { "
		  "c: { file: a } }",
		  "compose.yaml:1:57: service \"a\": \"mode\" must be octal, such as 0444 (got "
		  "\"rw\")" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, "compose_invalid", cases[i].message);
}

static void references_to_what_is_not_there_are_refused(void **unused)
{
	static const struct {
		const char *yaml;
		const char *message;
	} cases[] = {
		{ "services:\n  a:\n    image: x\n    depends_on: [b]\n",
		  "compose.yaml:4:18: service \"a\": service \"b\" is not in the file" },
		{ "services:\n  a:\n    image: x\n    networks: [n]\n",
		  "compose.yaml:4:16: service \"a\": network \"n\" is not in the file" },
		{ "services:\n  a:\n    image: x\n    volumes: ['v:/v']\n",
		  "compose.yaml:4:15: service \"a\": volume \"v\" is not in the file" },
		{ "services:\n  a:\n    image: x\n    configs: [c]\n",
		  "compose.yaml:4:15: service \"a\": config \"c\" is not in the file" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, "compose_invalid", cases[i].message);
}

static void a_circle_of_dependencies_is_named(void **unused)
{
	(void)unused;
	assert_refused(
	    "services:\n  z: { image: x, depends_on: [a] }\n  a: { image: x, depends_on: [b] }\n"
	    "  b: { image: x, depends_on: [c] }\n  c: { image: x, depends_on: [a] }\n",
	    "compose_cycle", "compose.yaml:5:31: \"depends_on\" goes in a circle: a → b → c → a");
	assert_refused("services:\n  a: { image: x, depends_on: [a] }\n", "compose_cycle",
		       "compose.yaml:2:31: \"depends_on\" goes in a circle: a → a");
}

static void malformed_yaml_names_its_place(void **unused)
{
	(void)unused;
	assert_refused("services:\n  a:\n    image: [x\n", "yaml_malformed",
		       "compose.yaml:4:1: did not find expected ',' or ']' (while parsing a flow "
		       "sequence that began "
		       "at line 3)");
	assert_refused("services:\n  a: { image: x }\n  a: { image: y }\n", "yaml_malformed",
		       "compose.yaml:3:3: key \"a\" is there twice (first at line 2)");
}

static void a_variable_without_value_or_default_is_refused(void **unused)
{
	(void)unused;
	assert_refused("services:\n  a:\n    image: ${IMAGE}\n", "compose_variable",
		       "compose.yaml:3:12: service \"a\": \"image\": variable \"IMAGE\" is not set "
		       "and has no default");
	assert_refused(
	    "services:\n  a:\n    image: ${IMAGE:?which one}\n", "compose_variable",
	    "compose.yaml:3:12: service \"a\": \"image\": variable \"IMAGE\": which one");
}

static void typing_mistakes_are_answered_with_the_right_key(void **unused)
{
	static const char yaml[] = "services: { a: { image: x, enviroment: {} } }";
	struct compose_file *file;
	struct error err;

	(void)unused;
	assert_false(compose_parse(yaml, strlen(yaml), "compose.yaml", NULL, &file, &err));
	assert_string_equal(err.hint, "did you mean \"environment\"?");
}

static void what_a_file_can_grow_to_is_bounded(void **unused)
{
	AUTO(free) char *long_value = xcalloc(4097, 1);
	AUTO(json_decref) json_t *variables = json_object();
	AUTO(text_release) struct text many = TEXT_EMPTY, expanding = TEXT_EMPTY;
	struct compose_file *file;
	struct error err;

	(void)unused;
	text_add(&many, "services:\n");
	for (int i = 0; i <= COMPOSE_SERVICES_MAX; i++)
		text_format(&many, "  s%d: { image: x }\n", i);
	assert_false(
	    compose_parse(text_get(&many), many.length, "compose.yaml", NULL, &file, &err));
	assert_string_equal(err.message, "compose.yaml:2:3: \"services\": more than 100");

	memset(long_value, 'x', 4096);
	json_object_set_new(variables, "A", json_string(long_value));
	text_add(&expanding, "services: { a: { image: x, command: [");
	for (int i = 0; i < 900; i++)
		text_add(&expanding, "\"$A$A$A\",");
	text_add(&expanding, "] } }");
	assert_false(compose_parse(text_get(&expanding), expanding.length, "compose.yaml",
				   variables, &file, &err));
	assert_non_null(strstr(err.message, "too much text once variables are filled in"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_with_one_image_has_one_service_on_the_default_network),
		cmocka_unit_test(keys_beginning_with_x_and_version_are_ignored),
		cmocka_unit_test(anchors_and_merge_keys_are_followed),
		cmocka_unit_test(a_command_in_a_string_is_split_as_a_shell_would),
		cmocka_unit_test(variables_come_as_a_map_or_as_a_list),
		cmocka_unit_test(ports_are_read_in_every_form),
		cmocka_unit_test(dependencies_come_as_a_list_or_with_conditions),
		cmocka_unit_test(health_checks_are_read_in_every_form),
		cmocka_unit_test(a_disabled_health_check_has_no_test),
		cmocka_unit_test(networks_come_as_a_list_or_with_aliases),
		cmocka_unit_test(mounts_are_read_in_every_form),
		cmocka_unit_test(tmpfs_is_one_mount_or_several),
		cmocka_unit_test(configs_come_from_files_or_from_the_file_itself),
		cmocka_unit_test(limits_are_the_same_in_either_notation),
		cmocka_unit_test(restart_policies_are_read),
		cmocka_unit_test(variables_reach_every_kind_of_value),
		cmocka_unit_test(every_key_that_would_weaken_isolation_is_refused_by_name),
		cmocka_unit_test(a_refused_key_is_refused_whatever_its_value),
		cmocka_unit_test(a_refused_key_cannot_hide_behind_a_merge),
		cmocka_unit_test(unsupported_keys_anywhere_name_their_place),
		cmocka_unit_test(wrong_values_are_refused_with_their_place),
		cmocka_unit_test(references_to_what_is_not_there_are_refused),
		cmocka_unit_test(a_circle_of_dependencies_is_named),
		cmocka_unit_test(malformed_yaml_names_its_place),
		cmocka_unit_test(a_variable_without_value_or_default_is_refused),
		cmocka_unit_test(typing_mistakes_are_answered_with_the_right_key),
		cmocka_unit_test(what_a_file_can_grow_to_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
