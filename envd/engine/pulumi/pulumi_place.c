#include "engine/pulumi/pulumi_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_secret.h"
#include "engine/target_access.h"
#include "model/layer_select.h"
#include "model/pins.h"
#include "model/placeholder.h"

#define KUBECONFIG_BYTES_MAX (1 << 20)
#define PASSPHRASE_LENGTH 48
#define ORDER_BYTES_MAX (64 << 10)
#define HIDDEN_LENGTH_MIN 6 /* shorter ones are in any word */

char *place_path(const struct pulumi_place *place, const char *name)
{
	return path_join(place->folder, name);
}

char *place_mark(const struct engine_request *request)
{
	return xasprintf("ENVD_ENVIRONMENT=%s", request->environment.text);
}

/* ---- opening ---- */

char *find_on_path(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *at = path; at && *at;) {
		size_t length = strcspn(at, ":");
		AUTO(free) char *candidate = xasprintf("%.*s/%s", (int)length, at, name);

		if (*candidate == '/' && access(candidate, X_OK) == 0)
			return TAKE(candidate);
		at += length + (at[length] == ':');
	}
	return NULL;
}

static void hidden_free(struct pulumi_place *place)
{
	for (char **secret = place->hidden; secret && *secret; secret++) {
		explicit_bzero(*secret, strlen(*secret));
		free(*secret);
	}
	free(place->hidden);
	place->hidden = NULL;
}

/* Some are secrets. */
static void variables_free(struct pulumi_place *place)
{
	struct variable_list list = { place->variables, 0 };

	while (list.items && list.items[list.count])
		list.count++;
	variable_list_release(&list);
	place->variables = NULL;
}

void place_release(struct pulumi_place *place)
{
	place_forget_projects(place);
	backend_release(place);
	variables_free(place);
	hidden_free(place);
	template_free(place->template);
	layer_list_free(place->list);
	free(place->folder);
	free(place->checkout);
	free(place->root);
	free(place->program);
	free(place->venv);
	json_decref(place->versions);
	*place = (struct pulumi_place){ .request = NULL };
}

/* ---- filling in ---- */

static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	return value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
}

/* What a pin of a component comes to: its version, or its whole image; "" when nobody pinned it. */
static char *pin_of(const struct pulumi_place *place, const char *name, bool is_image)
{
	const struct template_component *component = template_component_find(place->template, name);
	const char *version = json_get_string(place->versions, name, NULL);

	if (!component || !version)
		return NULL;
	if (strcmp(version, component->default_version) == 0)
		return xstrdup("");
	return is_image ? template_component_value(component, version) : xstrdup(version);
}

/* "a, b" as a list. */
static char *list_of(const json_t *value)
{
	AUTO(free) char *text = text_of(value);
	AUTO(json_decref) json_t *list = json_array();

	for (const char *at = text; at && *at; at += strspn(at, ", ")) {
		size_t length = strcspn(at, ", ");

		if (length)
			json_array_append_new(list, json_stringn(at, length));
		at += length;
	}
	return text && json_array_size(list) ? json_dumps(list, JSON_COMPACT) : xstrdup("");
}

static bool is_own(const char *name)
{
	return text_starts_with(name, "environment.") || strcmp(name, "instance") == 0 ||
	       strcmp(name, "stack") == 0 || strcmp(name, "kubeconfig") == 0 ||
	       strcmp(name, "checkout") == 0;
}

static char *value_of(void *arg, const char *name)
{
	const struct pulumi_place *place = arg;
	const struct engine_request *request = place->request;

	if (text_starts_with(name, "parameters."))
		return text_of(json_object_get(request->parameters, name + strlen("parameters.")));
	if (text_starts_with(name, "components."))
		return text_of(json_object_get(place->versions, name + strlen("components.")));
	if (text_starts_with(name, "pins."))
		return pin_of(place, name + strlen("pins."), false);
	if (text_starts_with(name, "images."))
		return pin_of(place, name + strlen("images."), true);
	if (text_starts_with(name, "lists."))
		return list_of(json_object_get(request->parameters, name + strlen("lists.")));
	if (place->hides_own && is_own(name))
		return xasprintf("${%s}", name);
	if (strcmp(name, "environment.id") == 0)
		return xstrdup(request->environment.text);
	if (strcmp(name, "environment.name") == 0)
		return xstrdup(request->environment_name);
	if (strcmp(name, "environment.sequence") == 0)
		return xasprintf("%lld", (long long)request->sequence);
	if (strcmp(name, "environment.hard_wall") == 0)
		return xasprintf("%lld", (long long)request->hard_wall_s);
	if (strcmp(name, "instance") == 0)
		return xstrdup(request->instance);
	if (strcmp(name, "stack") == 0)
		return xstrdup(place->stack);
	if (strcmp(name, "kubeconfig") == 0 || strcmp(name, "checkout") == 0)
		return place_path(place, name);
	if (strcmp(name, "target.name") == 0)
		return xstrdup(request->target.name);
	if (text_starts_with(name, "target.labels."))
		return text_of(
		    json_object_get(request->target.labels, name + strlen("target.labels.")));
	return NULL;
}

bool place_fill(const struct pulumi_place *place, const char *text, char **filled,
		struct error *err)
{
	if (placeholder_fill(text, value_of, (void *)(uintptr_t)place, filled, err))
		return true;
	err->code = ERR_INVALID;
	err->slug = "template_invalid";
	return error_wrap(err, "%s: \"%.80s\"", place->template->source, text);
}

/* ---- opening ---- */

static bool check_trust(const struct engine_request *request, struct error *err)
{
	/* Its programs and hooks run on our host, with what our host may do. */
	return request->is_trusted ||
	       error_set_as(err, ERR_DENIED, "untrusted_program",
			    "the template is not trusted, so its Pulumi programs may not be run");
}

static bool fill_for_choice(void *arg, const char *text, char **filled, struct error *err)
{
	return place_fill(arg, text, filled, err);
}

/* A key that somebody sets keeps what it has. */
static bool add_config_changes(struct pulumi_place *place, struct error *err)
{
	for (size_t i = 0; i < place->list->change_count; i++) {
		const struct layer_change *change = &place->list->changes[i];
		bool holds;

		if (!layer_when_holds(change->when, place->request->parameters, &holds, err))
			return error_wrap(err, "changes");
		if (holds && change->config)
			json_object_update_missing(place->list->overrides, change->config);
	}
	return true;
}

bool place_choose_layers(struct pulumi_place *place, struct error *err)
{
	AUTO(json_decref) json_t *order = NULL;
	struct layer_choice choice = { .parameters = place->request->parameters,
				       .fill = fill_for_choice,
				       .arg = place };

	if (place->list->is_selected)
		return true;
	if (place->list->order) {
		AUTO(free) char *path = place_path(place, "order.json");

		if (!file_exists(path))
			return true;
		if (!json_read_file(path, ORDER_BYTES_MAX, &order, err))
			return false;
		choice.order = order;
	}
	return layer_list_select(place->list, &choice, err) && add_config_changes(place, err);
}

/* Old requirements want an old Python. */
static bool fill_python(struct pulumi_place *place, struct error *err)
{
	char *filled;

	if (!place->list->python)
		return true;
	if (!place_fill(place, place->list->python, &filled, err))
		return false;
	free(place->list->python);
	place->list->python = filled;
	return (*filled && strspn(filled, "0123456789.") == strlen(filled)) ||
	       error_set_as(err, ERR_INVALID, "python_missing",
			    "\"%.40s\" is no version of Python, such as 3.11", filled);
}

bool place_open(const struct engine_request *request, struct pulumi_place *place, struct error *err)
{
	*place = (struct pulumi_place){ .request = request };
	place->folder = path_join(request->folder, "pulumi");
	place->checkout = place_path(place, "checkout");
	place->program =
	    request->target.program ? xstrdup(request->target.program) : find_on_path("pulumi");
	snprintf(place->stack, sizeof(place->stack), "envd-%.8s", request->environment.text);
	if (!check_trust(request, err))
		return false;
	if (!request->template_folder)
		return error_set(err, ERR_NOT_FOUND,
				 "the template of this environment is not there");
	if (!template_load(request->template_folder, NULL, &place->template, err) ||
	    !layer_list_load(request->template_folder, place->template->source, &place->list,
			     err) ||
	    !layer_list_choose_inventories(place->list, request->parameters, err) ||
	    !pins_resolve(place->template, request->pins, &place->versions, err))
		return false;
	place->root = *place->list->root ? path_join(place->checkout, place->list->root)
					 : xstrdup(place->checkout);
	return fill_python(place, err) && backend_open(place, err) &&
	       place_choose_layers(place, err);
}

/* ---- furnishing ---- */

static bool write_once(const struct pulumi_place *place, const char *name, const char *content,
		       mode_t mode, struct error *err)
{
	AUTO(free) char *path = place_path(place, name);

	return file_exists(path) ||
	       file_write_atomically(path, content, strlen(content), mode, err);
}

static bool make_passphrase(const struct pulumi_place *place, struct error *err)
{
	char passphrase[PASSPHRASE_LENGTH + 1];

	random_hex(passphrase, PASSPHRASE_LENGTH);
	return write_once(place, "passphrase", passphrase, 0600, err);
}

static bool make_wrapper(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *folder = place_path(place, "bin");
	AUTO(free)
	char *script = xasprintf(
	    "#!/bin/sh\n"
	    "# Stacks are called OWNER/PROJECT/STACK, and in a backend of files or a bucket whoami "
	    "does not say their owner.\n"
	    "for word; do\n"
	    "\tcase $word in\n"
	    "\t-*) ;;\n"
	    "\twhoami) echo '%s'; exit ;;\n"
	    "\t*) break ;;\n"
	    "\tesac\n"
	    "done\n"
	    "exec '%s' \"$@\"\n",
	    backend_owner(place), place->program ? place->program : "pulumi");

	return folder_make(folder, 0700, err) && write_once(place, "bin/pulumi", script, 0700, err);
}

/* Plugins are big and the same for everybody: those of the server's own user are looked into. */
static bool share_plugins(const struct pulumi_place *place, struct error *err)
{
	const char *home = getenv("HOME");
	AUTO(free) char *shared = xasprintf("%s/.pulumi/plugins", home ? home : "/root");
	AUTO(free) char *own = place_path(place, "plugins-home/plugins");

	if (!file_exists(shared) && !place->list->acquires_plugins)
		return true;
	if (!folder_make(shared, 0755, err))
		return false;
	return symlink(shared, own) == 0 || errno == EEXIST ||
	       error_set_errno(err, errno, "cannot link \"%s\"", own);
}

/* What is claimed is what is built on, and nothing else. */
static bool kubeconfig_of_target(const struct pulumi_place *place, char **path, struct error *err)
{
	const struct engine_target *target = &place->request->target;
	AUTO(free) char *named = NULL;

	if (place->list->kubeconfig && !place_fill(place, place->list->kubeconfig, &named, err))
		return false;
	if (named && *named && strcmp(named, target->kubeconfig) != 0)
		return error_set_as(err, ERR_INVALID, "kubeconfig_invalid",
				    "target \"%s\" has a kubeconfig of its own, and the template "
				    "names another one, \"%.200s\"",
				    target->name, named);
	*path = xstrdup(target->kubeconfig);
	return true;
}

static bool check_readable(char **path, struct error *err)
{
	if (**path == '/' && access(*path, R_OK) == 0)
		return true;
	if (**path == '/')
		error_set_errno(err, errno, "the kubeconfig \"%.200s\" cannot be read", *path);
	else
		error_set(err, ERR_INVALID,
			  "the kubeconfig must be a file of the server by its absolute path (got "
			  "\"%.200s\")",
			  *path);
	err->code = ERR_INVALID;
	err->slug = "kubeconfig_invalid";
	free(*path);
	*path = NULL;
	return false;
}

bool place_kubeconfig(const struct pulumi_place *place, char **path, struct error *err)
{
	*path = NULL;
	if (place->request->target.kubeconfig)
		return kubeconfig_of_target(place, path, err) &&
		       (check_readable(path, err) ||
			error_wrap(err, "target \"%s\"", place->request->target.name));
	if (!place->list->kubeconfig)
		return true;
	if (!place_fill(place, place->list->kubeconfig, path, err))
		return false;
	if (!**path) {
		free(*path);
		*path = NULL;
		return true;
	}
	return check_readable(path, err);
}

static bool copy_kubeconfig(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *from = NULL;
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!place_kubeconfig(place, &from, err))
		return false;
	return !from || (file_read(from, KUBECONFIG_BYTES_MAX, &bytes, &length, err) &&
			 write_once(place, "kubeconfig", bytes, 0600, err));
}

bool place_furnish(const struct pulumi_place *place, struct error *err)
{
	static const char *const folders[] = { "home", "tmp",    "docker", "plugins-home",
					       "logs", "states", "backend" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		AUTO(free) char *path = place_path(place, folders[i]);

		if (!folder_make(path, 0700, err))
			return false;
	}
	return make_passphrase(place, err) && make_wrapper(place, err) &&
	       share_plugins(place, err) && copy_kubeconfig(place, err);
}

/* ---- variables ---- */

static void add(struct variable_list *list, char *variable)
{
	variable_list_add(list, variable);
}

static char *make_path(const struct pulumi_place *place)
{
	const char *path = getenv("PATH");
	AUTO(free) char *program = place->program ? xstrdup(place->program) : xstrdup("/usr/bin/x");
	AUTO(free) char *venv = place->venv ? xasprintf("%s/bin:", place->venv) : xstrdup("");

	*strrchr(program, '/') = '\0';
	return xasprintf("PATH=%s/bin:%s%s:%s", place->folder, venv, program,
			 path ? path : "/usr/local/bin:/usr/bin:/bin");
}

static void add_folders(const struct pulumi_place *place, struct variable_list *list)
{
	static const struct {
		const char *variable, *name;
	} folders[] = {
		// clang-format off
		{ "HOME", "home" },
		{ "XDG_CONFIG_HOME", "home/.config" },
		{ "XDG_CACHE_HOME", "home/.cache" },
		{ "XDG_DATA_HOME", "home/.local/share" },
		{ "TMPDIR", "tmp" },
		{ "DOCKER_CONFIG", "docker" },
		{ "KUBECONFIG", "kubeconfig" },
		{ "PULUMI_HOME", "plugins-home" },
		{ "PULUMI_CONFIG_PASSPHRASE_FILE", "passphrase" },
		{ "ENVD_FOLDER", "." },
		// clang-format on
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		add(list,
		    xasprintf("%s=%s/%s", folders[i].variable, place->folder, folders[i].name));
}

static void add_constants(const struct pulumi_place *place, struct variable_list *list)
{
	static const char *const constants[] = {
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"NO_COLOR=1",
		"PYTHONUNBUFFERED=1",
		"PYTHONDONTWRITEBYTECODE=1",
	};
	static const char *const passed[] = { "LANG",          "LC_ALL",       "TZ", "USER",
					      "SSL_CERT_FILE", "SSL_CERT_DIR", NULL };
	AUTO(free) char **ours = variables_pick(passed);

	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		add(list, xstrdup(constants[i]));
	for (char **variable = ours; *variable; variable++)
		add(list, xstrdup(*variable));
	/* What a destroy needs must not hang on a registry. */
	if (!place->list || !place->list->acquires_plugins)
		add(list, xstrdup("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true"));
}

static bool add_own(const struct pulumi_place *place, struct variable_list *list, struct error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach_const(place->list->variables.plain, name, value) {
		AUTO(free) char *text = NULL;

		if (!place_fill(place, json_string_value(value), &text, err))
			return false;
		/* Some programs only look whether a variable is there. */
		if (*text)
			add(list, xasprintf("%s=%s", name, text));
	}
	return true;
}

/* A command that prints one runs with the variables so far. */
static bool add_secrets(struct pulumi_place *place, struct variable_list *list, struct error *err)
{
	struct variable_list hidden = { NULL, 0 };

	hidden_free(place);
	for (size_t i = 0; i < place->list->variables.secret_count; i++) {
		const struct layer_secret *secret = &place->list->variables.secrets[i];
		char *text = NULL;

		if (!secret_read(place, secret, &text, err))
			return false;
		if (!text)
			continue;
		add(list, xasprintf("%s=%s", secret->key, text));
		place->variables = list->items;
		if (strlen(text) >= HIDDEN_LENGTH_MIN && secret->kind != LAYER_SECRET_TEXT)
			add(&hidden, xstrdup(text));
		explicit_bzero(text, strlen(text));
		free(text);
		place->hidden = hidden.items;
	}
	return true;
}

char *place_mask(const struct pulumi_place *place, const char *line)
{
	char *masked = NULL;

	for (char **secret = place->hidden; secret && *secret; secret++)
		for (char *at; (at = strstr(masked ? masked : line, *secret));) {
			const char *from = masked ? masked : line;
			char *next =
			    xasprintf("%.*s***%s", (int)(at - from), from, at + strlen(*secret));

			free(masked);
			masked = next;
		}
	return masked;
}

static bool add_backend(struct pulumi_place *place, struct variable_list *list, struct error *err)
{
	char *const *words;

	if (!place->list)
		return true; /* nothing of a template is run */
	/* A command that prints credentials runs with what there is by now. */
	if (!place->variables)
		place->variables = list->items;
	if (!backend_variables(place, &words, err)) {
		place->variables = place->variables == list->items ? NULL : place->variables;
		return false;
	}
	if (place->variables == list->items)
		place->variables = NULL;
	for (; *words; words++)
		add(list, xstrdup(*words));
	return true;
}

bool place_set_variables(struct pulumi_place *place, struct error *err)
{
	struct variable_list list = { NULL, 0 };

	add(&list, place_mark(place->request));
	add(&list, make_path(place));
	add(&list, xasprintf("PULUMI_STACK=%s", place->stack));
	add_folders(place, &list);
	if (place->venv) {
		add(&list, xasprintf("VIRTUAL_ENV=%s", place->venv));
		add(&list, xasprintf("PULUMI_PYTHON_CMD=%s/bin/python", place->venv));
	}
	add_constants(place, &list);
	if (!add_own(place, &list, err) || !add_backend(place, &list, err) ||
	    !target_variables(&place->request->target, &list, err)) {
		variable_list_release(&list);
		return false;
	}
	variables_free(place);
	place->variables = list.items;
	return add_secrets(place, &list, err);
}
