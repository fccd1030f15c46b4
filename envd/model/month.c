#include "model/month.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)

/* Days from 1970-01-01 to the first of this month (Gregorian, from the year 1 on). */
static int64_t days_before(struct month month)
{
	/* A year that begins in March ends with its leap day. */
	int64_t year = month.number > 2 ? month.year : month.year - 1;
	int64_t since_march = (month.number + 9) % 12;

	return 365 * year + year / 4 - year / 100 + year / 400 + (153 * since_march + 2) / 5 -
	       719468;
}

int64_t month_begin_ms(struct month month)
{
	return days_before(month) * DAY_MS;
}

struct month month_after(struct month month)
{
	if (month.number == 12)
		return (struct month){ month.year + 1, 1 };
	return (struct month){ month.year, month.number + 1 };
}

struct month month_of(int64_t at_ms)
{
	/* Never too late: no month has more than 31 days, no year less than 365. */
	struct month month = { 1970 + (int)(at_ms / (366 * DAY_MS)), 1 };

	while (month_begin_ms((struct month){ month.year + 1, 1 }) <= at_ms)
		month.year++;
	while (month_begin_ms(month_after(month)) <= at_ms)
		month = month_after(month);
	return month;
}

const char *month_format(struct month month, char into[MONTH_TEXT_SIZE])
{
	snprintf(into, MONTH_TEXT_SIZE, "%04d-%02d", month.year, month.number);
	return into;
}

static int number_at(const char *text, int digits)
{
	int number = 0;

	for (int i = 0; i < digits; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

bool month_parse(const char *text, struct month *month, struct error *err)
{
	if (strlen(text) == 7 && strspn(text, "0123456789") == 4 && text[4] == '-' &&
	    strspn(text + 5, "0123456789") == 2) {
		*month = (struct month){ number_at(text, 4), number_at(text + 5, 2) };
		if (month->number >= 1 && month->number <= 12 && month->year >= 2020 &&
		    month->year <= 2099)
			return true;
	}
	return error_set_as(err, ERR_INVALID, "month_invalid",
			    "\"%.20s\" is no month (expected YEAR-MONTH, such as 2026-11)", text);
}
