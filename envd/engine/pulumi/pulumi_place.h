/*
 * pulumi_place.h - an environment's own place: its copy of the checkout, its backend, its home, and
 * the variables that keep every program of it inside.
 *
 *	FOLDER/pulumi/checkout/     the projects, as they were when it was asked for
 *	              backend/      states, file://
 *	              home/ tmp/ docker/ plugins-home/   HOME, TMPDIR, DOCKER_CONFIG, PULUMI_HOME
 *	              bin/pulumi    answers whoami (MARA names its stacks by it), else the real one
 *	              kubeconfig    KUBECONFIG
 *	              passphrase    0600; removed when every stack is gone
 *	              states/       copies of the states, the newest few of each layer
 *	              logs/         what the programs of each layer said
 *	              record.json   how far each layer is (pulumi_record.h)
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_PLACE_H
#define ENVD_ENGINE_PULUMI_PULUMI_PLACE_H

#include "engine/engine.h"
#include "model/layer_list.h"
#include "model/template.h"

/* A layer's project as it lies in the checkout. Everything is NULL for a hook. */
struct pulumi_project {
	char *folder;
	char *name;
	char *runtime;
	char *config_folder;  /* where Pulumi.STACK.yaml lies: projects may share one */
	json_t *config_types; /* {KEY: type} that the project itself declares */
};

struct pulumi_place {
	const struct engine_request *request;
	struct template *template;
	struct layer_list *list;
	struct pulumi_project *projects; /* one for each layer; NULL before place_read_projects() */
	char *folder;                    /* FOLDER/pulumi */
	char *checkout;
	char *root;    /* of the projects */
	char *program; /* the CLI; NULL: not found */
	char stack[16];
	json_t *versions; /* of components */
	char *venv;       /* NULL: no Python, or not yet */
	bool hides_own;   /* what is every environment's own stays a placeholder: for comparing */
	char **hidden;    /* secret values among `variables`; ends with NULL; NULL: none */
	char **variables; /* after place_set_variables(); ends with NULL */
	struct pulumi_backend *backend; /* pulumi_backend.c's */
};

/* Reads the template, and which of its layers this environment has: they are known as soon as the
 * order of the checkout is (place_choose_layers()), if the template asks for it. ERR_DENIED
 * "untrusted_program": its programs would run on our host; ERR_NOT_FOUND when the template is gone;
 * ERR_INVALID what is wrong with it. */
NODISCARD bool place_open(const struct engine_request *request, struct pulumi_place *place,
			  struct error *err);
void place_release(struct pulumi_place *place);

static inline void auto_place_release(struct pulumi_place *place)
{
	place_release(place);
}

/* From its parameters and the order that the checkout says (engine/pulumi/pulumi_order.h has
 * written it down). Nothing happens the second time. */
NODISCARD bool place_choose_layers(struct pulumi_place *place, struct error *err);

/* A program on our PATH; NULL: there is none. The caller frees. */
char *find_on_path(const char *name);

/* FOLDER/pulumi/NAME; the caller frees. */
char *place_path(const struct pulumi_place *place, const char *name);

/* Text with its ${...} filled in; the caller frees. ERR_INVALID names what is unknown. */
NODISCARD bool place_fill(const struct pulumi_place *place, const char *text, char **filled,
			  struct error *err);

/* Folders, the passphrase, the program that answers whoami, the kubeconfig. Repeatable. */
NODISCARD bool place_furnish(const struct pulumi_place *place, struct error *err);

/* The file of the server that the template's `kubeconfig` names; `*path` NULL: it names none. The
 * caller frees. ERR_INVALID "kubeconfig_invalid". */
NODISCARD bool place_kubeconfig(const struct pulumi_place *place, char **path, struct error *err);

/* For every program that runs in it; again after `venv` is known. */
NODISCARD bool place_set_variables(struct pulumi_place *place, struct error *err);

/* What a program says, without the secrets that it was given in variables; NULL: it says none. The
 * caller frees. */
char *place_mask(const struct pulumi_place *place, const char *line);

/* Pulumi.yaml of every layer, in this checkout (ours, or what it will be copied from).
 * ERR_INVALID "project_missing", "project_unlisted" (one that the list does not know),
 * "project_name_taken", "project_unsafe". */
NODISCARD bool place_read_projects(struct pulumi_place *place, const char *checkout,
				   struct error *err);
void place_forget_projects(struct pulumi_place *place);

/* The mark that every program of an environment carries in its variables. The caller frees. */
char *place_mark(const struct engine_request *request);

#endif
