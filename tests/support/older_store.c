#include "tests/support/older_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

void older_store_without_money(const char *folder)
{
	AUTO(free)
	char *command = xasprintf(
	    "sqlite3 %s/store.db \"$(sqlite3 %s/store.db \""
	    "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema"
	    " WHERE type = 'trigger' AND (name GLOB 'spending_*' OR name GLOB 'owed_*')\")"
	    " DROP TABLE months; DROP TABLE spending; DROP TABLE owed; DROP TABLE owing;"
	    " ALTER TABLE environments DROP COLUMN charge_until;"
	    " ALTER TABLE environments DROP COLUMN charge_from;"
	    " ALTER TABLE environments DROP COLUMN quote;"
	    " ALTER TABLE environments DROP COLUMN prices_are_examples;"
	    " ALTER TABLE environments DROP COLUMN prices_as_of;"
	    " ALTER TABLE environments DROP COLUMN price_low;"
	    " PRAGMA user_version = 7\"",
	    folder, folder);

	assert_int_equal(system(command), 0);
}
