/*
 * Compose files that consist of several: merged, included, extended, with files of variables.
 * Each test writes a template's folder of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "compose/compose.h"

static char folder[64];
static struct compose_file *file; /* of the last load that went well */
static struct error err;          /* of the last one that did not */

static int make_folder(void **unused)
{
	(void)unused;
	strcpy(folder, "/tmp/test-compose-load-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
	struct error ignored; /* the folder of a test that failed already */

	(void)unused;
	compose_free(file);
	file = NULL;
	return folder_remove(folder, &ignored) ? 0 : -1;
}

static void put(const char *name, const char *text)
{
	AUTO(free) char *path = path_join(folder, name);
	AUTO(free) char *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	assert_true(folder_make(parent, 0755, &err));
	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

/* `names`: files with blanks between them; `variables`: JSON or NULL. */
static bool load_as(const char *names, const char *variables, bool is_trusted)
{
	AUTO(free) char *words = xstrdup(names);
	AUTO(json_decref) json_t *given = variables ? json_loads(variables, 0, NULL) : NULL;
	const char *sources[8] = { NULL };
	struct compose_request request = {
		.folder = folder, .is_trusted = is_trusted, .sources = sources, .variables = given
	};
	char *rest = words;

	for (size_t i = 0; rest && i < 7; i++)
		sources[i] = strsep(&rest, " ");
	compose_free(file);
	file = NULL;
	err = (struct error){ 0 };
	return compose_load(&request, &file, &err);
}

static void load_with(const char *names, const char *variables)
{
	if (!load_as(names, variables, true))
		fail_msg("%s: %s", err.slug, err.message);
}

static void load(const char *names)
{
	load_with(names, NULL);
}

static void assert_refused(const char *names, const char *slug, const char *message)
{
	assert_false(load_as(names, NULL, true));
	assert_string_equal(err.message, message);
	assert_string_equal(err.slug, slug);
}

static const struct compose_service *service(const char *name)
{
	const struct compose_service *found = compose_service_find(file, name);

	if (!found)
		fail_msg("there is no service \"%s\"", name);
	return found;
}

/* "A=1 B=2", in the order they have. */
static void assert_pairs(const struct compose_pairs *pairs, const char *expected)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < pairs->count; i++)
		text_format(&text, "%s%s=%s", i ? " " : "", pairs->items[i].name,
			    pairs->items[i].value);
	assert_string_equal(text_get(&text), expected);
}

static void assert_words(const struct compose_strings *strings, const char *expected)
{
	AUTO(free)
	char *joined =
	    strings->count ? text_join((const char *const *)strings->items, " ") : xstrdup("");

	assert_string_equal(joined, expected);
}

/* ---- several files ---- */

static void maps_are_merged_key_by_key_and_values_are_replaced(void **unused)
{
	(void)unused;
	put("a.yaml",
	    "services:\n  web: { image: one, user: '1', restart: always }\n  db: { image: d }\n");
	put("b.yaml", "services:\n  web: { image: two, working_dir: /w }\n  new: { image: n }\n");
	load("a.yaml b.yaml");
	assert_int_equal(file->service_count, 3);
	assert_string_equal(file->services[0].name, "web");
	assert_string_equal(service("web")->image, "two");
	assert_string_equal(service("web")->user, "1");
	assert_string_equal(service("web")->working_dir, "/w");
	assert_int_equal(service("web")->restart, COMPOSE_RESTART_ALWAYS);
	assert_string_equal(service("new")->image, "n");
}

static void commands_and_health_tests_are_replaced_whole(void **unused)
{
	(void)unused;
	put("a.yaml", "services:\n  web:\n    image: x\n    command: [a, b]\n    entrypoint: [e]\n"
		      "    healthcheck: { test: [CMD, t], retries: 7 }\n");
	put("b.yaml", "services:\n  web:\n    command: [c]\n    entrypoint: f g\n"
		      "    healthcheck: { test: [CMD, u, v] }\n");
	load("a.yaml b.yaml");
	assert_words(&service("web")->command.argv, "c");
	assert_words(&service("web")->entrypoint.argv, "f g");
	assert_words(&service("web")->health.test, "u v");
	assert_int_equal(service("web")->health.retries, 7);
}

static void variables_are_merged_by_name_in_every_notation(void **unused)
{
	static const char *const first[] = { "{ A: 1, B: 2 }", "[A=1, B=2]" };
	static const char *const second[] = { "{ B: 3, C: '${X:-4}' }", "[B=3, 'C=${X:-4}']" };

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		AUTO(free)
		char *a = xasprintf("services:\n  w: { image: x, environment: %s, labels: %s }\n",
				    first[i / 2], first[i / 2]);
		AUTO(free)
		char *b = xasprintf("services:\n  w: { environment: %s, labels: %s }\n",
				    second[i % 2], second[i % 2]);

		put("a.yaml", a);
		put("b.yaml", b);
		load("a.yaml b.yaml");
		assert_pairs(&service("w")->variables, "A=1 B=3 C=4");
		assert_pairs(&service("w")->labels, "A=1 B=3 C=4");
	}
}

static void volumes_are_merged_by_target_and_ports_added(void **unused)
{
	const struct compose_service *web;

	(void)unused;
	put("a.yaml", "services:\n  web:\n    image: x\n    volumes: ['./one:/a', 'v:/b']\n"
		      "    ports: ['80']\nvolumes: { v: }\n");
	put("b.yaml",
	    "services:\n  web:\n    volumes: ['./two:/a:ro', '/c']\n    ports: ['81', '80']\n");
	load("a.yaml b.yaml");
	web = service("web");
	assert_int_equal(web->mounts.count, 3);
	assert_string_equal(web->mounts.items[0].source, "./two");
	assert_true(web->mounts.items[0].is_read_only);
	assert_string_equal(web->mounts.items[2].target, "/c");
	assert_int_equal(web->ports.count, 2);
	assert_int_equal(web->ports.items[1].container_port, 81);
}

static void networks_and_dependencies_are_merged_in_every_notation(void **unused)
{
	const struct compose_service *web;

	(void)unused;
	put("a.yaml", "services:\n  web: { image: x, networks: [one], depends_on: [db] }\n"
		      "  db: { image: d }\n  job: { image: j }\nnetworks: { one: , two: }\n");
	put("b.yaml",
	    "services:\n  web:\n    networks: { one: { aliases: [a] }, two: }\n    depends_on:\n"
	    "      db: { condition: service_healthy }\n"
	    "      job: { condition: service_completed_successfully }\n");
	load("a.yaml b.yaml");
	web = service("web");
	assert_int_equal(web->networks.count, 2);
	assert_words(&web->networks.items[0].aliases, "a");
	assert_int_equal(web->needs.count, 2);
	assert_int_equal(web->needs.items[0].condition, COMPOSE_HEALTHY);
	assert_int_equal(web->needs.items[1].condition, COMPOSE_COMPLETED);
}

static void builds_are_merged_in_every_notation(void **unused)
{
	const struct compose_build *build;

	(void)unused;
	put("base.yaml", "services:\n"
			 "  a: { build: { context: ./a, args: { A: 1, B: 1 } } }\n"
			 "  b: { build: ./b }\n"
			 "  c: { build: { context: ./c, target: base } }\n");
	put("over.yaml", "services:\n"
			 "  a: { build: { args: [B=2, C=2] }, pull_policy: build }\n"
			 "  b: { build: { target: debug }, platform: linux/amd64 }\n"
			 "  c: { build: ./other }\n");
	load("base.yaml over.yaml");
	build = service("a")->build;
	assert_string_equal(build->context, "./a");
	assert_pairs(&build->args, "A=1 B=2 C=2");
	assert_int_equal(service("a")->pull, COMPOSE_PULL_BUILD);
	build = service("b")->build;
	assert_string_equal(build->context, "./b");
	assert_string_equal(build->target, "debug");
	assert_string_equal(service("b")->platform, "linux/amd64");
	build = service("c")->build;
	assert_string_equal(build->context, "./other");
	assert_string_equal(build->target, "base");
}

static void a_build_of_another_file_is_in_that_files_folder(void **unused)
{
	(void)unused;
	put("web/compose.yaml", "services:\n"
				"  short: { build: ./app }\n"
				"  none: { build: { dockerfile: Own } }\n");
	put("compose.yaml", "include: [web/compose.yaml]\n"
			    "services:\n"
			    "  here: { extends: { file: web/compose.yaml, service: short } }\n");
	load("compose.yaml");
	assert_string_equal(service("short")->build->context, "web/app");
	assert_string_equal(service("here")->build->context, "web/app");
	assert_string_equal(service("none")->build->context, "web/.");
}

static void reset_drops_and_override_replaces(void **unused)
{
	const struct compose_service *web;

	(void)unused;
	put("a.yaml", "services:\n  web:\n    image: x\n    ports: ['80', '81']\n    user: '5'\n"
		      "    environment: { A: 1, B: 2 }\n    labels: { l: '1' }\n");
	put("b.yaml", "services:\n  web:\n    ports: !override ['82']\n    user: !reset null\n"
		      "    environment:\n      A: !reset null\n    labels: !reset {}\n");
	load("a.yaml b.yaml");
	web = service("web");
	assert_int_equal(web->ports.count, 1);
	assert_int_equal(web->ports.items[0].container_port, 82);
	assert_null(web->user);
	assert_pairs(&web->variables, "B=2");
	assert_pairs(&web->labels, "");
}

static void an_error_names_the_file_that_it_is_in(void **unused)
{
	(void)unused;
	put("a.yaml", "services:\n  web: { image: x }\n");
	put("b.yaml", "services:\n  web:\n    restart: maybe\n");
	assert_refused("a.yaml b.yaml", "compose_invalid",
		       "b.yaml:3:14: service \"web\": \"restart\" must be no, always, "
		       "unless-stopped, on-failure or on-failure:N (got \"maybe\")");
	put("b.yaml", "services:\n  web:\n    nonsense: 1\n");
	assert_refused("a.yaml b.yaml", "compose_unsupported",
		       "b.yaml:3:5: service \"web\": \"nonsense\" is not supported");
	put("b.yaml", "services: [web]\n");
	assert_refused("a.yaml b.yaml", "compose_invalid",
		       "b.yaml:1:11: \"services\" is a list here and a map in the file below");
	put("b.yaml", "services:\n  web: { labels: [a=1, a=2] }\n");
	assert_refused("a.yaml b.yaml", "compose_invalid",
		       "b.yaml:2:24: service \"web\": \"labels\": \"a\" is there twice");
	assert_refused("a.yaml c.yaml", "compose_invalid",
		       "c.yaml:1:1: \"source\": \"c.yaml\" is not there");
}

/* ---- extends ---- */

static void a_service_extends_another_of_its_file(void **unused)
{
	const struct compose_service *worker;

	(void)unused;
	put("a.yaml", "services:\n  top: { image: x, environment: [A=1], user: '7' }\n"
		      "  base: { extends: top, environment: { B: 2 }, volumes: ['/data'] }\n"
		      "  worker:\n    extends: { service: base }\n    environment: [A=3]\n    "
		      "volumes: ['/more']\n");
	load("a.yaml");
	worker = service("worker");
	assert_string_equal(worker->image, "x");
	assert_string_equal(worker->user, "7");
	assert_pairs(&worker->variables, "A=3 B=2");
	assert_int_equal(worker->mounts.count, 2);
	assert_pairs(&service("top")->variables, "A=1");
	assert_int_equal(service("base")->mounts.count, 1);
}

static void a_service_of_another_file_brings_its_own_paths(void **unused)
{
	(void)unused;
	put("common/base.yaml",
	    "services:\n  base:\n    image: x\n    volumes: ['./conf:/conf:ro']\n"
	    "    env_file: vars.env\n");
	put("common/vars.env", "A=common\n");
	put("a.yaml", "services:\n  web:\n    extends: { file: common/base.yaml, service: base }\n"
		      "    volumes: ['./own:/own:ro']\n");
	load("a.yaml");
	assert_string_equal(service("web")->mounts.items[0].source, "common/conf");
	assert_string_equal(service("web")->mounts.items[1].source, "./own");
	assert_pairs(&service("web")->variables, "A=common");
	assert_int_equal(file->service_count, 1);
}

static void what_cannot_be_extended_is_refused(void **unused)
{
	(void)unused;
	put("a.yaml", "services:\n  web: { image: x, extends: gone }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:2:29: service \"web\": \"extends\": service \"gone\" is not there");
	put("a.yaml", "services:\n  web: { image: x, extends: { file: no.yaml, service: y } }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:2:29: service \"web\": \"extends.file\": \"no.yaml\" is not there");
	put("a.yaml", "services:\n  web: { image: x, extends: { file: no.yaml } }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:2:29: service \"web\": \"extends.service\" is missing");
	put("a.yaml",
	    "services:\n  a: { image: x, extends: b }\n  b: { extends: c }\n  c: { extends: a }\n");
	assert_refused("a.yaml", "compose_cycle",
		       "a.yaml:4:17: service \"a\": \"extends\" goes in a circle: back to \"a\"");
	put("b.yaml", "services:\n  b: { image: x, extends: { file: b.yaml, service: b } }\n");
	assert_refused(
	    "b.yaml", "compose_invalid",
	    "b.yaml:2:27: service \"b\": files include or extend each other in a circle, "
	    "or deeper than 10 levels");
}

/* ---- include ---- */

static void an_included_file_is_part_of_the_whole(void **unused)
{
	(void)unused;
	put("db/compose.yaml", "name: ignored\nservices:\n  db: { image: 'db:${TAG:-1}', volumes: "
			       "['./init:/init:ro', 'data:/data'] }\n"
			       "volumes: { data: }\n");
	put("db/.env", "TAG=from-env\n");
	put("a.yaml",
	    "include: [db/compose.yaml]\nservices:\n  web: { image: x, depends_on: [db] }\n");
	load("a.yaml");
	assert_string_equal(service("db")->image, "db:from-env");
	assert_string_equal(service("db")->mounts.items[0].source, "db/init");
	assert_int_equal(file->volumes.count, 1);
	load_with("a.yaml", "{\"TAG\": \"asked\"}");
	assert_string_equal(service("db")->image, "db:asked");
}

static void an_include_may_name_files_variables_and_folder(void **unused)
{
	(void)unused;
	put("db/a.yaml",
	    "services:\n  db: { image: 'db:${TAG}' , volumes: ['./init:/init:ro'] }\n");
	put("db/b.yaml", "services:\n  db: { user: '9' }\n");
	put("one.env", "TAG=1\nUNUSED=x\n");
	put("two.env", "TAG=2\n");
	put("a.yaml",
	    "include:\n  - path: [db/a.yaml, db/b.yaml]\n    env_file: [one.env, two.env]\n"
	    "    project_directory: other\nservices: {}\n");
	load("a.yaml");
	assert_string_equal(service("db")->image, "db:2");
	assert_string_equal(service("db")->user, "9");
	assert_string_equal(service("db")->mounts.items[0].source, "other/init");
}

static void what_cannot_be_included_is_refused(void **unused)
{
	(void)unused;
	put("db.yaml", "services:\n  db: { image: d }\n");
	put("a.yaml", "include: [db.yaml]\nservices:\n  db: { image: x }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "db.yaml:2:3: \"services.db\" is included, and is there already");
	put("a.yaml", "include: [gone.yaml]\nservices: {}\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:1:11: \"include\": \"gone.yaml\" is not there");
	put("a.yaml", "include: [a.yaml]\nservices: {}\n");
	assert_refused(
	    "a.yaml", "compose_invalid",
	    "a.yaml:1:11: files include or extend each other in a circle, or deeper than "
	    "10 levels");
	put("a.yaml", "include: db.yaml\nservices: {}\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:1:10: \"include\" must be a list (got a value)");
	put("a.yaml", "include: [{ file: db.yaml }]\nservices: {}\n");
	assert_refused("a.yaml", "compose_unsupported",
		       "a.yaml:1:13: \"include.file\" is not supported");
}

/* ---- env_file ---- */

static void files_of_variables_are_read_in_every_notation(void **unused)
{
	(void)unused;
	put("vars.env",
	    "# a comment\n\nexport A=1\nB = 'a b # $X' # behind\nC=\"x\\ny ${A} \\$Z\"\n"
	    "D=plain value   # behind\nE=${GIVEN}-${A}\nF=\nGIVEN\nG=a#b\n");
	put("a.yaml", "services:\n  w: { image: x, env_file: vars.env }\n");
	load_with("a.yaml", "{\"GIVEN\": \"g\"}");
	assert_pairs(&service("w")->variables,
		     "A=1 B=a b # $X C=x\ny 1 $Z D=plain value E=g-1 F= GIVEN=g G=a#b");
}

static void environment_wins_over_files_and_later_files_over_earlier(void **unused)
{
	(void)unused;
	put("1.env", "A=1\nB=1\nC=1\n");
	put("2.env", "B=2\nC=2\n");
	put("raw.env", "R=\"$NOT # filled in\"\n");
	put("a.yaml",
	    "services:\n  w:\n    image: x\n    environment: { C: 3 }\n    env_file:\n"
	    "      - 1.env\n      - { path: 2.env }\n      - { path: gone.env, required: false }\n"
	    "      - { path: raw.env, format: raw }\n");
	load("a.yaml");
	assert_pairs(&service("w")->variables, "C=3 A=1 B=2 R=\"$NOT # filled in\"");
}

static void what_is_wrong_with_a_file_of_variables_names_its_line(void **unused)
{
	static const struct {
		const char *bytes;
		const char *message;
	} cases[] = {
		{ "A=1\nB C=2\n", "v.env:2: this is no NAME=value: B C" },
		{ "\n=2\n", "v.env:2: this is no NAME=value" },
		{ "A='x\ny\n", "v.env:3: a quote is not closed" },
		{ "A='x' y\n", "v.env:1: something follows the closing quote" },
		{ "A=1\nB=${GONE}\n", "v.env:2: variable \"GONE\" is not set and has no default" },
	};

	(void)unused;
	put("a.yaml", "services:\n  w: { image: x, env_file: v.env }\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put("v.env", cases[i].bytes);
		assert_refused("a.yaml", "compose_invalid", cases[i].message);
	}
	put("a.yaml", "services:\n  w: { image: x, env_file: gone.env }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:2:28: service \"w\": \"env_file\": \"gone.env\" is not there");
	put("a.yaml", "services:\n  w: { image: x, env_file: [{ path: v.env, format: ini }] }\n");
	assert_refused("a.yaml", "compose_invalid",
		       "a.yaml:2:52: service \"w\": \"env_file.format\": \"ini\" is not known "
		       "(expected raw)");
}

static void the_folders_env_file_stands_in_for_variables(void **unused)
{
	(void)unused;
	put(".env", "IMAGE=from-file\nUSER_ID=5\n");
	put("a.yaml", "services:\n  w: { image: '${IMAGE}', user: '${USER_ID}' }\n");
	load_with("a.yaml", "{\"IMAGE\": \"asked\"}");
	assert_string_equal(service("w")->image, "asked");
	assert_string_equal(service("w")->user, "5");
}

/* ---- profiles ---- */

static void profiles_bring_services_when_asked_for(void **unused)
{
	static const struct {
		const char *asked;
		size_t count;
	} cases[] = { { "", 1 }, { "debug", 2 }, { "other, debug", 3 }, { "*", 3 }, { "debu", 1 } };

	(void)unused;
	put("a.yaml", "services:\n  web: { image: x }\n  shell: { image: s, profiles: [debug] }\n"
		      "  top: { image: t, profiles: [other] }\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *given = xasprintf("{\"COMPOSE_PROFILES\": \"%s\"}", cases[i].asked);

		load_with("a.yaml", given);
		assert_int_equal(file->service_count, cases[i].count);
	}
	load("a.yaml");
	assert_int_equal(file->service_count, 1);
}

static void a_service_cannot_need_one_whose_profile_is_not_asked_for(void **unused)
{
	(void)unused;
	put("a.yaml", "services:\n  web:\n    image: x\n    depends_on: [db, debug]\n"
		      "  db: { image: d }\n  debug: { image: y, profiles: [dev] }\n");
	assert_refused(
	    "a.yaml", "compose_invalid",
	    "a.yaml:4:22: service \"web\": service \"debug\" is only there with the profile "
	    "\"dev\"");
	load_with("a.yaml", "{\"COMPOSE_PROFILES\": \"dev\"}");
	assert_int_equal(service("web")->needs.count, 2);
	put("a.yaml", "services:\n  web:\n    image: x\n    depends_on:\n"
		      "      debug: { condition: service_started, required: false }\n      db:\n"
		      "  db: { image: d }\n  debug: { image: y, profiles: [dev] }\n");
	load("a.yaml");
	assert_int_equal(service("web")->needs.count, 1);
	assert_string_equal(service("web")->needs.items[0].service, "db");
}

/* ---- trust ---- */

static void the_untrusted_read_nothing_outside_of_their_folder(void **unused)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "services:\n  w: { image: x, env_file: /etc/passwd }\n",
		  "a.yaml:2:28: service \"w\": \"env_file\" of \"/etc/passwd\", which is an "
		  "absolute "
		  "path, needs a trusted template" },
		{ "services:\n  w: { image: x, env_file: [{ path: ../x, required: false }] }\n",
		  "a.yaml:2:29: service \"w\": \"env_file\" of \"../x\", which has \"..\" in it, "
		  "needs "
		  "a trusted template" },
		{ "services:\n  w: { image: x, env_file: link/hostname }\n",
		  "a.yaml:2:28: service \"w\": \"env_file\" of \"link/hostname\", which is or "
		  "passes a "
		  "link, needs a trusted template" },
		{ "services:\n  w: { image: x, extends: { file: /tmp/x.yaml, service: y } }\n",
		  "a.yaml:2:27: service \"w\": \"extends.file\" of \"/tmp/x.yaml\", which is an "
		  "absolute path, needs a trusted template" },
		{ "include: [../x.yaml]\nservices: {}\n",
		  "a.yaml:1:11: \"include\" of \"../x.yaml\", which has \"..\" in it, needs a "
		  "trusted "
		  "template" },
		{ "include: [{ path: b.yaml, env_file: /etc/os-release }]\nservices: {}\n",
		  "a.yaml:1:11: \"include.env_file\" of \"/etc/os-release\", which is an absolute "
		  "path, needs a trusted template" },
	};

	AUTO(free) char *link = path_join(folder, "link");

	(void)unused;
	assert_int_equal(symlink("/etc", link), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put("a.yaml", cases[i].text);
		assert_false(load_as("a.yaml", NULL, false));
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.slug, "template_not_trusted");
		assert_int_equal(err.code, ERR_DENIED);
	}
}

static void the_untrusted_may_use_the_files_of_their_folder(void **unused)
{
	(void)unused;
	put("v.env", "A=1\n");
	put("db/b.yaml", "services:\n  db: { image: d, env_file: ./e.env }\n");
	put("db/e.env", "B=2\n");
	put("a.yaml", "include: [db/b.yaml]\nservices:\n  w: { image: x, env_file: ./v.env }\n");
	assert_true(load_as("a.yaml", NULL, false));
	assert_pairs(&service("w")->variables, "A=1");
	assert_pairs(&service("db")->variables, "B=2");
}

static void a_file_cannot_grow_without_bound_by_extending(void **unused)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	(void)unused;
	text_add(&text, "services:\n  s0:\n    image: x\n    labels:\n");
	for (int i = 0; i < 900; i++)
		text_format(&text, "      l%d: v\n", i);
	for (int i = 1; i < 90; i++)
		text_format(&text, "  s%d: { extends: s%d }\n", i, i - 1);
	put("a.yaml", text_get(&text));
	load("a.yaml"); /* about 160,000 values are copied */
	for (int i = 90; i < 120; i++)
		text_format(&text, "  s%d: { extends: s%d }\n", i, i - 1);
	put("a.yaml", text_get(&text));
	assert_false(load_as("a.yaml", NULL, true));
	assert_non_null(strstr(err.message, "\"extends\": the file grows too large"));
}

#define TEST(story) cmocka_unit_test_setup_teardown(story, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(maps_are_merged_key_by_key_and_values_are_replaced),
		TEST(commands_and_health_tests_are_replaced_whole),
		TEST(variables_are_merged_by_name_in_every_notation),
		TEST(volumes_are_merged_by_target_and_ports_added),
		TEST(networks_and_dependencies_are_merged_in_every_notation),
		TEST(builds_are_merged_in_every_notation),
		TEST(a_build_of_another_file_is_in_that_files_folder),
		TEST(reset_drops_and_override_replaces),
		TEST(an_error_names_the_file_that_it_is_in),
		TEST(a_service_extends_another_of_its_file),
		TEST(a_service_of_another_file_brings_its_own_paths),
		TEST(what_cannot_be_extended_is_refused),
		TEST(an_included_file_is_part_of_the_whole),
		TEST(an_include_may_name_files_variables_and_folder),
		TEST(what_cannot_be_included_is_refused),
		TEST(files_of_variables_are_read_in_every_notation),
		TEST(environment_wins_over_files_and_later_files_over_earlier),
		TEST(what_is_wrong_with_a_file_of_variables_names_its_line),
		TEST(the_folders_env_file_stands_in_for_variables),
		TEST(profiles_bring_services_when_asked_for),
		TEST(a_service_cannot_need_one_whose_profile_is_not_asked_for),
		TEST(the_untrusted_read_nothing_outside_of_their_folder),
		TEST(the_untrusted_may_use_the_files_of_their_folder),
		TEST(a_file_cannot_grow_without_bound_by_extending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
