#include "cli/command.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/clock.h"
#include "cli/environment_view.h"
#include "cli/event_stream.h"
#include "cli/interrupt.h"
#include "cli/top_view.h"

enum {
	TICK_MS = 100,
	REDRAW_MS = 1000,    /* the clock on the screen */
	LOOK_AGAIN_MS = 300, /* after an event; there may be many at once */
	LOOK_ANYWAY_MS = 30000,
	SILENCE_MS = 60000,
	AWAY_PAUSE_MS = 1000,
	CALL_MS = 10000,
};

enum screen { SCREEN_LIST, SCREEN_DETAILS, SCREEN_CONFIRM };

struct top {
	struct cli *cli;
	struct api_client *asks; /* a second connection: the first one is busy with events */
	struct event_stream events;
	struct top_view view;
	json_t *all; /* as the server said */
	enum screen screen;
	bool has_quit;
	bool has_news;
	int64_t looked_at_ms; /* monotonic */
	int64_t drawn_at_ms;  /* monotonic; 0: now */
	struct termios modes;
};

/* ---- what there is ---- */

static json_t *selected(const struct top *top)
{
	return json_array_get(top->view.environments, top->view.selected);
}

/* The same one stays selected wherever it moved. */
static void arrange(struct top *top)
{
	AUTO(free) char *id = xstrdup(json_get_string(selected(top), "id", ""));
	size_t i;
	json_t *environment;

	json_decref(top->view.environments);
	top->view.now_ms = clock_wall_ms();
	top->view.environments =
	    top_view_sort(top->all, top->view.has_faults_only, top->view.now_ms);
	json_array_foreach(top->view.environments, i, environment) {
		if (text_equal(json_get_string(environment, "id", ""), id))
			top->view.selected = i;
	}
	if (top->view.selected >= json_array_size(top->view.environments))
		top->view.selected = 0;
}

static bool look(struct top *top, struct error *err)
{
	json_t *items;

	top->has_news = false;
	top->looked_at_ms = clock_mono_ms();
	if (!api_get_all(top->asks, "/v1/environments", &items, err))
		return false;
	json_decref(top->all);
	top->all = items;
	top->view.is_away = false;
	arrange(top);
	top->drawn_at_ms = 0;
	return true;
}

/* ---- the screen ---- */

static void measure(struct top *top)
{
	struct winsize size;

	top->view.height = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
		top->view.height = size.ws_row;
		top->view.terminal.width = size.ws_col;
	}
}

/* One write, line by line over what was there: nothing flickers. */
static void put_frame(const char *frame)
{
	fputs("\033[H", stdout);
	for (; *frame; frame++) {
		if (*frame == '\n')
			fputs("\033[K\r", stdout);
		fputc(*frame, stdout);
	}
	fputs("\033[J", stdout);
	fflush(stdout);
}

static void draw(struct top *top)
{
	AUTO(text_release) struct text frame = TEXT_EMPTY;

	top->drawn_at_ms = clock_mono_ms();
	if (top->screen == SCREEN_DETAILS)
		return;
	measure(top);
	arrange(top);
	top_view_draw(&top->view, &frame);
	put_frame(text_get(&frame));
}

static void show_details(struct top *top)
{
	if (!selected(top))
		return;
	top->screen = SCREEN_DETAILS;
	fputs("\033[H\033[J", stdout);
	environment_print(top->cli, selected(top));
	fputs("\nany key goes back", stdout);
	fflush(stdout);
}

/* ---- keys ---- */

static void destroy(struct top *top)
{
	const char *name = json_get_string(selected(top), "name", "?");
	AUTO(free)
	char *path = api_path("/v1/environments/%s", json_get_string(selected(top), "id", ""));
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .method = "DELETE", .path = path, .timeout_ms = CALL_MS };
	struct error err;

	if (api_call(top->asks, &request, &answer, &err))
		snprintf(top->view.message, sizeof(top->view.message), "destroying env/%s", name);
	else
		snprintf(top->view.message, sizeof(top->view.message), "%.190s", err.message);
	top->has_news = true;
}

static void ask_to_destroy(struct top *top)
{
	if (!selected(top))
		return;
	top->screen = SCREEN_CONFIRM;
	snprintf(top->view.message, sizeof(top->view.message), "destroy env/%s? y or n",
		 json_get_string(selected(top), "name", "?"));
}

static void move(struct top *top, int by)
{
	size_t count = json_array_size(top->view.environments);

	if (by < 0 && top->view.selected > 0)
		top->view.selected--;
	if (by > 0 && top->view.selected + 1 < count)
		top->view.selected++;
}

static void press_in_list(struct top *top, char key)
{
	top->view.message[0] = '\0';
	switch (key) {
	case 'q':
		top->has_quit = true;
		break;
	case 'f':
		top->view.has_faults_only = !top->view.has_faults_only;
		break;
	case 'd':
		ask_to_destroy(top);
		break;
	case '\r':
	case '\n':
		show_details(top);
		break;
	case 'A': /* the last byte of an arrow */
	case 'k':
		move(top, -1);
		break;
	case 'B':
	case 'j':
		move(top, 1);
		break;
	default:
		break;
	}
}

static void press(struct top *top, char key)
{
	enum screen before = top->screen;

	top->screen = SCREEN_LIST;
	if (before == SCREEN_LIST) {
		press_in_list(top, key);
	} else if (before == SCREEN_CONFIRM) {
		top->view.message[0] = '\0';
		if (key == 'y')
			destroy(top);
	}
	top->drawn_at_ms = 0;
}

/* An arrow is ESC [ A, or ESC O A; of them only the last byte is a key. */
static void read_keys(struct top *top)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char bytes[64];
	ssize_t length;

	if (poll(&fd, 1, 0) <= 0)
		return;
	length = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (length <= 0)
		top->has_quit = true;
	for (ssize_t i = 0; i < length; i++) {
		if (bytes[i] == '\033' && i + 2 < length && strchr("[O", bytes[i + 1]))
			i += 2;
		else if (strchr("AB", bytes[i]))
			continue; /* somebody's capital is no arrow */
		press(top, bytes[i]);
	}
}

/* ---- events ---- */

static bool on_event(void *arg, const char *kind, const char *data)
{
	struct top *top = arg;

	(void)data;
	/* What is only said changes nothing that is shown. */
	top->has_news |= !text_equal(kind, "log") && !text_equal(kind, "progress");
	return true;
}

static bool on_bytes(void *arg, const char *bytes, size_t length)
{
	struct top *top = arg;

	/* The first bytes of a connection: what happened before it came is not told. */
	if (top->view.is_away)
		top->has_news = true;
	return event_stream_feed(&top->events, bytes, length);
}

static bool on_tick(void *arg)
{
	struct top *top = arg;
	int64_t now_ms = clock_mono_ms();
	int64_t since_ms = now_ms - top->looked_at_ms;
	struct error err; /* the stream ends too, and says it */

	read_keys(top);
	if ((top->has_news && since_ms >= LOOK_AGAIN_MS) || since_ms >= LOOK_ANYWAY_MS)
		top->view.is_away = !look(top, &err);
	if (now_ms - top->drawn_at_ms >= REDRAW_MS)
		draw(top);
	return !top->has_quit && !interrupt_signal();
}

/* The server is away: keys work, and it is tried again. */
static void wait_a_little(struct top *top)
{
	int64_t until_ms = clock_mono_ms() + AWAY_PAUSE_MS;
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = interrupt_fd(), .events = POLLIN } };

	top->view.is_away = true;
	draw(top);
	while (!top->has_quit && !interrupt_signal() && clock_mono_ms() < until_ms) {
		poll(fds, ARRAY_SIZE(fds), TICK_MS);
		read_keys(top);
	}
}

static bool watch(struct top *top, struct api_client *client, struct error *err)
{
	while (!top->has_quit) {
		struct api_stream stream = {
			.path = "/v1/events",
			.last_event_id = top->events.id[0] ? top->events.id : NULL,
			.silence_ms = SILENCE_MS,
			.on_bytes = on_bytes,
			.on_tick = on_tick,
			.tick_ms = TICK_MS,
			.arg = top,
		};
		bool was_served;

		event_stream_restart(&top->events);
		top->has_news = true;
		was_served = api_stream(client, &stream, err);
		if (interrupt_signal())
			return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
		if (!was_served && !error_is_transient(err))
			return false;
		if (!top->has_quit)
			wait_a_little(top);
	}
	return true;
}

/* ---- all of it ---- */

static void enter_screen(struct top *top)
{
	struct termios raw;

	tcgetattr(STDIN_FILENO, &top->modes);
	raw = top->modes;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	/* Stopped, it would leave a terminal that nobody can use. */
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
	fflush(stdout);
}

static void leave_screen(const struct top *top)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &top->modes);
}

static bool show_once(struct top *top)
{
	AUTO(text_release) struct text frame = TEXT_EMPTY;

	top->view.height = 0;
	top_view_draw(&top->view, &frame);
	fputs(text_get(&frame), stdout);
	return true;
}

static bool show(struct top *top, struct api_client *client, struct error *err)
{
	bool done;

	if (!look(top, err))
		return false;
	if (!top->cli->out.is_terminal || !isatty(STDIN_FILENO))
		return show_once(top);
	enter_screen(top);
	done = watch(top, client, err);
	leave_screen(top);
	return done;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	struct top top = { .cli = cli, .view.terminal = cli->out, .all = json_array() };
	struct api_client *client;
	bool done;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err)) {
		json_decref(top.all);
		return false;
	}
	/* The next one that is asked for is another connection. */
	top.asks = client;
	cli->client = NULL;
	top.view.server = api_client_server(client);
	top.events.on_event = on_event;
	top.events.arg = &top;
	done = cli_client(cli, &client, err) && show(&top, client, err);
	event_stream_release(&top.events);
	api_client_free(top.asks);
	json_decref(top.view.environments);
	json_decref(top.all);
	return done;
}

const struct command command_top = {
	.name = "top",
	.synopsis = "",
	.summary = "watch all environments: what needs a person first",
	.about =
	    "What is stuck, failed or ends within 10 minutes comes first, then what ends next. The "
	    "screen\n"
	    "follows the server's events. Keys: up and down (k, j) choose, enter shows all of one, "
	    "d\n"
	    "destroys it after a y, f shows faults only, q quits. Where the output is no terminal, "
	    "it "
	    "is\n"
	    "printed once.",
	.run = run,
};
