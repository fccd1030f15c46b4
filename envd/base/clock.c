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

/* The years that RFC 3339 can write: 0000 to 9999. */
static int64_t writable(int64_t at_ms)
{
	static const int64_t first_ms = -62167219200000, last_ms = 253402300799999;

	return at_ms < first_ms ? first_ms : at_ms > last_ms ? last_ms : at_ms;
}

/* The fraction is what is left after whole seconds, which are rounded down also before 1970. */
static struct tm utc(int64_t at_ms, int *fraction_ms)
{
	int64_t left = (at_ms % 1000 + 1000) % 1000;
	time_t seconds = (time_t)((at_ms - left) / 1000);
	struct tm parts;

	gmtime_r(&seconds, &parts);
	*fraction_ms = (int)left;
	return parts;
}

static char *write_digits(char *into, int value, int digits)
{
	for (int i = digits; i > 0; i--, value /= 10)
		into[i - 1] = (char)('0' + value % 10);
	return into + digits;
}

/* By hand: strftime() writes years below 1000 with fewer than four digits, and a page of
 * environments has four thousand times in it. */
static char *write_seconds(char *into, const struct tm *parts)
{
	const int values[] = { parts->tm_mon + 1, parts->tm_mday, parts->tm_hour, parts->tm_min,
			       parts->tm_sec };

	into = write_digits(into, parts->tm_year + 1900, 4);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		*into++ = "--T::"[i];
		into = write_digits(into, values[i], 2);
	}
	return into;
}

const char *clock_format(int64_t at_ms, char *into)
{
	int fraction_ms;
	struct tm parts = utc(writable(at_ms), &fraction_ms);
	char *end = write_seconds(into, &parts);

	*end++ = '.';
	end = write_digits(end, fraction_ms, 3);
	memcpy(end, "Z", 2);
	return into;
}

const char *clock_format_seconds(int64_t at_ms, char *into)
{
	int fraction_ms;
	struct tm parts = utc(writable(at_ms), &fraction_ms);

	memcpy(write_seconds(into, &parts), "Z", 2);
	return into;
}

/* `digits` digits at `*at`, between `low` and `high`; moves past them. */
static bool take_number(const char **at, int digits, int low, int high, int *number)
{
	int sum = 0;

	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		sum = sum * 10 + (**at - '0');
	}
	*number = sum;
	return sum >= low && sum <= high;
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static bool take_date(const char **at, struct tm *parts)
{
	return take_number(at, 4, 0, 9999, &parts->tm_year) && take_char(at, '-') &&
	       take_number(at, 2, 1, 12, &parts->tm_mon) && take_char(at, '-') &&
	       take_number(at, 2, 1, 31, &parts->tm_mday);
}

/* A 60th second is a leap second, which Unix time has not. */
static bool take_time(const char **at, struct tm *parts)
{
	return take_char(at, 'T') && take_number(at, 2, 0, 23, &parts->tm_hour) &&
	       take_char(at, ':') && take_number(at, 2, 0, 59, &parts->tm_min) &&
	       take_char(at, ':') && take_number(at, 2, 0, 59, &parts->tm_sec);
}

/* Milliseconds of a fraction such as ".25"; there may be none. */
static bool take_fraction(const char **at, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (!take_char(at, '.'))
		return true;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
		*ms += (**at - '0') * scale;
	return true;
}

static bool take_offset(const char **at, int *minutes)
{
	int sign = **at == '-' ? -1 : 1, hours, rest;

	*minutes = 0;
	if (take_char(at, 'Z'))
		return true;
	if ((!take_char(at, '+') && !take_char(at, '-')) || !take_number(at, 2, 0, 23, &hours) ||
	    !take_char(at, ':') || !take_number(at, 2, 0, 59, &rest))
		return false;
	*minutes = sign * (hours * 60 + rest);
	return true;
}

/* timegm() takes 31 February for 3 March: then the day has moved. */
static bool to_unix(struct tm *parts, int64_t *seconds)
{
	int day = parts->tm_mday;

	parts->tm_year -= 1900;
	parts->tm_mon -= 1;
	*seconds = timegm(parts);
	return parts->tm_mday == day;
}

bool clock_parse(const char *text, int64_t *at_ms, struct error *err)
{
	struct tm parts = { 0 };
	const char *at = text;
	int ms, offset_minutes;
	int64_t seconds;
	char shown[48];

	if (!take_date(&at, &parts) || !take_time(&at, &parts) || !take_fraction(&at, &ms) ||
	    !take_offset(&at, &offset_minutes) || *at || !to_unix(&parts, &seconds))
		return error_set(
		    err, ERR_INVALID,
		    "\"%s\" is not a time (expected RFC 3339, such as 2026-11-24T19:55:15Z)",
		    text_printable(text, shown, sizeof(shown)));
	*at_ms = seconds * 1000 + ms - (int64_t)offset_minutes * 60000;
	return true;
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
