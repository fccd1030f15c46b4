/*
 * layer_list.h - what a template's layers.yaml says (templates/pulumi.md is its manual): where the
 * checkout is, which of its Pulumi projects are built and what each needs, their configuration, and
 * who can tell what exists out there.
 *
 * Everything is checked while reading; an unknown key is an error with file, line and column. Text
 * may hold ${parameters.NAME}, ${components.NAME} and what else engine/pulumi fills in.
 */
#ifndef ENVD_MODEL_LAYER_LIST_H
#define ENVD_MODEL_LAYER_LIST_H

#include <jansson.h>
#include <stdint.h>

#include "model/layer_change.h"
#include "model/layer_config.h"
#include "model/layer_forward.h"
#include "model/layer_graph.h"

#define LAYER_LIST_BYTES_MAX ((size_t)256 * 1024)

/* A Pulumi project, or (`project` NULL) a hook: commands of the template's own. */
struct layer_spec {
	char *name;
	char *project; /* folder below the root of the checkout; may hold ${...} until selected */
	char **up;     /* ends with NULL; NULL: a project */
	char **down;   /* NULL: it leaves nothing behind */
	char **needs;  /* ends with NULL */
	json_t *when;  /* {PARAMETER: [value, ...]}: not there otherwise; NULL: always */
	struct layer_config config;
	struct layer_variables variables; /* for everybody, while the layer is there */
	int64_t limit_ms;                 /* of one operation; 0: what the environment has left */
	bool is_found;                    /* not in the list: the checkout's own order has it */
};

/* Who can tell what of a provider exists, whatever the state says: commands of the template, or an
 * adapter of ours (engine/cloud) with what it needs to know. */
struct layer_inventory {
	char *provider; /* "aws"; "pulumi-python" for dynamic providers; a hook's name */
	json_t *when;   /* {PARAMETER: [value, ...]}: nobody can tell otherwise; NULL: always */
	char **list;    /* prints JSON: templates/pulumi.md; NULL: `adapter` or `gone_with` tells */
	char **remove;  /* gets an id as its last argument; NULL: it cannot */
	char **gone_with; /* in whose things its own lie; ends with NULL; NULL: in nobody's */

	char *adapter;   /* NULL: the above tell */
	char **regions;  /* these and what follows end with NULL, and may hold ${...} */
	char **clusters; /* besides those that a state names */
	char **tags;     /* "Key=Value", or one word */
	char **names;    /* patterns */
	char *endpoint;  /* NULL: the cloud's own */
	struct layer_secret credentials;
	int64_t settle_ms; /* how long a cloud may go on telling what was a moment ago */
};

/* Where the states are kept. `url` NULL: files of the environment's own. */
struct layer_backend {
	char *url;                       /* "s3://BUCKET?region=...", "https://..." */
	char *secrets;                   /* who encrypts: "awskms://..."; NULL: a passphrase */
	char *organization;              /* of Pulumi Cloud */
	struct layer_secret credentials; /* `key` NULL: none */
};

/* What must run in the cluster when it is built: by image, or by a release's chart. */
struct layer_verify {
	char *pin;     /* a component; without a pin nothing is demanded */
	char *image;   /* pattern; or NULL and `release` */
	char *where;   /* pattern of NAMESPACE/KIND/NAME/CONTAINER, for images */
	char *release; /* NAMESPACE/NAME */
	char *layer;   /* only if it is there; NULL: always */
};

/* Without it the checkout is not one that the template is for. */
struct layer_expectation {
	char *path; /* in the checkout */
	char *why;  /* what it means that it is missing, and what helps */
	json_t *when;
};

struct layer_list {
	char *pulumi_version; /* exactly */
	char *folder;         /* of the checkout, inside the template; or NULL and: */
	char *source;         /* a git source of the server's configuration */
	char *ref;            /* in it; may hold ${...}; NULL: the source's own */
	char *pin;            /* a component that says the ref instead; NULL: none does */
	struct layer_expectation *expected;
	size_t expected_count;
	char *root;         /* below which projects are looked for; "" is the checkout itself */
	char **ignored;     /* projects that are there and not built: patterns of folders */
	char *kubeconfig;   /* a file of the server, copied for the environment; NULL: none */
	char *python;       /* "3.11"; NULL: no Python */
	char *requirements; /* a file of the checkout */
	char *venv_link;    /* where projects look for their packages: made a link; NULL: nowhere */
	char **order;       /* prints the projects of the checkout in their order; NULL: nobody */
	struct layer_variables variables;
	struct layer_config config;   /* of every layer */
	json_t *overrides;            /* of `changes`: where nobody else sets a key */
	struct layer_change *changes; /* of the checkout, in this order */
	size_t change_count;
	bool acquires_plugins;
	char **plugins; /* resource plugins that must be there; ends with NULL; NULL: none */
	int64_t parallel;
	struct layer_spec *layers;
	size_t count;
	struct layer_inventory *inventories;
	size_t inventory_count;
	char **left_out; /* providers whose inventory's `when` does not hold; ends with NULL */
	struct layer_backend backend;
	char **policies; /* folders of the template; ends with NULL; NULL: none */
	struct layer_forwards forwards;
	struct layer_verify *verify;
	size_t verify_count;
	struct layer_graph *graph; /* sorted; an index is the same as in `layers` */
	bool is_selected; /* by model/layer_select.h; before, `layers` are all there could be */
};

/* `path` names the text in errors. Error: ERR_INVALID, slugs yaml_malformed, template_invalid,
 * layer_cycle. */
NODISCARD bool layer_list_parse(const char *bytes, size_t length, const char *path,
				struct layer_list **list, struct error *err);
NODISCARD bool layer_list_load(const char *folder, const char *source, struct layer_list **list,
			       struct error *err);
void layer_list_free(struct layer_list *list);
DEFINE_AUTO(struct layer_list *, layer_list_free)

/* Anew, after `layers` have changed. ERR_INVALID "template_invalid", "layer_cycle". */
NODISCARD bool layer_list_connect(struct layer_list *list, struct error *err);
void layer_spec_release(struct layer_spec *layer);
void layer_inventory_release(struct layer_inventory *inventory);

/* NULL: nobody can tell. Ask after layer_list_choose_inventories(). */
const struct layer_inventory *layer_list_inventory(const struct layer_list *list,
						   const char *provider);

#endif
