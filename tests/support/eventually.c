#include "tests/support/eventually.h"

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

bool eventually(bool (*condition)(void *arg), void *arg, int64_t limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;
	int pause_ms = 1;

	while (!condition(arg)) {
		if (clock_mono_ms() >= until_ms)
			return false;
		poll(NULL, 0, pause_ms);
		/* Quick conditions are seen quickly; slow ones are not asked a thousand times. */
		if (pause_ms < 50)
			pause_ms *= 2;
	}
	return true;
}
