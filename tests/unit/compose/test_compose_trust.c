#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "compose/compose_trust.h"

/*
 * A template's folder with conf/site.conf, `link` to /etc, and beside it `outside` with a socket in
 *it: FOLDER/template/{conf/site.conf,link}  FOLDER/outside/{api,docker.sock}
 */
static char folder[] = "/tmp/test-compose-trust-XXXXXX";
static char template_folder[sizeof(folder) + 16];

static void make_socket(const char *name)
{
	AUTO(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%.40s/outside/%s", folder, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int make_folder(void **unused)
{
	AUTO(free) char *conf = NULL;
	AUTO(free) char *outside = NULL;
	AUTO(free) char *file = NULL;
	AUTO(free) char *link = NULL;
	struct error err;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	snprintf(template_folder, sizeof(template_folder), "%s/template", folder);
	conf = xasprintf("%s/conf", template_folder);
	outside = xasprintf("%s/outside", folder);
	file = xasprintf("%s/site.conf", conf);
	link = xasprintf("%s/link", template_folder);
	assert_true(folder_make(conf, 0700, &err) && folder_make(outside, 0700, &err));
	assert_true(file_write_atomically(file, "x", 1, 0600, &err));
	assert_int_equal(symlink("/etc", link), 0);
	make_socket("api");
	make_socket("docker.sock");
	return 0;
}

static int remove_folder(void **unused)
{
	struct error err;

	(void)unused;
	return folder_remove(folder, &err) ? 0 : -1;
}

static struct compose_file *parse(const char *yaml)
{
	struct compose_file *file;
	struct error err;

	if (!compose_parse(yaml, strlen(yaml), "compose.yaml", NULL, &file, &err))
		fail_msg("%s", err.message);
	return file;
}

static void assert_allowed(const char *yaml, bool is_trusted)
{
	AUTO(compose_free) struct compose_file *file = parse(yaml);
	struct error err;

	if (!compose_check_trust(file, is_trusted, template_folder, &err))
		fail_msg("%s", err.message);
}

static void assert_denied(const char *yaml, bool is_trusted, const char *slug, const char *message)
{
	AUTO(compose_free) struct compose_file *file = parse(yaml);
	struct error err;

	if (compose_check_trust(file, is_trusted, template_folder, &err))
		fail_msg("allowed: %s", yaml);
	assert_string_equal(err.message, message);
	assert_string_equal(err.slug, slug);
	assert_int_equal(err.code, ERR_DENIED);
}

/* `line` stands below "image", so at line 4. */
static char *service_with(const char *line)
{
	return xasprintf(
	    "services:\n  web:\n    image: x\n    %s\nconfigs: { c: { content: fine } }\n", line);
}

static void bind_mounts_out_of_the_folder_need_trust(void **unused)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "volumes: [\"/etc:/x:ro\"]", "compose.yaml:4:15: service \"web\": \"volumes\": "
					       "bind mount of \"/etc\", which is an absolute "
					       "path, needs a trusted template" },
		{ "volumes: [\"../outside/x:/x:ro\"]",
		  "compose.yaml:4:15: service \"web\": \"volumes\": bind mount of "
		  "\"../outside/x\", which has "
		  "\"..\" in it, needs a trusted template" },
		{ "volumes: [\"./conf/../../outside/x:/x:ro\"]",
		  "compose.yaml:4:15: service \"web\": \"volumes\": bind mount of "
		  "\"./conf/../../outside/x\", which "
		  "has \"..\" in it, needs a trusted template" },
		{ "volumes: [\"~/.ssh:/x:ro\"]", "compose.yaml:4:15: service \"web\": \"volumes\": "
						 "bind mount of \"~/.ssh\", which is in "
						 "somebody's home, needs a trusted template" },
		{ "volumes: [\"./link:/x:ro\"]", "compose.yaml:4:15: service \"web\": \"volumes\": "
						 "bind mount of \"./link\", which is or passes a "
						 "link, needs a trusted template" },
		{ "volumes: [\"./link/ssl:/x:ro\"]",
		  "compose.yaml:4:15: service \"web\": \"volumes\": bind mount of \"./link/ssl\", "
		  "which is or passes "
		  "a link, needs a trusted template" },
		{ "volumes: [{ type: bind, source: /etc, target: /x, read_only: true }]",
		  "compose.yaml:4:15: service \"web\": \"volumes\": bind mount of \"/etc\", which "
		  "is an absolute "
		  "path, needs a trusted template" },
		{ "volumes: [\"./conf:/x\"]", "compose.yaml:4:15: service \"web\": \"volumes\": "
					      "bind mount of \"./conf\" must be read-only (:ro) "
					      "unless the template is trusted" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = service_with(cases[i].line);

		assert_denied(yaml, false, "template_not_trusted", cases[i].message);
		assert_allowed(yaml, true);
	}
}

static void what_stays_inside_needs_no_trust(void **unused)
{
	static const char *const lines[] = {
		"volumes: [\"./conf:/x:ro\"]",
		"volumes: [\"./conf/site.conf:/x:ro\"]",
		"volumes: [\"./not..there:/x:ro\"]",
		"volumes: [/data, \"v:/v\"]",
		"ports: [\"127.0.0.1::80\", \"[::1]::81\", \"8080:82\"]",
		"environment: { URL: http://10.0.0.1/ }",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		AUTO(free) char *yaml = service_with(lines[i]);
		AUTO(free) char *with_volume = xasprintf("%svolumes: { v: }\n", yaml);

		assert_allowed(with_volume, false);
	}
}

static void nobody_gets_the_runtime_s_socket(void **unused)
{
	static const char *const sources[] = {
		"/var/run/docker.sock",
		"/run/docker.sock",
		"/run/podman/podman.sock",
		"/run/podman",
		"/run",
		"/var/run",
		"/",
		"/var",
		"/run/user/1000/podman/podman.sock",
		"/run/user/1000",
		"/run/containerd/containerd.sock",
		"/home/x/.docker/desktop/docker.sock",
		"~/docker-cli.sock.raw",
		"../outside",
		"../outside/api",
		"../outside/docker.sock",
		"/proc",
		"/proc/1/root",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		AUTO(free) char *line = xasprintf("volumes: [\"%s:/x:ro\"]", sources[i]);
		AUTO(free) char *yaml = service_with(line);
		AUTO(free)
		char *message = xasprintf("compose.yaml:4:15: service \"web\": \"volumes\": a bind "
					  "mount of \"%s\" would reach the "
					  "container runtime or other processes of the host",
					  sources[i]);

		assert_denied(yaml, true, "runtime_socket", message);
		assert_denied(yaml, false, "runtime_socket", message);
	}
}

static void the_metadata_address_needs_trust_wherever_it_stands(void **unused)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "environment: { A: x, URL: \"http://169.254.169.254/latest\" }",
		  "compose.yaml:4:26: service \"web\": \"environment.URL\" names 169.254.169.254, "
		  "a cloud's metadata "
		  "address, which needs a trusted template" },
		{ "environment: [\"URL=http://[FD00:EC2::254]/\"]",
		  "compose.yaml:4:19: service \"web\": \"environment.URL\" names fd00:ec2::254, a "
		  "cloud's metadata "
		  "address, which needs a trusted template" },
		{ "command: [curl, 169.254.169.254]",
		  "compose.yaml:4:14: service \"web\": \"command\" names 169.254.169.254, a "
		  "cloud's metadata "
		  "address, which needs a trusted template" },
		{ "entrypoint: curl http://metadata.google.internal/",
		  "compose.yaml:4:17: service \"web\": \"entrypoint\" names "
		  "metadata.google.internal, a cloud's "
		  "metadata address, which needs a trusted template" },
		{ "healthcheck: { test: curl 2852039166 }",
		  "compose.yaml:4:18: service \"web\": \"healthcheck.test\" names 2852039166, a "
		  "cloud's metadata "
		  "address, which needs a trusted template" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = service_with(cases[i].line);

		assert_denied(yaml, false, "template_not_trusted", cases[i].message);
		assert_allowed(yaml, true);
	}
	assert_denied(
	    "services: { a: { image: x } }\nconfigs:\n  c: { content: 'host: 169.254.169.254' }\n",
	    false, "template_not_trusted",
	    "compose.yaml:3:6: config \"c\": \"content\" names 169.254.169.254, a cloud's metadata "
	    "address, "
	    "which needs a trusted template");
}

static void files_of_configs_stay_inside_without_trust(void **unused)
{
	static const struct {
		const char *file;
		const char *why;
	} cases[] = {
		{ "/etc/shadow", "is an absolute path" },
		{ "../outside/x", "has \"..\" in it" },
		{ "link/passwd", "is or passes a link" },
		{ "~/x", "is in somebody's home" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *yaml =
		    xasprintf("services: { a: { image: x } }\nconfigs:\n  c: { file: \"%s\" }\n",
			      cases[i].file);
		AUTO(free)
		char *message = xasprintf("compose.yaml:3:6: config \"c\": \"file\" \"%s\", which "
					  "%s, needs a trusted template",
					  cases[i].file, cases[i].why);

		assert_denied(yaml, false, "template_not_trusted", message);
		assert_allowed(yaml, true);
	}
	assert_allowed("services: { a: { image: x } }\nconfigs:\n  c: { file: ./conf/site.conf }\n",
		       false);
}

/* Also a secret's, which is only a file to begin with. */
static void files_of_secrets_stay_inside_without_trust(void **unused)
{
	const char *yaml = "services: { a: { image: x } }\nsecrets:\n  s: { file: /etc/shadow }\n";

	(void)unused;
	assert_denied(
	    yaml, false, "template_not_trusted",
	    "compose.yaml:3:6: secret \"s\": \"file\" \"/etc/shadow\", which is an absolute "
	    "path, needs a trusted template");
	assert_allowed(yaml, true);
	assert_allowed(
	    "services: { a: { image: x } }\nsecrets: { s: { file: ./conf/site.conf } }\n", false);
}

static void powers_and_names_that_reach_out_need_trust(void **unused)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "privileged: true",
		  "4:17: service \"web\": \"privileged\" needs a trusted template" },
		{ "cap_add: [SYS_ADMIN]",
		  "4:14: service \"web\": \"cap_add\" needs a trusted template" },
		{ "devices: [/dev/kvm]",
		  "4:15: service \"web\": \"devices\" needs a trusted template" },
		{ "sysctls: { kernel.shmmax: 1 }",
		  "4:14: service \"web\": \"sysctls\" needs a trusted template" },
		{ "group_add: [disk]",
		  "4:16: service \"web\": \"group_add\" needs a trusted template" },
		{ "extra_hosts: ['m=169.254.169.254']", "4:18: service \"web\": \"extra_hosts\" "
							"names 169.254.169.254, a cloud's metadata "
							"address, which needs a trusted template" },
		{ "extra_hosts: { m: 'fd00:ec2::254' }",
		  "4:18: service \"web\": \"extra_hosts\" names fd00:ec2::254, a cloud's metadata "
		  "address, which needs a trusted template" },
		{ "extra_hosts: ['h:host-gateway']", "4:18: service \"web\": \"extra_hosts\": "
						     "host-gateway is the machine itself, which "
						     "needs a trusted template" },
		{ "dns: 169.254.169.254", "4:10: service \"web\": \"dns\" names 169.254.169.254, a "
					  "cloud's metadata address, "
					  "which needs a trusted template" },
		{ "dns_search: [metadata.google.internal]",
		  "4:17: service \"web\": \"dns_search\" names metadata.google.internal, a cloud's "
		  "metadata address, which needs a trusted template" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *yaml = service_with(cases[i].line);
		AUTO(free) char *message = xasprintf("compose.yaml:%s", cases[i].message);

		assert_denied(yaml, false, "template_not_trusted", message);
		assert_allowed(yaml, true);
	}
}

static void giving_powers_up_needs_no_trust(void **unused)
{
	static const char *const lines[] = {
		"privileged: false",       "cap_drop: [ALL]",
		"read_only: true",         "init: true",
		"ulimits: { nofile: 10 }", "hostname: h",
		"dns: 10.0.0.1",           "extra_hosts: ['a=10.0.0.1']",
		"stop_signal: SIGINT",     "tmpfs: /t:noexec",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		AUTO(free) char *yaml = service_with(lines[i]);

		assert_allowed(yaml, false);
	}
}

static void host_addresses_other_than_loopback_need_trust(void **unused)
{
	AUTO(free) char *yaml = service_with("ports: [\"0.0.0.0:8080:80\"]");

	(void)unused;
	assert_denied(yaml, false, "template_not_trusted",
		      "compose.yaml:4:13: service \"web\": \"ports\": host address 0.0.0.0 needs a "
		      "trusted template");
	assert_allowed(yaml, true);
}

static void a_path_is_resolved_inside_the_folder_or_named_with_its_place(void **unused)
{
	AUTO(compose_free) struct compose_file *file = parse("services: { a: { image: x } }");
	AUTO(free) char *expected = xasprintf("%s/conf/site.conf", template_folder);
	AUTO(free) char *resolved = NULL;
	char *none = NULL;
	struct error err;

	(void)unused;
	assert_true(compose_path_resolve(file, (struct compose_place){ .line = 3, .column = 5 },
					 template_folder, "./conf/site.conf", &resolved, &err));
	assert_string_equal(resolved, expected);
	assert_false(compose_path_resolve(file, (struct compose_place){ .line = 3, .column = 5 },
					  template_folder, "./conf/none", &none, &err));
	assert_string_equal(
	    err.message,
	    "compose.yaml:3:5: \"./conf/none\" cannot be found: No such file or directory");
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bind_mounts_out_of_the_folder_need_trust),
		cmocka_unit_test(what_stays_inside_needs_no_trust),
		cmocka_unit_test(nobody_gets_the_runtime_s_socket),
		cmocka_unit_test(the_metadata_address_needs_trust_wherever_it_stands),
		cmocka_unit_test(files_of_configs_stay_inside_without_trust),
		cmocka_unit_test(files_of_secrets_stay_inside_without_trust),
		cmocka_unit_test(powers_and_names_that_reach_out_need_trust),
		cmocka_unit_test(giving_powers_up_needs_no_trust),
		cmocka_unit_test(host_addresses_other_than_loopback_need_trust),
		cmocka_unit_test(a_path_is_resolved_inside_the_folder_or_named_with_its_place),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
