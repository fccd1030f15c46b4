#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

static int64_t read_us(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_us(CLOCK_BOOTTIME) / 1000;
}

static struct tm utc(int64_t at_ms)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	return parts;
}

const char *clock_format(int64_t at_ms, char *into)
{
	struct tm parts = utc(at_ms);
	size_t length = strftime(into, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);

	snprintf(into + length, CLOCK_TEXT_SIZE - length, ".%03dZ", (int)(at_ms % 1000));
	return into;
}

const char *clock_format_seconds(int64_t at_ms, char *into)
{
	struct tm parts = utc(at_ms);

	strftime(into, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return into;
}

/* Milliseconds of a fraction such as ".25"; moves past it. */
static int fraction_ms(const char **at)
{
	int ms = 0, scale = 100;

	if (**at != '.')
		return 0;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++) {
		ms += (**at - '0') * scale;
		scale /= 10;
	}
	return ms;
}

bool clock_parse(const char *text, int64_t *at_ms, struct error *err)
{
	struct tm parts = { 0 };
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	int ms, hours = 0, minutes = 0, used = 0;
	char sign = '+', shown[48];

	if (!at)
		goto wrong;
	ms = fraction_ms(&at);
	if (strcmp(at, "Z") != 0 &&
	    (sscanf(at, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || at[used] ||
	     (sign != '+' && sign != '-')))
		goto wrong;
	*at_ms = (int64_t)timegm(&parts) * 1000 + ms -
		 (sign == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
	return true;
wrong:
	return error_set(err, ERR_INVALID,
			 "\"%s\" is not a time (expected RFC 3339, such as 2026-11-24T19:55:15Z)",
			 text_printable(text, shown, sizeof(shown)));
}

const char *clock_boot_id(void)
{
	static char id[40];
	AUTO(close) int fd = -1;
	ssize_t got;

	if (id[0])
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? 0 : read(fd, id, sizeof(id) - 1);
	id[got > 0 ? got : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return id;
}
