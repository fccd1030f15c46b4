/*
 * store_schema.h - inside store/ only: the migrations, append only.
 */
#ifndef ENVD_STORE_STORE_SCHEMA_H
#define ENVD_STORE_STORE_SCHEMA_H

#include "store/store_statement.h"

/* The version that this program was built for. */
int64_t store_schema_version(void);

/* Bring the file there, each migration in its own transaction together with PRAGMA user_version,
 * after a copy by the backup API (store.db.before-VERSION). A new, empty file runs all of them. */
NODISCARD bool store_schema_migrate(struct store *store, bool may_migrate, struct error *err);

#endif
