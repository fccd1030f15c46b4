#include "store/store_sightings.h"

#include "store/store_statement.h"

bool store_sighting_note(struct store_tx *tx, const struct sighting *sighting, int64_t now_ms,
			 struct error *err)
{
	return statement_run(
	    tx,
	    "INSERT INTO sightings(item, target, environment, detail, first_seen_at, last_seen_at,"
	    " listings) VALUES (?1, ?2, ?1, ?3, ?4, ?4, 1)"
	    " ON CONFLICT(item) DO UPDATE SET last_seen_at = ?4, listings = listings + 1, detail = "
	    "?3",
	    NULL, err, "ttji", sighting->environment.text, sighting->target, sighting->detail,
	    now_ms);
}

bool store_sighting_first(struct store *store, struct env_id environment, int64_t *first_ms,
			  struct error *err)
{
	return statement_number(store, "SELECT first_seen_at FROM sightings WHERE item = ?",
				first_ms, err, "t", environment.text);
}

bool store_sighting_forget(struct store_tx *tx, struct env_id environment, struct error *err)
{
	return statement_run(tx, "DELETE FROM sightings WHERE item = ?", NULL, err, "t",
			     environment.text);
}

bool store_sightings_prune(struct store_tx *tx, const char *target, int64_t now_ms,
			   struct error *err)
{
	return statement_run(tx, "DELETE FROM sightings WHERE target = ? AND last_seen_at < ?",
			     NULL, err, "ti", target, now_ms);
}

bool store_sequence(struct store *store, int64_t *sequence, struct error *err)
{
	return statement_number(store, "SELECT sequence FROM instance", sequence, err, "");
}
