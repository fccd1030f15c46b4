#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/container/container_body.h"
#include "engine/container/container_names.h"
#include "engine/container/image_reference.h"

#define IMAGE                                                                                      \
	"{\"Id\":\"sha256:abc\",\"Config\":{\"Entrypoint\":[\"/entry\"],\"Cmd\":[\"serve\"],"      \
	"\"Volumes\":{\"/var/data\":{},\"/own\":{}}}}"

/* The body of the only service of a Compose file, whose bind mounts come from "/src". */
static json_t *body_of(const char *service, const char *image_text, bool is_trusted,
		       struct error *err)
{
	static const char *const sources[8] = { "/src", "/src", "/src", "/src",
						"/src", "/src", "/src", "/src" };
	AUTO(free)
	char *text = xasprintf("services:\n  web: { image: x, %s }\n"
			       "volumes: { data: {} }\n"
			       "networks: { inner: {}, outer: {} }\n",
			       service);
	AUTO(compose_free) struct compose_file *file = NULL;
	AUTO(json_decref) json_t *image = json_loads(image_text, 0, NULL);
	const struct engine_request request = {
		.instance = "i1",
		.environment = env_id_from("01234567-89ab-4cde-8f01-23456789abcd"),
		.sequence = 9,
		.hard_wall_s = 1700000000,
		.is_trusted = is_trusted,
		.target = { .publish_address = "127.0.0.1" },
	};
	const struct health_check health = { .retries = 3 };
	json_t *body = NULL;

	if (!compose_parse(text, strlen(text), "compose.yaml", NULL, &file, err))
		fail_msg("%s", err->message);
	if (!container_body(&(struct body_subject){ .request = &request,
						    .service = &file->services[0],
						    .image = image,
						    .health = &health,
						    .bind_sources = sources },
			    &body, err))
		return NULL;
	return body;
}

static void assert_part(const json_t *body, const char *path, const char *expected)
{
	AUTO(free) char *keys = xstrdup(path);
	AUTO(free) char *text = NULL;
	char *rest = NULL;

	for (char *key = strtok_r(keys, ".", &rest); key; key = strtok_r(NULL, ".", &rest))
		body = json_object_get(body, key);
	text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	assert_string_equal(text ? text : "nothing", expected);
}

static void commands_follow_compose(void **unused)
{
	static const struct {
		const char *service;
		const char *entrypoint;
		const char *command;
	} cases[] = {
		{ "user: '1'", "[\"/entry\"]", "[\"serve\"]" },
		{ "command: [a, b]", "[\"/entry\"]", "[\"a\",\"b\"]" },
		{ "entrypoint: [/mine]", "[\"/mine\"]", "[]" },
		{ "entrypoint: [/mine], command: [a]", "[\"/mine\"]", "[\"a\"]" },
		{ "entrypoint: [], command: [a, b]", "[\"a\"]", "[\"b\"]" },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *body = body_of(cases[i].service, IMAGE, true, &err);

		assert_part(body, "Entrypoint", cases[i].entrypoint);
		assert_part(body, "Cmd", cases[i].command);
		assert_part(body, "Image", "\"sha256:abc\"");
	}
}

static void a_service_without_any_command_is_refused(void **unused)
{
	struct error err;

	(void)unused;
	assert_null(body_of("user: '1'", "{\"Id\":\"x\",\"Config\":{}}", true, &err));
	assert_string_equal(err.slug, "service_invalid");
	assert_non_null(strstr(err.message, "\"web\""));
}

static void host_ports_are_the_systems_choice_unless_the_file_insists(void **unused)
{
	struct error err;
	AUTO(json_decref)
	json_t *body = body_of("ports: ['8080:80', '53/udp', '127.0.0.1:9:90'], expose: ['7']",
			       IMAGE, true, &err);

	(void)unused;
	assert_part(body, "HostConfig.PortBindings.80/tcp",
		    "[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]");
	assert_part(body, "HostConfig.PortBindings.90/tcp",
		    "[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"9\"}]");
	assert_part(body, "HostConfig.PortBindings.53/udp",
		    "[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"\"}]");
	assert_part(body, "HostConfig.PortBindings.7/tcp", "nothing");
	assert_part(body, "ExposedPorts.7/tcp", "{}");
}

static void volumes_are_named_after_the_environment(void **unused)
{
	struct error err;
	AUTO(json_decref)
	json_t *body =
	    body_of("volumes: ['data:/own:ro', './here:/there', { type: tmpfs, target: /t,"
		    " tmpfs: { size: 1048576, mode: 0700 } }]",
		    IMAGE, true, &err);
	const json_t *binds = json_object_get(json_object_get(body, "HostConfig"), "Binds");

	(void)unused;
	assert_int_equal(json_array_size(binds), 3);
	assert_string_equal(json_string_value(json_array_get(binds, 0)),
			    "envd-0123456789ab-data:/own:ro");
	assert_string_equal(json_string_value(json_array_get(binds, 1)), "/src:/there");
	/* The image's own volume, which would be made without labels otherwise. */
	assert_true(strncmp(json_string_value(json_array_get(binds, 2)), "envd-0123456789ab-web..",
			    23) == 0);
	assert_non_null(strstr(json_string_value(json_array_get(binds, 2)), ":/var/data"));
	assert_part(body, "HostConfig.Tmpfs", "{\"/t\":\"rw,size=1048576,mode=700\"}");
}

static void what_the_file_asks_of_the_machine_is_passed_on(void **unused)
{
	static const struct {
		const char *service;
		const char *path;
		const char *json;
	} cases[] = {
		{ "privileged: true", "HostConfig.Privileged", "true" },
		{ "read_only: true", "HostConfig.ReadonlyRootfs", "true" },
		{ "cap_add: [NET_ADMIN]", "HostConfig.CapAdd", "[\"NET_ADMIN\"]" },
		{ "cap_drop: [ALL]", "HostConfig.CapDrop", "[\"ALL\"]" },
		{ "group_add: ['7']", "HostConfig.GroupAdd", "[\"7\"]" },
		{ "sysctls: { a.b: 1 }", "HostConfig.Sysctls", "{\"a.b\":\"1\"}" },
		{ "devices: ['/dev/null:/dev/n:r']", "HostConfig.Devices",
		  "[{\"PathOnHost\":\"/dev/null\",\"PathInContainer\":\"/dev/n\","
		  "\"CgroupPermissions\":\"r\"}]" },
		{ "hostname: h", "Hostname", "\"h\"" },
		{ "domainname: d.test", "Domainname", "\"d.test\"" },
		{ "dns: 10.0.0.1", "HostConfig.Dns", "[\"10.0.0.1\"]" },
		{ "dns_search: [a]", "HostConfig.DnsSearch", "[\"a\"]" },
		{ "dns_opt: [b]", "HostConfig.DnsOptions", "[\"b\"]" },
		{ "extra_hosts: { a: 10.0.0.1 }", "HostConfig.ExtraHosts", "[\"a:10.0.0.1\"]" },
		{ "init: true", "HostConfig.Init", "true" },
		{ "stop_signal: SIGINT", "StopSignal", "\"SIGINT\"" },
		{ "stop_grace_period: 1500ms", "StopTimeout", "2" },
		{ "stop_grace_period: 5s", "Labels.envd-stop-grace", "\"5\"" },
		{ "shm_size: 1m", "HostConfig.ShmSize", "1048576" },
		{ "ulimits: { nofile: { soft: 1, hard: 2 } }", "HostConfig.Ulimits",
		  "[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}]" },
		{ "logging: { options: { max-size: 1m } }", "HostConfig.LogConfig",
		  "{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"1m\"}}" },
		{ "tmpfs: '/t:size=1k,noexec'", "HostConfig.Tmpfs",
		  "{\"/t\":\"rw,size=1024,noexec\"}" },
		{ "user: '1'", "HostConfig.Privileged", "nothing" },
		{ "user: '1'", "HostConfig.CapAdd", "nothing" },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *body = body_of(cases[i].service, IMAGE, true, &err);

		assert_part(body, cases[i].path, cases[i].json);
	}
}

static void limits_leave_no_swap(void **unused)
{
	struct error err;
	AUTO(json_decref)
	json_t *body =
	    body_of("deploy: { resources: { limits: { memory: 64M, cpus: '1.5', pids: 9 } } }",
		    IMAGE, true, &err);

	(void)unused;
	assert_part(body, "HostConfig.Memory", "67108864");
	assert_part(body, "HostConfig.MemorySwap", "67108864");
	assert_part(body, "HostConfig.NanoCpus", "1500000000");
	assert_part(body, "HostConfig.PidsLimit", "9");
}

static void every_container_carries_whose_it_is(void **unused)
{
	struct error err;
	AUTO(json_decref) json_t *body = body_of("labels: { a: b }", IMAGE, true, &err);

	(void)unused;
	assert_part(body, "Labels.envd-instance", "\"i1\"");
	assert_part(body, "Labels.envd-environment", "\"01234567-89ab-4cde-8f01-23456789abcd\"");
	assert_part(body, "Labels.envd-sequence", "\"9\"");
	assert_part(body, "Labels.envd-hard-wall", "\"1700000000\"");
	assert_part(body, "Labels.envd-service", "\"web\"");
	assert_part(body, "Labels.a", "\"b\"");
	assert_part(body, "Healthcheck.Test", "[\"NONE\"]");
}

static void who_is_not_trusted_gains_no_privileges(void **unused)
{
	struct error err;
	AUTO(json_decref) json_t *trusted = body_of("user: '1'", IMAGE, true, &err);
	AUTO(json_decref) json_t *other = body_of("user: '1'", IMAGE, false, &err);

	(void)unused;
	assert_part(trusted, "HostConfig.SecurityOpt", "nothing");
	assert_part(other, "HostConfig.SecurityOpt", "[\"no-new-privileges\"]");
}

static void names_on_a_network_are_the_service_and_its_aliases(void **unused)
{
	struct error err;
	AUTO(json_decref)
	json_t *body = body_of("networks: { inner: { aliases: [other] } }", IMAGE, true, &err);

	(void)unused;
	assert_part(body, "HostConfig.NetworkMode", "\"envd-0123456789ab-inner\"");
	assert_part(body, "NetworkingConfig.EndpointsConfig.envd-0123456789ab-inner.Aliases",
		    "[\"web\",\"other\"]");
}

static void an_interface_name_fits_and_differs(void **unused)
{
	char one[INTERFACE_NAME_SIZE], other[INTERFACE_NAME_SIZE];

	(void)unused;
	container_interface_name("envd-0123456789ab-default", one);
	container_interface_name("envd-0123456789ab-inner", other);
	assert_string_not_equal(one, other);
	assert_true(strlen(one) < INTERFACE_NAME_SIZE);
}

static void a_reference_is_no_path_into_the_api(void **unused)
{
	static const char *const good[] = { "busybox",       "localhost/envd/nginx:1.26",
					    "a.b:5000/c/d",  "x@sha256:0123",
					    "quay.io/a_b-c", NULL };
	static const char *const bad[] = { "",     "../json", "a/../b", "a?b=c", "a b",  "/a",
					   "a//b", "-a",      "a#b",    "a%2fb", "a\nb", NULL };

	(void)unused;
	for (size_t i = 0; good[i]; i++)
		assert_true(image_reference_is_valid(good[i]));
	for (size_t i = 0; bad[i]; i++)
		assert_false(image_reference_is_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_follow_compose),
		cmocka_unit_test(a_service_without_any_command_is_refused),
		cmocka_unit_test(host_ports_are_the_systems_choice_unless_the_file_insists),
		cmocka_unit_test(volumes_are_named_after_the_environment),
		cmocka_unit_test(what_the_file_asks_of_the_machine_is_passed_on),
		cmocka_unit_test(limits_leave_no_swap),
		cmocka_unit_test(every_container_carries_whose_it_is),
		cmocka_unit_test(who_is_not_trusted_gains_no_privileges),
		cmocka_unit_test(names_on_a_network_are_the_service_and_its_aliases),
		cmocka_unit_test(an_interface_name_fits_and_differs),
		cmocka_unit_test(a_reference_is_no_path_into_the_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
