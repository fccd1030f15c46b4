#include "jobs/job_follow.h"

#include <errno.h>
#include <fcntl.h>

#include "base/files.h"
#include "base/line_reader.h"
#include "loop/timer.h"
#include "wire/job_files.h"

#define POLL_MS 1000
/* Of one job in one turn: others want to be heard too. */
#define TURN_BYTES_MAX (256 * 1024)

struct job_follow {
	struct loop *loop;
	char *path;
	int fd; /* -1 until the file is there */
	struct folder_watch *watch;
	struct timer *timer;
	struct line_reader reader;
	int64_t offset; /* after the last whole line */
	bool is_over;
	void (*on_line)(void *arg, enum worker_line_type type, const json_t *object,
			int64_t offset_after);
	void *arg;
};

static void take_line(void *arg, const char *line, size_t length, bool was_cut)
{
	struct job_follow *follow = arg;
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;
	struct error ignored; /* see the header */

	(void)was_cut; /* the supervisor lets no such line through */
	if (follow->is_over)
		return;
	follow->offset += (int64_t)length + 1;
	if (worker_line_parse(line, length, &type, &object, &ignored))
		follow->on_line(follow->arg, type, object, follow->offset);
}

static bool open_file(struct job_follow *follow)
{
	if (follow->fd >= 0)
		return true;
	follow->fd = open(follow->path, O_RDONLY | O_CLOEXEC);
	return follow->fd >= 0 && lseek(follow->fd, follow->offset, SEEK_SET) >= 0;
}

/* True when there may be more. */
static bool read_some(struct job_follow *follow, size_t bytes_max)
{
	char block[65536];

	while (bytes_max && !follow->is_over) {
		ssize_t got = read(follow->fd, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		line_reader_feed(&follow->reader, block, (size_t)got);
		bytes_max -= (size_t)got < bytes_max ? (size_t)got : bytes_max;
	}
	return true;
}

static void look(struct job_follow *follow)
{
	bool has_more = open_file(follow) && read_some(follow, TURN_BYTES_MAX);

	if (!follow->is_over)
		timer_set_ms(follow->timer, has_more ? 0 : POLL_MS);
}

static void look_again(void *arg)
{
	look(arg);
}

struct job_follow *job_follow_new(struct loop *loop, struct folder_watches *watches,
				  const char *folder, int64_t offset,
				  void (*on_line)(void *arg, enum worker_line_type type,
						  const json_t *object, int64_t offset_after),
				  void *arg)
{
	struct job_follow *follow = xcalloc(1, sizeof(*follow));

	follow->loop = loop;
	follow->path = path_join(folder, JOB_LINES_FILE);
	follow->fd = -1;
	follow->offset = offset;
	follow->on_line = on_line;
	follow->arg = arg;
	follow->reader = (struct line_reader){ .line_bytes_max = WORKER_LINE_BYTES_MAX,
					       .on_line = take_line,
					       .arg = follow };
	follow->timer = timer_new(loop, look_again, follow);
	follow->watch = folder_watch_new(watches, folder, look_again, follow);
	timer_set_ms(follow->timer, 0);
	return follow;
}

void job_follow_read_to_end(struct job_follow *follow)
{
	if (open_file(follow))
		read_some(follow, SIZE_MAX);
}

static void free_later(void *arg)
{
	struct job_follow *follow = arg;

	line_reader_release(&follow->reader);
	if (follow->fd >= 0)
		close(follow->fd);
	free(follow->path);
	free(follow);
}

void job_follow_free(struct job_follow *follow)
{
	if (!follow || follow->is_over)
		return;
	follow->is_over = true;
	folder_watch_free(follow->watch);
	timer_free(follow->timer);
	loop_defer(follow->loop, free_later, follow);
}
