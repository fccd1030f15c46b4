/*
 * The keys of a service, one by one: what each is read as, and what is wrong with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "compose/compose.h"

static struct compose_file *file;

static int release(void **unused)
{
	(void)unused;
	compose_free(file);
	file = NULL;
	return 0;
}

/* One service "a" with the image x and these lines; what else the file needs is there. */
static char *text_of(const char *lines)
{
	return xasprintf("services:\n  a:\n    image: x\n    %s\n"
			 "networks: { front: , back: { internal: true } }\nvolumes: { data: }\n"
			 "configs: { c: { content: fine } }\n"
			 "secrets: { s: { file: ./s.txt }, t: { environment: TOKEN } }\n",
			 lines);
}

static const struct compose_service *service(const char *lines)
{
	AUTO(free) char *text = text_of(lines);
	AUTO(json_decref) json_t *variables = json_pack("{s:s}", "TOKEN", "the value");
	struct error err;

	release(NULL);
	if (!compose_parse(text, strlen(text), "f", variables, &file, &err))
		fail_msg("%s: %s", lines, err.message);
	return &file->services[0];
}

static void assert_words(const struct compose_strings *strings, const char *expected)
{
	AUTO(free)
	char *joined =
	    strings->count ? text_join((const char *const *)strings->items, " ") : xstrdup("");

	assert_string_equal(joined, expected);
}

/* ---- powers ---- */

static void powers_are_given_and_taken(void **unused)
{
	const struct compose_powers *powers =
	    &service("cap_add: [NET_ADMIN, SYS_TIME, NET_ADMIN]\n    cap_drop: [ALL]\n"
		     "    read_only: true\n    privileged: true\n    group_add: [audio, '1000']")
		 ->powers;

	(void)unused;
	assert_words(&powers->cap_add.texts, "NET_ADMIN SYS_TIME");
	assert_words(&powers->cap_drop.texts, "ALL");
	assert_words(&powers->group_add.texts, "audio 1000");
	assert_true(powers->is_read_only);
	assert_true(powers->is_privileged);
	assert_int_equal(powers->privileged_at.line, 7);
}

static void devices_have_a_short_and_a_long_notation(void **unused)
{
	const struct compose_powers *powers =
	    &service("devices: [/dev/fuse, '/dev/sda:/dev/xvda:r', { source: /dev/null, target: "
		     "/dev/n, "
		     "permissions: rw }]")
		 ->powers;

	(void)unused;
	assert_int_equal(powers->device_count, 3);
	assert_string_equal(powers->devices[0].target, "/dev/fuse");
	assert_string_equal(powers->devices[0].permissions, "rwm");
	assert_string_equal(powers->devices[1].target, "/dev/xvda");
	assert_string_equal(powers->devices[1].permissions, "r");
	assert_string_equal(powers->devices[2].target, "/dev/n");
}

static void sysctls_are_a_map_or_a_list(void **unused)
{
	static const char *const lines[] = { "sysctls: { net.core.somaxconn: 1024 }",
					     "sysctls: ['net.core.somaxconn=1024']" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct compose_pairs *sysctls = &service(lines[i])->powers.sysctls;

		assert_int_equal(sysctls->count, 1);
		assert_string_equal(sysctls->items[0].name, "net.core.somaxconn");
		assert_string_equal(sysctls->items[0].value, "1024");
	}
}

/* ---- names ---- */

static void names_and_who_resolves_them_are_read(void **unused)
{
	const struct compose_naming *naming =
	    &service("hostname: db-1\n    domainname: example.test\n    dns: 10.0.0.1\n"
		     "    dns_search: [a.test, b.test]\n    dns_opt: ['ndots:2']")
		 ->naming;

	(void)unused;
	assert_string_equal(naming->hostname, "db-1");
	assert_string_equal(naming->domainname, "example.test");
	assert_words(&naming->dns.texts, "10.0.0.1");
	assert_words(&naming->dns_search.texts, "a.test b.test");
	assert_words(&naming->dns_opt.texts, "ndots:2");
}

static void extra_hosts_have_three_notations(void **unused)
{
	static const char *const lines[] = {
		"extra_hosts: ['a:10.0.0.1', 'b:::1']",
		"extra_hosts: ['a=10.0.0.1', 'b=[::1]']",
		"extra_hosts: { a: 10.0.0.1, b: ['[::1]'] }",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_words(&service(lines[i])->naming.extra_hosts.texts, "a:10.0.0.1 b:::1");
	assert_words(&service("extra_hosts: ['h=host-gateway']")->naming.extra_hosts.texts,
		     "h:host-gateway");
}

/* ---- the process ---- */

static void the_process_gets_its_signals_and_limits(void **unused)
{
	const struct compose_process *process =
	    &service("init: true\n    stop_signal: SIGINT\n    stop_grace_period: 1m\n"
		     "    shm_size: 64m\n    attach: false\n"
		     "    ulimits: { nproc: 100, nofile: { soft: 10, hard: 20 } }")
		 ->process;

	(void)unused;
	assert_true(process->has_init);
	assert_string_equal(process->stop_signal, "SIGINT");
	assert_int_equal(process->stop_grace_ms, 60000);
	assert_int_equal(process->shm_bytes, 64 << 20);
	assert_int_equal(process->ulimit_count, 2);
	assert_string_equal(process->ulimits[0].name, "nproc");
	assert_int_equal(process->ulimits[0].soft, 100);
	assert_int_equal(process->ulimits[0].hard, 100);
	assert_int_equal(process->ulimits[1].soft, 10);
	assert_int_equal(process->ulimits[1].hard, 20);
}

static void output_is_kept_where_it_can_be_read(void **unused)
{
	const struct compose_process *process =
	    &service("logging: { driver: local, options: { max-size: 1m, max-file: 2 } }")->process;

	(void)unused;
	assert_string_equal(process->log_driver, "local");
	assert_int_equal(process->log_options.count, 2);
	assert_string_equal(process->log_options.items[1].value, "2");
}

/* ---- ports, mounts, secrets ---- */

static void ranges_of_ports_are_ports_side_by_side(void **unused)
{
	const struct compose_ports *ports =
	    &service("ports: ['3000-3002', '127.0.0.1:9000-9001:80-81/udp', { target: 5000-5001, "
		     "published: '6000-6001', mode: host, name: web, app_protocol: http }]")
		 ->ports;

	(void)unused;
	assert_int_equal(ports->count, 7);
	assert_int_equal(ports->items[2].container_port, 3002);
	assert_int_equal(ports->items[2].host_port, 0);
	assert_int_equal(ports->items[4].container_port, 81);
	assert_int_equal(ports->items[4].host_port, 9001);
	assert_string_equal(ports->items[4].host_address, "127.0.0.1");
	assert_string_equal(ports->items[4].protocol, "udp");
	assert_int_equal(ports->items[6].container_port, 5001);
	assert_int_equal(ports->items[6].host_port, 6001);
	assert_int_equal(service("expose: ['80-82', 90]")->expose.count, 4);
}

static void mounts_take_their_options(void **unused)
{
	const struct compose_mounts *mounts =
	    &service(
		 "volumes: ['./a:/a:ro,z', 'data:/b:nocopy', { type: bind, source: ./c, target: "
		 "/c, "
		 "bind: { create_host_path: false, selinux: Z } }, { type: volume, target: /d, "
		 "volume: { nocopy: true } }, { type: tmpfs, target: /e, tmpfs: { size: 1m, mode: "
		 "0700 } }]\n    tmpfs: ['/f:size=2m,noexec,uid=5', /g]")
		 ->mounts;

	(void)unused;
	assert_int_equal(mounts->count, 7);
	assert_true(mounts->items[0].is_read_only);
	assert_string_equal(mounts->items[0].relabel, "z");
	assert_true(mounts->items[1].is_nocopy);
	assert_string_equal(mounts->items[2].relabel, "Z");
	assert_int_equal(mounts->items[3].kind, COMPOSE_MOUNT_ANONYMOUS);
	assert_true(mounts->items[3].is_nocopy);
	assert_int_equal(mounts->items[4].tmpfs_mode, 0700);
	assert_int_equal(mounts->items[5].tmpfs_bytes, 2 << 20);
	assert_string_equal(mounts->items[5].tmpfs_options, ",noexec,uid=5");
}

static void secrets_are_files_in_their_folder(void **unused)
{
	const struct compose_config_uses *uses =
	    &service("secrets: [s, { source: t, target: token, mode: 0400, uid: '7', gid: 8 }, "
		     "{ source: t, target: /etc/t }]")
		 ->secrets;

	(void)unused;
	assert_int_equal(uses->count, 3);
	assert_string_equal(uses->items[0].target, "/run/secrets/s");
	assert_int_equal(uses->items[0].mode, 0444);
	assert_string_equal(uses->items[1].target, "/run/secrets/token");
	assert_int_equal(uses->items[1].mode, 0400);
	assert_int_equal(uses->items[1].uid, 7);
	assert_string_equal(uses->items[2].target, "/etc/t");
	assert_string_equal(compose_config_find(&file->secrets, "s")->file, "./s.txt");
	assert_string_equal(compose_config_find(&file->secrets, "t")->variable, "TOKEN");
	assert_string_equal(compose_config_find(&file->secrets, "t")->value, "the value");
}

static void networks_may_be_internal_and_have_aliases(void **unused)
{
	const struct compose_attachments *networks =
	    &service("networks: { front: { aliases: [www, web] }, back: }")->networks;

	(void)unused;
	assert_int_equal(networks->count, 2);
	assert_words(&networks->items[0].aliases, "www web");
	assert_false(file->networks.items[0].is_internal);
	assert_true(file->networks.items[1].is_internal);
}

static void a_dependency_may_say_what_a_restart_would_do(void **unused)
{
	AUTO(free)
	char *text =
	    xstrdup("services:\n  a: { image: x, depends_on: { b: { condition: "
		    "service_started, restart: true, required: false } } }\n  b: { image: y }\n");
	struct error err;

	(void)unused;
	assert_true(compose_parse(text, strlen(text), "f", NULL, &file, &err));
	assert_false(file->services[0].needs.items[0].is_required);
}

/* ---- what is wrong ---- */

static void what_is_wrong_has_its_place(void **unused)
{
	static const struct {
		const char *lines;
		const char *message; /* after f:LINE: */
	} cases[] = {
		{ "cap_add: NET_ADMIN",
		  "4:14: service \"a\": \"cap_add\" must be a list (got a value)" },
		{ "cap_add: ['net-admin']",
		  "4:14: service \"a\": \"cap_add\": \"net-admin\" is no "
		  "capability (expected ALL or a name such as NET_ADMIN)" },
		{ "cap_drop: [1]",
		  "4:15: service \"a\": \"cap_drop\": \"1\" is no capability (expected "
		  "ALL or a name such as NET_ADMIN)" },
		{ "privileged: maybe",
		  "4:17: service \"a\": \"privileged\" must be true or false (got \"maybe\")" },
		{ "read_only: 1",
		  "4:16: service \"a\": \"read_only\" must be true or false (got \"1\")" },
		{ "devices: /dev/fuse",
		  "4:14: service \"a\": \"devices\" must be a list (got a value)" },
		{ "devices: [fuse]", "4:15: service \"a\": \"devices\" must be absolute paths and "
				     "permissions of r, w and m, "
				     "such as /dev/fuse:/dev/fuse:rwm" },
		{ "devices: [{ target: /x }]",
		  "4:15: service \"a\": \"devices.source\" is missing" },
		{ "sysctls: [a=1, a=2]", "4:20: service \"a\": \"sysctls\": \"a\" is there twice" },
		{ "group_add: 5",
		  "4:16: service \"a\": \"group_add\" must be a list (got a value)" },
		{ "hostname: a b", "4:15: service \"a\": \"hostname\": \"a b\" is no host name" },
		{ "domainname: -x", "4:17: service \"a\": \"domainname\": \"-x\" is no host name" },
		{ "dns: example.test",
		  "4:10: service \"a\": \"dns\": \"example.test\" is no IP address" },
		{ "dns_search: { a: b }",
		  "4:17: service \"a\": \"dns_search\" must be a list (got a map)" },
		{ "dns_opt: x", "4:14: service \"a\": \"dns_opt\" must be a list (got a value)" },
		{ "extra_hosts: [a]",
		  "4:19: service \"a\": \"extra_hosts\": \"a\" must be HOST=ADDRESS" },
		{ "extra_hosts: [a=b]", "4:19: service \"a\": \"extra_hosts\": \"a:b\" must be "
					"HOST=ADDRESS with an IP address or host-gateway" },
		{ "init: x", "4:11: service \"a\": \"init\" must be true or false (got \"x\")" },
		{ "stop_signal: 'kill me'",
		  "4:18: service \"a\": \"stop_signal\" must be a signal, such "
		  "as SIGTERM or 15 (got \"kill me\")" },
		{ "stop_grace_period: 2m",
		  "4:24: service \"a\": \"stop_grace_period\" must be at most 60 s" },
		{ "shm_size: much",
		  "4:15: service \"a\": \"shm_size\" must be a size, such as 64m or 1g "
		  "(got \"much\")" },
		{ "ulimits: { nofiles: 1 }",
		  "4:16: service \"a\": \"ulimits\": \"nofiles\" is not known" },
		{ "ulimits: { nofile: { soft: 1 } }",
		  "4:24: service \"a\": \"ulimits.nofile\" needs both soft and hard" },
		{ "ulimits: { nofile: { soft: 3, hard: 2 } }",
		  "4:24: service \"a\": \"ulimits.nofile\": soft must not be above hard" },
		{ "ulimits: [nofile=1]",
		  "4:14: service \"a\": \"ulimits\" must be a map (got a list)" },
		{ "attach: 5",
		  "4:13: service \"a\": \"attach\" must be true or false (got \"5\")" },
		{ "ports: ['8000-8001:80']",
		  "4:13: service \"a\": \"ports\": 2 host ports for 1 ports of the container" },
		{ "ports: ['90-80']",
		  "4:13: service \"a\": port \"90-80\" is no range of at most 200 ports" },
		{ "ports: ['80-81', 81]", "4:22: service \"a\": port 81/tcp is there twice" },
		{ "ports: [{ target: 80, mode: swarm }]",
		  "4:33: service \"a\": \"ports.mode\" must be host or ingress (got \"swarm\")" },
		{ "networks: [back]\n    ports: [80]", "5:13: service \"a\": \"ports\" cannot be "
						       "published: all its networks are internal" },
		{ "secrets: [gone]", "4:15: service \"a\": secret \"gone\" is not in the file" },
		{ "secrets: [s, { source: t, target: s }]",
		  "4:18: service \"a\": \"secrets\": there is something at \"/run/secrets/s\" "
		  "already" },
		{ "secrets: [{ source: s, mode: 999 }]",
		  "4:34: service \"a\": \"mode\" must be octal, such as 0444 (got \"999\")" },
		{ "profiles: dev",
		  "4:15: service \"a\": \"profiles\" must be a list (got a value)" },
		{ "depends_on: { b: { restart: 1 } }",
		  "4:33: service \"a\": \"restart\" must be true or false (got \"1\")" },
		{ "volumes: [{ type: volume, target: /d, bind: { selinux: z } }]",
		  "4:49: service \"a\": \"volumes.bind\" is for the type bind" },
		{ "volumes: [{ type: bind, source: ./d, target: /d, volume: { nocopy: true } }]",
		  "4:62: service \"a\": \"volumes.volume\" is for the type volume" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *text = text_of(cases[i].lines);
		AUTO(free) char *message = xasprintf("f:%s", cases[i].message);
		struct error err;

		if (compose_parse(text, strlen(text), "f", NULL, &file, &err))
			fail_msg("accepted: %s", cases[i].lines);
		assert_string_equal(err.message, message);
		assert_string_equal(err.slug, "compose_invalid");
	}
}

static void what_is_not_supported_has_its_place_and_a_hint(void **unused)
{
	static const struct {
		const char *lines;
		const char *message;
		const char *hint;
	} cases[] = {
		{ "logging: { driver: syslog }",
		  "f:4:24: service \"a\": \"logging.driver\": \"syslog\" is not supported "
		  "(expected "
		  "json-file or local)",
		  "" },
		{ "logging: { options: { tag: x } }",
		  "f:4:27: service \"a\": \"logging.options.tag\" is not supported", "" },
		{ "annotations: { a: b }", "f:4:5: service \"a\": \"annotations\" is not supported",
		  "use \"labels\": runtimes of today take no annotations by this way" },
		{ "ulimit: 5", "f:4:5: service \"a\": \"ulimit\" is not supported",
		  "did you mean \"ulimits\"?" },
		{ "evn_file: x", "f:4:5: service \"a\": \"evn_file\" is not supported",
		  "did you mean \"env_file\"?" },
		{ "volumes: ['./a:/a:nocopy']",
		  "f:4:15: service \"a\": volume option \"nocopy\" is not supported (expected ro, "
		  "rw, z "
		  "or Z)",
		  "" },
		{ "tmpfs: '/a:huge=always'",
		  "f:4:12: service \"a\": tmpfs option \"huge=always\" is not supported (expected "
		  "size=, "
		  "mode=, uid=, gid=, ro, noexec, nosuid, nodev and the like)",
		  "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *text = text_of(cases[i].lines);
		struct error err = { 0 };

		assert_false(compose_parse(text, strlen(text), "f", NULL, &file, &err));
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.hint, cases[i].hint);
		assert_string_equal(err.slug, "compose_unsupported");
	}
}

static void a_secret_or_config_has_one_source(void **unused)
{
	static const struct {
		const char *yaml;
		const char *message;
	} cases[] = {
		{ "secrets: { s: { content: x } }",
		  "f:2:17: \"secrets.content\" is not supported" },
		{ "secrets: { s: { file: a, environment: B } }",
		  "f:2:15: secret \"s\" needs one of \"file\" and \"environment\"" },
		{ "secrets: { s: {} }",
		  "f:2:15: secret \"s\" needs one of \"file\" and \"environment\"" },
		{ "configs: { c: { file: a, content: b } }",
		  "f:2:15: config \"c\" needs one of \"file\", \"content\" and \"environment\"" },
		{ "secrets: { s: { external: true } }",
		  "f:2:17: \"secrets.external\" is not supported" },
		{ "networks: { n: { internal: 5 } }",
		  "f:2:28: \"networks.internal\" must be true or false (got \"5\")" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *text = xasprintf("services: { a: { image: x } }\n%s\n", cases[i].yaml);
		struct error err;

		assert_false(compose_parse(text, strlen(text), "f", NULL, &file, &err));
		assert_string_equal(err.message, cases[i].message);
	}
}

#define TEST(story) cmocka_unit_test_teardown(story, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(powers_are_given_and_taken),
		TEST(devices_have_a_short_and_a_long_notation),
		TEST(sysctls_are_a_map_or_a_list),
		TEST(names_and_who_resolves_them_are_read),
		TEST(extra_hosts_have_three_notations),
		TEST(the_process_gets_its_signals_and_limits),
		TEST(output_is_kept_where_it_can_be_read),
		TEST(ranges_of_ports_are_ports_side_by_side),
		TEST(mounts_take_their_options),
		TEST(secrets_are_files_in_their_folder),
		TEST(networks_may_be_internal_and_have_aliases),
		TEST(a_dependency_may_say_what_a_restart_would_do),
		TEST(what_is_wrong_has_its_place),
		TEST(what_is_not_supported_has_its_place_and_a_hint),
		TEST(a_secret_or_config_has_one_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
