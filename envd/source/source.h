/*
 * source.h - a git repository as a source of templates: one commit of it, as a folder. Worker side:
 * blocking, straight-line code.
 *
 * FOLDER/lock            held while the mirror is looked at or changed
 * FOLDER/mirror/         bare; what was fetched so far
 * FOLDER/modules/HASH/   the same for submodules
 * FOLDER/trees/COMMIT-HASH/   the wanted path of one commit; made whole or not at all, never
 * changed
 *
 * libgit2 1.5 can fetch neither shallowly nor parts of a tree: what keeps this small is that only
 * the wanted ref is fetched, what the mirror has already is not, and the limits.
 */
#ifndef ENVD_SOURCE_SOURCE_H
#define ENVD_SOURCE_SOURCE_H

#include "base/json_read.h"
#include "wire/worker_lines.h"

struct source_limits {
	int64_t time_ms;
	int64_t wire_bytes;     /* of one fetch */
	int64_t objects;        /* of one fetch */
	int64_t files;          /* files and folders of a tree, submodules included */
	int64_t checkout_bytes; /* likewise */
	int64_t trees;          /* kept, beside those that were used in the last `keep_ms` */
	int64_t keep_ms;
};

/* Borrowed from the request. What may be absent is NULL. */
struct source_spec {
	const char *name;
	const char *repository;
	const char *ref;    /* NULL: the default branch */
	const char *path;   /* inside of the repository; "" for all of it */
	const char *folder; /* of this source: ours to write into */
	const char *user;
	const char *token_file;
	const char *ssh_key_file;
	const char *known_hosts;
	const char *ca_file;
	bool with_submodules;
	const json_t *submodule_hosts; /* ["github.com", ...] */
	struct source_limits limits;
	int64_t deadline_at_ms; /* monotonic */
};

/*
 * {"ref": "refs/heads/main", "commit": "...", "folder": ".../trees/...", "reviewed": true}
 * "ref" is null for a commit; "reviewed": it is on a branch or in a tag, so somebody who may write
 * to the repository has put it there (anybody can open a pull request). New reference.
 *
 * Errors: ERR_INVALID "ref_not_found", "ref_ambiguous", "source_path_missing", "source_unsafe";
 * ERR_LIMIT "source_too_large"; ERR_EXTERNAL "source_failed", "source_denied",
 * "certificate_invalid", "host_key_unknown", "host_key_changed", "submodule_refused".
 */
NODISCARD bool source_fetch(const struct source_spec *spec, struct worker_lines *lines,
			    json_t **data, struct error *err);

/* `json` is "source" of the request. */
NODISCARD bool source_spec_read(const json_t *json, struct source_spec *spec, struct error *err);

#endif
