#include "engine/pulumi/python_venv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/tool_set.h"

enum {
	ASK_LIMIT_MS = 30000,
	LOCK_LOOK_MS = 100,
	REQUIREMENTS_MAX = 1 << 20,
	UNUSED_S = 30 * 86400
};
#define COMPLETE "complete"

static bool read_requirements(const char *path, char **bytes, struct error *err)
{
	if (file_read(path, REQUIREMENTS_MAX, bytes, NULL, err))
		return true;
	err->code = ERR_INVALID;
	err->slug = "requirements_missing";
	return error_wrap(err, "the requirements");
}

bool requirements_hash(const char *path, char *into, struct error *err)
{
	AUTO(free) char *bytes = NULL;

	if (!read_requirements(path, &bytes, err))
		return false;
	sha256_text(bytes, strlen(bytes), into);
	return true;
}

/* ---- which Python ---- */

/* "3.11.2 x86_64", of which two builds are not mixed. */
static bool ask_python(const struct python_need *need, const char *python, char **identity,
		       struct error *err)
{
	const char *const words[] = {
		python, "-c",
		"import platform, sys; print(platform.python_version(), platform.machine(), "
		"sys.base_prefix)",
		NULL
	};
	struct tool_end end;

	if (!tool_run(&(struct tool_spec){ .argv = words,
					   .variables = need->place->variables,
					   .directory = "/",
					   .limit_ms = ASK_LIMIT_MS },
		      4096, identity, &end, err))
		return false;
	return tool_ended_well(&end) ||
	       error_set_as(err, ERR_INVALID, "python_missing", "\"%s\" does not run", python);
}

static bool find_python(const struct pulumi_place *place, char **python, struct error *err)
{
	AUTO(free) char *name = xasprintf("python%s", place->list->python);

	*python = find_on_path(name);
	return *python || error_set_as(err, ERR_INVALID, "python_missing",
				       "there is no %s on the server's PATH", name);
}

bool python_check(const struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *python = NULL;

	return find_python(place, &python, err);
}

static bool find_key(const struct python_need *need, char **python, char *key, struct error *err)
{
	AUTO(free) char *identity = NULL;
	AUTO(free) char *requirements = NULL;
	AUTO(free) char *all = NULL;

	if (!find_python(need->place, python, err))
		return false;
	if (!ask_python(need, *python, &identity, err) ||
	    !read_requirements(need->requirements, &requirements, err))
		return false;
	all = xasprintf("%s\n%s", identity, requirements);
	sha256_text(all, strlen(all), key);
	key[24] = '\0';
	return true;
}

/* ---- making it ---- */

/* pip says in its last "ERROR:" what it could not do; what comes before is how it tried. */
struct pip_words {
	char *error;
	char *last;
};

static void on_pip_line(void *arg, int stream, const char *line, size_t length, bool was_cut)
{
	struct pip_words *words = arg;
	char shown[400];

	(void)stream;
	(void)was_cut;
	if (!length)
		return;
	text_printable(line, shown, sizeof(shown));
	free(words->last);
	words->last = xstrdup(shown);
	if (!text_starts_with(shown, "ERROR: "))
		return;
	free(words->error);
	words->error = xstrdup(shown + strlen("ERROR: "));
}

static bool run(const struct python_need *need, const char *const *argv, struct error *err)
{
	struct pip_words words = { NULL, NULL };
	struct tool_end end;
	bool is_good = tools_may_start(err) &&
		       tool_run(&(struct tool_spec){ .argv = argv,
						     .variables = need->place->variables,
						     .directory = "/",
						     .on_line = on_pip_line,
						     .arg = &words },
				0, NULL, &end, err);

	if (is_good && !tool_ended_well(&end)) {
		AUTO(free) char *ending = tool_end_words(&end);
		const char *why = words.error ? words.error : words.last ? words.last : ending;

		is_good = error_set_as(err, ERR_EXTERNAL, "requirements_failed",
				       "the requirements \"%s\" cannot be installed: %s",
				       need->place->list->requirements, why);
	}
	free(words.error);
	free(words.last);
	return is_good;
}

static bool install(const struct python_need *need, const char *python, const char *venv,
		    struct error *err)
{
	AUTO(free) char *pip = xasprintf("%s/bin/pip", venv);
	AUTO(free) char *complete = path_join(venv, COMPLETE);
	const char *const make[] = { python, "-m", "venv", venv, NULL };
	const char *const fill[] = { pip,
				     "install",
				     "--quiet",
				     "--no-input",
				     "--disable-pip-version-check",
				     "--requirement",
				     need->requirements,
				     NULL };

	return folder_remove(venv, err) && run(need, make, err) && run(need, fill, err) &&
	       file_write_atomically(complete, "", 0, 0644, err);
}

static bool lock(const char *path, int *fd, struct error *err)
{
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(err, errno, "cannot lock \"%s\"", path);
		if (!tools_may_start(err))
			return false;
		poll(NULL, 0, LOCK_LOOK_MS);
	}
	return true;
}

/* One that nobody has used for a month can be made again. */
static void remove_unused(const char *folder)
{
	AUTO(closedir) DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		AUTO(free) char *venv = path_join(folder, entry->d_name);
		AUTO(free) char *complete = path_join(venv, COMPLETE);
		AUTO(free) char *lock_path = xasprintf("%s.lock", venv);
		AUTO(close) int fd = -1;
		struct error ignored; /* the next one tries again */
		struct stat status;

		if (entry->d_name[0] == '.' || stat(complete, &status) != 0 ||
		    clock_wall_ms() / 1000 - status.st_mtim.tv_sec < UNUSED_S)
			continue;
		fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)!folder_remove(venv, &ignored);
	}
}

bool python_venv(const struct python_need *need, struct worker_lines *lines, char **result,
		 struct error *err)
{
	AUTO(free) char *python = NULL;
	AUTO(free) char *venv = NULL;
	AUTO(free) char *complete = NULL;
	AUTO(free) char *lock_path = NULL;
	AUTO(free) char *folder = NULL;
	AUTO(close) int fd = -1;
	char key[SHA256_TEXT_SIZE];

	if (!find_key(need, &python, key, err) || !folder_make(need->folder, 0700, err))
		return false;
	/* Its scripts name it, so the name must not lead through an environment that will end. */
	folder = realpath(need->folder, NULL);
	if (!folder)
		return error_set_errno(err, errno, "cannot find \"%s\"", need->folder);
	venv = path_join(folder, key);
	complete = path_join(venv, COMPLETE);
	lock_path = xasprintf("%s.lock", venv);
	if (!file_exists(complete)) {
		worker_say_progress(lines, "waiting for the Python packages");
		if (!lock(lock_path, &fd, err))
			return false;
		if (!file_exists(complete) && !install(need, python, venv, err))
			return false;
	}
	/* It was used. What cannot be touched is only made again sooner. */
	utimensat(AT_FDCWD, complete, NULL, 0);
	remove_unused(folder);
	*result = TAKE(venv);
	return true;
}
