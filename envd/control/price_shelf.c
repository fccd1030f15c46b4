#include "control/price_shelf.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

enum { FILES_MAX = 500 };

struct price_shelf {
	const struct option_list *folders;
	struct price_books books;
	char *stamp; /* of the files as they were looked at last */
	char *problem;
};

/* ---- which files ---- */

static bool is_book(const char *name)
{
	return text_ends_with(name, ".yaml") && name[0] != '.';
}

static bool add_folder(const char *folder, struct option_list *paths, struct error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0)
		return error_set_errno(err, errno, "folder of price books \"%s\"", folder);
	for (int i = 0; i < count; i++) {
		if (is_book(entries[i]->d_name))
			option_list_add(paths, path_join(folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return paths->count <= FILES_MAX ||
	       error_set(err, ERR_LIMIT, "there are more than %d price books", FILES_MAX);
}

static void free_paths(struct option_list *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free((void *)(uintptr_t)paths->items[i]);
	option_list_release(paths);
}

static bool list_files(const struct price_shelf *shelf, struct option_list *paths,
		       struct error *err)
{
	for (size_t i = 0; i < shelf->folders->count; i++)
		if (!add_folder(shelf->folders->items[i], paths, err))
			return false;
	return true;
}

/* What differs when a file has come, gone or been written. */
static char *stamp_of(const struct option_list *paths)
{
	struct text stamp = TEXT_EMPTY;

	for (size_t i = 0; i < paths->count; i++) {
		struct stat status = { 0 };

		if (stat(paths->items[i], &status) != 0)
			status.st_size = -1;
		text_format(&stamp, "%s %lld %lld %lld.%09ld\n", paths->items[i],
			    (long long)status.st_ino, (long long)status.st_size,
			    (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	}
	return text_take(&stamp);
}

/* ---- reading ---- */

static bool read_books(const struct option_list *paths, struct price_books *books,
		       struct error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		AUTO(free) char *bytes = NULL;
		struct price_book *book;
		size_t length;

		if (!file_read(paths->items[i], PRICE_BOOK_BYTES_MAX, &bytes, &length, err) ||
		    !price_book_parse(bytes, length, paths->items[i], &book, err) ||
		    !price_books_add(books, book, err)) {
			price_books_release(books);
			return false;
		}
	}
	return true;
}

static bool read_anew(struct price_shelf *shelf, const struct option_list *paths, struct error *err)
{
	struct price_books books = { NULL, 0 };

	if (!read_books(paths, &books, err))
		return false;
	price_books_release(&shelf->books);
	shelf->books = books;
	return true;
}

static void set_problem(struct price_shelf *shelf, const char *problem)
{
	if (problem && !text_equal(problem, shelf->problem))
		log_line(LOG_WARN, "", "price books stay as they were: %s", problem);
	free(shelf->problem);
	shelf->problem = problem ? xstrdup(problem) : NULL;
}

static void look_again(struct price_shelf *shelf)
{
	struct option_list paths = OPTION_LIST_EMPTY;
	AUTO(free) char *stamp = NULL;
	struct error err;

	if (!list_files(shelf, &paths, &err)) {
		set_problem(shelf, err.message);
		free_paths(&paths);
		return;
	}
	stamp = stamp_of(&paths);
	if (!text_equal(stamp, shelf->stamp)) {
		set_problem(shelf, read_anew(shelf, &paths, &err) ? NULL : err.message);
		free(shelf->stamp);
		shelf->stamp = TAKE(stamp);
	}
	free_paths(&paths);
}

bool price_shelf_open(const struct option_list *folders, struct price_shelf **shelf,
		      struct error *err)
{
	struct price_shelf *made = xcalloc(1, sizeof(*made));
	struct option_list paths = OPTION_LIST_EMPTY;
	bool done;

	made->folders = folders;
	done = list_files(made, &paths, err) && read_anew(made, &paths, err);
	made->stamp = stamp_of(&paths);
	free_paths(&paths);
	if (!done) {
		price_shelf_free(made);
		return false;
	}
	*shelf = made;
	return true;
}

void price_shelf_free(struct price_shelf *shelf)
{
	if (!shelf)
		return;
	price_books_release(&shelf->books);
	free(shelf->stamp);
	free(shelf->problem);
	free(shelf);
}

const struct price_books *price_shelf_books(struct price_shelf *shelf)
{
	static const struct price_books none;

	if (!shelf)
		return &none;
	look_again(shelf);
	return &shelf->books;
}

const char *price_shelf_problem(struct price_shelf *shelf)
{
	if (!shelf)
		return NULL;
	look_again(shelf);
	return shelf->problem;
}
