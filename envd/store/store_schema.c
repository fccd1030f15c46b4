#include "store/store_schema.h"

#include <string.h>

#include "base/text.h"

static const char schema_1[] =
    "CREATE TABLE instance("
    "  one INTEGER PRIMARY KEY CHECK(one = 1), id TEXT NOT NULL, created_at INTEGER NOT NULL,"
    "  sequence INTEGER NOT NULL);"

    "CREATE TABLE environments("
    "  id TEXT PRIMARY KEY, sequence INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, owner TEXT NOT "
    "NULL,"
    "  template TEXT NOT NULL, template_folder TEXT NOT NULL, template_digest TEXT NOT NULL,"
    "  trusted INTEGER NOT NULL, engine TEXT NOT NULL, target TEXT NOT NULL,"
    "  desired TEXT NOT NULL CHECK(desired IN ('present','absent')), state TEXT NOT NULL,"
    "  generation INTEGER NOT NULL, reason TEXT, message TEXT NOT NULL DEFAULT '', error TEXT,"
    "  labels TEXT NOT NULL, pins TEXT NOT NULL, parameters TEXT NOT NULL, outputs TEXT, addresses "
    "TEXT,"
    "  services TEXT, lock TEXT,"
    "  created_at INTEGER NOT NULL, provisioning_at INTEGER NOT NULL DEFAULT 0,"
    "  ready_at INTEGER NOT NULL DEFAULT 0, expires_at INTEGER NOT NULL DEFAULT 0,"
    "  grace_until INTEGER NOT NULL DEFAULT 0, unwanted_at INTEGER NOT NULL DEFAULT 0,"
    "  ended_at INTEGER NOT NULL DEFAULT 0, hard_wall_at INTEGER NOT NULL,"
    "  queue_limit INTEGER NOT NULL, provision_limit INTEGER NOT NULL, lease INTEGER NOT NULL,"
    "  lease_maximum INTEGER NOT NULL, expires_boot INTEGER NOT NULL DEFAULT 0,"
    "  boot_id TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,"
    "  attempts_max INTEGER NOT NULL, next_try_at INTEGER NOT NULL DEFAULT 0,"
    "  unknown INTEGER NOT NULL DEFAULT 0, quarantined INTEGER NOT NULL DEFAULT 0, blocked_by TEXT,"
    "  check_run TEXT, check_verdict TEXT, has_checks INTEGER NOT NULL,"
    "  price INTEGER NOT NULL, currency TEXT NOT NULL);"
    "CREATE UNIQUE INDEX environments_live_name ON environments(name) WHERE state <> 'destroyed';"
    "CREATE INDEX environments_active ON environments(desired, state, sequence);"
    "CREATE INDEX environments_expiry ON environments(state, expires_at);"

    /* The latch: what would be a leak or a resurrection becomes an error. */
    "CREATE TRIGGER environments_latch BEFORE UPDATE ON environments"
    "  WHEN old.desired = 'absent' AND new.desired <> 'absent'"
    "  BEGIN SELECT RAISE(ABORT, 'latch: an unwanted environment stays unwanted'); END;"
    "CREATE TRIGGER environments_generation BEFORE UPDATE ON environments"
    "  WHEN new.generation < old.generation OR new.sequence <> old.sequence OR new.id <> old.id"
    "  BEGIN SELECT RAISE(ABORT, 'generation and sequence never fall'); END;"
    "CREATE TRIGGER environments_wall BEFORE UPDATE ON environments"
    "  WHEN new.hard_wall_at <> old.hard_wall_at OR new.expires_at > old.hard_wall_at"
    "  BEGIN SELECT RAISE(ABORT, 'the hard wall does not move'); END;"
    "CREATE TRIGGER environments_final BEFORE UPDATE ON environments"
    "  WHEN old.state = 'destroyed'"
    "  BEGIN SELECT RAISE(ABORT, 'destroyed is final'); END;"
    "CREATE TRIGGER environments_unwanted BEFORE UPDATE OF state ON environments"
    "  WHEN new.state IN ('destroying','destroyed') AND new.desired <> 'absent'"
    "  BEGIN SELECT RAISE(ABORT, 'only what is unwanted is destroyed'); END;"
    /* The truthful end: without its stored proofs, destroyed cannot be written. */
    "CREATE TRIGGER environments_proved BEFORE UPDATE OF state ON environments"
    "  WHEN new.state = 'destroyed' AND NOT ("
    "    EXISTS(SELECT 1 FROM proofs WHERE environment = old.id AND kind IN "
    "('never_started','acknowledged'))"
    "    OR 4 = (SELECT count(DISTINCT kind) FROM proofs WHERE environment = old.id"
    "            AND kind IN ('destroy_ended','state_empty','inventory_empty','no_process')))"
    "  BEGIN SELECT RAISE(ABORT, 'destroyed needs its proofs'); END;"
    "CREATE TRIGGER environments_kept BEFORE DELETE ON environments"
    "  WHEN old.state <> 'destroyed'"
    "  BEGIN SELECT RAISE(ABORT, 'a live environment is never forgotten'); END;"

    "CREATE TABLE proofs("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT, environment TEXT NOT NULL REFERENCES environments(id),"
    "  kind TEXT NOT NULL CHECK(kind IN "
    "('destroy_ended','state_empty','inventory_empty','no_process',"
    "    'never_started','acknowledged')),"
    "  at INTEGER NOT NULL, detail TEXT);"
    "CREATE INDEX proofs_of ON proofs(environment);"
    "CREATE TRIGGER proofs_unwanted BEFORE INSERT ON proofs"
    "  WHEN (SELECT desired FROM environments WHERE id = new.environment) <> 'absent'"
    "  BEGIN SELECT RAISE(ABORT, 'a proof of the end of something wanted'); END;"
    "CREATE TRIGGER proofs_never_started BEFORE INSERT ON proofs"
    "  WHEN new.kind = 'never_started' AND EXISTS(SELECT 1 FROM jobs WHERE environment = "
    "new.environment)"
    "  BEGIN SELECT RAISE(ABORT, 'a job of it was started'); END;"

    "CREATE TABLE jobs("
    "  id TEXT PRIMARY KEY, environment TEXT NOT NULL REFERENCES environments(id), generation "
    "INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, owner TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK(state IN ('intent','running','ended')),"
    "  pid INTEGER NOT NULL DEFAULT 0, start_ticks INTEGER NOT NULL DEFAULT 0,"
    "  boot_id TEXT NOT NULL DEFAULT '', check_run TEXT, intent_at INTEGER NOT NULL,"
    "  running_at INTEGER NOT NULL DEFAULT 0, ended_at INTEGER NOT NULL DEFAULT 0,"
    "  lines_offset INTEGER NOT NULL DEFAULT 0, stop_asked_at INTEGER NOT NULL DEFAULT 0,"
    "  outcome TEXT, result TEXT);"
    "CREATE UNIQUE INDEX jobs_single ON jobs(environment) WHERE state IN ('intent','running');"
    "CREATE INDEX jobs_of ON jobs(environment);"
    "CREATE INDEX jobs_live ON jobs(state) WHERE state IN ('intent','running');"
    "CREATE TRIGGER jobs_ended BEFORE UPDATE OF state ON jobs WHEN old.state = 'ended'"
    "  BEGIN SELECT RAISE(ABORT, 'a job ends once'); END;"
    /* Nothing is built once unwanted: the last net below reconcile. */
    "CREATE TRIGGER jobs_wanted BEFORE INSERT ON jobs"
    "  WHEN (new.kind = 'destroy') <> "
    "       ((SELECT desired FROM environments WHERE id = new.environment) = 'absent')"
    "  BEGIN SELECT RAISE(ABORT, 'a job against what is desired'); END;"

    "CREATE TABLE history("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT, environment TEXT, at INTEGER NOT NULL, kind TEXT NOT "
    "NULL,"
    "  event TEXT, state TEXT, message TEXT NOT NULL, data TEXT);"
    "CREATE INDEX history_of ON history(environment, n);"
    "CREATE TRIGGER history_append BEFORE UPDATE ON history"
    "  BEGIN SELECT RAISE(ABORT, 'history is append only'); END;"

    "CREATE TABLE idempotency("
    "  owner TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,"
    "  environment TEXT NOT NULL REFERENCES environments(id), PRIMARY KEY(owner, key));"

    "CREATE TABLE check_runs("
    "  id TEXT PRIMARY KEY, environment TEXT NOT NULL REFERENCES environments(id), owner TEXT NOT "
    "NULL,"
    "  state TEXT NOT NULL CHECK(state IN ('queued','running','ended')), verdict TEXT,"
    "  suites TEXT NOT NULL, plan TEXT, report TEXT, message TEXT NOT NULL DEFAULT '',"
    "  asked_at INTEGER NOT NULL, ended_at INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX check_runs_of ON check_runs(environment, asked_at);"
    "CREATE INDEX check_runs_live ON check_runs(state) WHERE state <> 'ended';"

    "CREATE TABLE sightings("
    "  item TEXT PRIMARY KEY, target TEXT NOT NULL, environment TEXT NOT NULL, detail TEXT NOT "
    "NULL,"
    "  first_seen_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, listings INTEGER NOT NULL);";

static const char schema_2[] =
    "ALTER TABLE environments ADD COLUMN project TEXT NOT NULL DEFAULT 'default';"
    "ALTER TABLE environments ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX environments_of_project ON environments(project, state);"
    "CREATE INDEX environments_created ON environments(project, created_at);"

    "CREATE TABLE tokens("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,"
    "  name TEXT NOT NULL, project TEXT NOT NULL, role TEXT NOT NULL, created_by TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
    "  last_used_at INTEGER NOT NULL DEFAULT 0, revoked_at INTEGER NOT NULL DEFAULT 0);"
    /* What a token may do is fixed when it is made, and revoked is for good. */
    "CREATE TRIGGER tokens_fixed BEFORE UPDATE ON tokens"
    "  WHEN new.id <> old.id OR new.digest <> old.digest OR new.project <> old.project"
    "    OR new.role <> old.role OR new.expires_at <> old.expires_at OR new.name <> old.name"
    "  BEGIN SELECT RAISE(ABORT, 'a token does not change'); END;"
    "CREATE TRIGGER tokens_revoked BEFORE UPDATE OF revoked_at ON tokens"
    "  WHEN old.revoked_at > 0 AND new.revoked_at <> old.revoked_at"
    "  BEGIN SELECT RAISE(ABORT, 'a revoked token stays revoked'); END;"

    "CREATE TABLE audit("
    "  n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT "
    "NULL,"
    "  project TEXT NOT NULL, token TEXT NOT NULL, peer TEXT NOT NULL, request TEXT NOT NULL,"
    "  action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT);"
    "CREATE TRIGGER audit_append BEFORE UPDATE ON audit"
    "  BEGIN SELECT RAISE(ABORT, 'the audit history is append only'); END;"
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit"
    "  WHEN old.n > (SELECT max(n) FROM audit) - 100000"
    "  BEGIN SELECT RAISE(ABORT, 'the newest of the audit history is kept'); END;";

/* A failed environment is kept to be looked at, and what was there is kept after it. */
static const char schema_evidence[] =
    "ALTER TABLE environments ADD COLUMN keep INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN keep_maximum INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN kept_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN evidence TEXT NOT NULL DEFAULT 'none';"
    "ALTER TABLE environments ADD COLUMN evidence_until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN evidence_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN evidence_bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN trace_parent TEXT;"
    "CREATE INDEX environments_evidence ON environments(evidence) WHERE evidence = 'wanted';"
    /* Evidence changes nothing, so it may be taken of what is unwanted already. */
    "DROP TRIGGER jobs_wanted;"
    "CREATE TRIGGER jobs_wanted BEFORE INSERT ON jobs"
    "  WHEN new.kind <> 'evidence' AND (new.kind = 'destroy') <> "
    "       ((SELECT desired FROM environments WHERE id = new.environment) = 'absent')"
    "  BEGIN SELECT RAISE(ABORT, 'a job against what is desired'); END;";

static const char schema_source[] = "ALTER TABLE environments ADD COLUMN source TEXT;";

/* What is counted is kept beside the rows, and what is looked for has an index of its own: a turn
 * costs the same with a hundred thousand environments as with ten. */
static const char schema_growth[] =
    "CREATE TABLE tallies("
    "  project TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, currency TEXT NOT NULL,"
    "  environments INTEGER NOT NULL, memory INTEGER NOT NULL, price INTEGER NOT NULL,"
    "  PRIMARY KEY(project, target, state, currency)) WITHOUT ROWID;"
    "INSERT INTO tallies SELECT project, target, state, currency, count(*), sum(memory), sum(price)"
    "  FROM environments WHERE state <> 'destroyed' GROUP BY project, target, state, currency;"
    "CREATE TRIGGER tallies_come AFTER INSERT ON environments BEGIN"
    "  INSERT INTO tallies VALUES(new.project, new.target, new.state, new.currency, 1, new.memory,"
    "    new.price) ON CONFLICT DO UPDATE SET environments = environments + 1,"
    "    memory = memory + excluded.memory, price = price + excluded.price; END;"
    "CREATE TRIGGER tallies_go AFTER UPDATE OF state ON environments WHEN old.state <> new.state"
    "  BEGIN UPDATE tallies SET environments = environments - 1, memory = memory - old.memory,"
    "    price = price - old.price WHERE project = old.project AND target = old.target"
    "    AND state = old.state AND currency = old.currency; END;"
    "CREATE TRIGGER tallies_move AFTER UPDATE OF state ON environments"
    "  WHEN old.state <> new.state AND new.state <> 'destroyed' BEGIN"
    "  INSERT INTO tallies VALUES(new.project, new.target, new.state, new.currency, 1, new.memory,"
    "    new.price) ON CONFLICT DO UPDATE SET environments = environments + 1,"
    "    memory = memory + excluded.memory, price = price + excluded.price; END;"
    /* The tallies know nothing of such a change. */
    "CREATE TRIGGER tallies_fixed BEFORE UPDATE OF project, target, currency, memory, price"
    "  ON environments WHEN new.project <> old.project OR new.target <> old.target"
    "    OR new.currency <> old.currency OR new.memory <> old.memory OR new.price <> old.price"
    "  BEGIN SELECT RAISE(ABORT, 'what was accepted does not change'); END;"
    "DROP INDEX environments_of_project;"
    "DROP INDEX environments_expiry;"
    "CREATE INDEX environments_ended_name ON environments(name, sequence)"
    "  WHERE state = 'destroyed';"
    "CREATE INDEX environments_queued ON environments(sequence) WHERE state = 'queued';"
    "CREATE INDEX environments_unwanted ON environments(sequence)"
    "  WHERE desired = 'absent' AND state <> 'destroyed';"
    "CREATE INDEX environments_falling ON environments(sequence)"
    "  WHERE desired = 'absent' AND state NOT IN ('destroying','destroyed');"
    "CREATE INDEX environments_never_started ON environments(sequence)"
    "  WHERE desired = 'absent' AND state = 'destroying' AND provisioning_at = 0;"
    "CREATE INDEX environments_tries ON environments(next_try_at)"
    "  WHERE desired = 'absent' AND state <> 'destroyed';"
    "CREATE INDEX environments_walls ON environments(hard_wall_at) WHERE desired = 'present';"
    "CREATE INDEX environments_leases ON environments(expires_at)"
    "  WHERE desired = 'present' AND state IN ('ready','failed');"
    "CREATE INDEX environments_ends ON environments(max(expires_at, grace_until))"
    "  WHERE desired = 'present' AND state IN ('ready','failed');"
    "CREATE INDEX environments_leases_boot ON environments(boot_id, expires_boot)"
    "  WHERE desired = 'present' AND state IN ('ready','failed');"
    "CREATE INDEX environments_queue_limits ON environments(created_at + queue_limit)"
    "  WHERE desired = 'present' AND state = 'queued';"
    "CREATE INDEX environments_quarantined ON environments(currency) WHERE quarantined = 1;";

/* A grace was an end of its own, by the wall clock alone. */
static const char schema_grace[] =
    "UPDATE environments SET expires_boot = expires_boot + grace_until - expires_at,"
    "  expires_at = grace_until WHERE grace_until > expires_at AND desired = 'present';"
    "DROP INDEX environments_ends;";

/* What an environment is built on is claimed in the transaction that grants its slot. A claim's
 * number is its fence: it only grows, also for one target. Claims that were given back are gone
 * from here; the history tells of them. */
static const char schema_targets[] =
    "CREATE TABLE targets("
    "  name TEXT PRIMARY KEY,"
    "  condition TEXT NOT NULL DEFAULT 'clean' CHECK(condition IN ('clean','dirty','cleaning')),"
    "  why TEXT NOT NULL DEFAULT '', since INTEGER NOT NULL DEFAULT 0,"
    "  attempts INTEGER NOT NULL DEFAULT 0, next_try_at INTEGER NOT NULL DEFAULT 0,"
    "  no_room_until INTEGER NOT NULL DEFAULT 0,"
    "  holders INTEGER NOT NULL DEFAULT 0 CHECK(holders >= 0),"
    "  last_claim INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE claims("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL REFERENCES targets(name),"
    "  environment TEXT NOT NULL REFERENCES environments(id), places INTEGER NOT NULL,"
    "  claimed_at INTEGER NOT NULL, leaving INTEGER NOT NULL DEFAULT 0,"
    "  vacated_at INTEGER NOT NULL DEFAULT 0, UNIQUE(environment, target));"
    "CREATE INDEX claims_of_target ON claims(target, number);"
    "ALTER TABLE environments ADD COLUMN wishes TEXT;"
    "ALTER TABLE environments ADD COLUMN targets_tried TEXT;"
    /* What was being built or used before there were claims. */
    "INSERT INTO targets(name, holders) SELECT target, count(*) FROM environments"
    "  WHERE state NOT IN ('queued','destroyed') AND provisioning_at > 0 GROUP BY target;"
    "INSERT INTO claims(target, environment, places, claimed_at)"
    "  SELECT target, id, 1000000, provisioning_at FROM environments"
    "  WHERE state NOT IN ('queued','destroyed') AND provisioning_at > 0 ORDER BY sequence;"
    "UPDATE targets SET last_claim = (SELECT max(number) FROM claims WHERE target = name);"

    /* The last net: two environments never share what only one may have. */
    "CREATE TRIGGER claims_places BEFORE INSERT ON claims"
    "  WHEN coalesce((SELECT holders FROM targets WHERE name = new.target), 0) >= new.places"
    "  BEGIN SELECT RAISE(ABORT, 'more claims than the target takes'); END;"
    "CREATE TRIGGER claims_clean BEFORE INSERT ON claims"
    "  WHEN coalesce((SELECT condition FROM targets WHERE name = new.target), 'clean') <> 'clean'"
    "  BEGIN SELECT RAISE(ABORT, 'a claim of a target that is not clean'); END;"
    "CREATE TRIGGER claims_wanted BEFORE INSERT ON claims"
    "  WHEN (SELECT desired FROM environments WHERE id = new.environment) <> 'present'"
    "  BEGIN SELECT RAISE(ABORT, 'a claim for something unwanted'); END;"
    "CREATE TRIGGER claims_come AFTER INSERT ON claims BEGIN"
    "  UPDATE targets SET holders = holders + 1, last_claim = new.number"
    "  WHERE name = new.target; END;"
    "CREATE TRIGGER claims_fixed BEFORE UPDATE ON claims"
    "  WHEN new.number <> old.number OR new.target <> old.target"
    "    OR new.environment <> old.environment OR (old.leaving AND NOT new.leaving)"
    "  BEGIN SELECT RAISE(ABORT, 'a claim does not change'); END;"
    "CREATE TRIGGER claims_kept BEFORE DELETE ON claims"
    "  WHEN old.vacated_at = 0"
    "    AND (SELECT state FROM environments WHERE id = old.environment) <> 'destroyed'"
    "  BEGIN SELECT RAISE(ABORT, 'a claim is given back after the proofs'); END;"
    "CREATE TRIGGER claims_go AFTER DELETE ON claims BEGIN"
    "  UPDATE targets SET holders = holders - 1 WHERE name = old.target; END;"
    "CREATE TRIGGER environments_give_back AFTER UPDATE OF state ON environments"
    "  WHEN new.state = 'destroyed' AND old.state <> 'destroyed'"
    "  BEGIN DELETE FROM claims WHERE environment = new.id; END;"

    /* The target is settled by the claim, no longer by the request. */
    "DROP TRIGGER tallies_fixed;"
    "CREATE TRIGGER tallies_fixed BEFORE UPDATE OF project, currency, memory, price"
    "  ON environments WHEN new.project <> old.project OR new.currency <> old.currency"
    "    OR new.memory <> old.memory OR new.price <> old.price"
    "  BEGIN SELECT RAISE(ABORT, 'what was accepted does not change'); END;"
    "CREATE TRIGGER tallies_target_go AFTER UPDATE OF target ON environments"
    "  WHEN old.target <> new.target"
    "  BEGIN UPDATE tallies SET environments = environments - 1, memory = memory - old.memory,"
    "    price = price - old.price WHERE project = old.project AND target = old.target"
    "    AND state = old.state AND currency = old.currency; END;"
    "CREATE TRIGGER tallies_target_come AFTER UPDATE OF target ON environments"
    "  WHEN old.target <> new.target BEGIN"
    "  INSERT INTO tallies VALUES(new.project, new.target, new.state, new.currency, 1, new.memory,"
    "    new.price) ON CONFLICT DO UPDATE SET environments = environments + 1,"
    "    memory = memory + excluded.memory, price = price + excluded.price; END;";

// clang-format off: it lines macros up with what follows them
/* Microcents for `ms` at `price`, as cost_for() of model/cost.c rounds, without a product that would
 * not fit. */
#define CHARGE(price, ms)                                                                          \
	"((" price ") / 3600000 * (" ms ") + ((" price ") % 3600000 * (" ms ") + 1800000) / 3600000)"
/* Of a time from `from` until `until` the part that lies in month m, and which months those are. */
#define PART(price, from, until)                                                                   \
	CHARGE(price, "min(m.until_at, " until ") - max(m.from_at, " from ")")
#define MONTHS(from, until)                                                                        \
	" FROM months m WHERE m.from_at > " from " - 2678400000 AND m.from_at < " until            \
	" AND m.until_at > " from
#define SPEND(row, sign, from, until)                                                              \
	"INSERT INTO spending SELECT " row ".project, " row ".currency, m.month, " row             \
	".template, " sign PART(row ".price", from, until) MONTHS(from, until)                     \
	" ON CONFLICT DO UPDATE SET charged = charged + excluded.charged;"
/* What a debt would have cost since 2020: the difference of two of them is what it cost between. */
#define SINCE_2020(price, at) CHARGE(price, "max(0, " at " - 1577836800000)")
#define OWE(row, sign)                                                                             \
	"INSERT INTO owing VALUES(" row ".project, " row ".currency, " sign row ".price, "         \
	sign SINCE_2020(row ".price", row ".counted_until")                                        \
	") ON CONFLICT DO UPDATE SET rate = rate + excluded.rate, base = base + excluded.base;"

/* Money: what is charged is kept by triggers beside the rows, by month, so that no way of changing
 * an environment can forget it, and a budget is asked in the same time whatever there is. */
static const char schema_money[] =
    "ALTER TABLE environments ADD COLUMN price_low INTEGER;" /* NULL: as the price */
    "ALTER TABLE environments ADD COLUMN prices_as_of TEXT;"
    "ALTER TABLE environments ADD COLUMN prices_are_examples INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environments ADD COLUMN quote TEXT;"
    /* From when until when it is charged, as model/budget.h says. */
    "ALTER TABLE environments ADD COLUMN charge_from INTEGER AS (CASE"
    "  WHEN provisioning_at > 0 THEN provisioning_at"
    "  WHEN state = 'queued' AND desired = 'present' THEN created_at ELSE 0 END);"
    "ALTER TABLE environments ADD COLUMN charge_until INTEGER AS (CASE"
    "  WHEN provisioning_at = 0 AND NOT (state = 'queued' AND desired = 'present') THEN 0"
    "  WHEN desired = 'absent' THEN unwanted_at"
    "  WHEN expires_at > 0 THEN expires_at"
    "  ELSE charge_from + provision_limit + max(lease, keep) END);"

    "CREATE TABLE months("
    "  from_at INTEGER PRIMARY KEY, until_at INTEGER NOT NULL, month TEXT NOT NULL);"
    "INSERT INTO months WITH RECURSIVE days(day) AS (SELECT '2020-01-01' UNION ALL"
    "  SELECT date(day, '+1 month') FROM days WHERE day < '2100-01-01')"
    "  SELECT strftime('%s', day) * 1000, strftime('%s', day, '+1 month') * 1000,"
    "    strftime('%Y-%m', day) FROM days;"
    "CREATE TABLE spending("
    "  project TEXT NOT NULL, currency TEXT NOT NULL, month TEXT NOT NULL, template TEXT NOT NULL,"
    "  charged INTEGER NOT NULL, PRIMARY KEY(project, currency, month, template)) WITHOUT ROWID;"
    /* What is unwanted and not proved gone costs until it is, and so does what was acknowledged;
     * charged until `counted_until`, and on top of that by the hour. */
    "CREATE TABLE owed("
    "  environment TEXT PRIMARY KEY, project TEXT NOT NULL, currency TEXT NOT NULL,"
    "  template TEXT NOT NULL, price INTEGER NOT NULL, since INTEGER NOT NULL,"
    "  counted_until INTEGER NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0,"
    "  settled_at INTEGER NOT NULL DEFAULT 0);" /* 0: it is still owed */
    "CREATE INDEX owed_of ON owed(project, since) WHERE settled_at = 0;"
    "CREATE INDEX owed_counted ON owed(counted_until) WHERE settled_at = 0;"
    "CREATE INDEX owed_acknowledged ON owed(currency)"
    "  WHERE acknowledged = 1 AND settled_at = 0;"
    "CREATE TABLE owing("
    "  project TEXT NOT NULL, currency TEXT NOT NULL, rate INTEGER NOT NULL,"
    "  base INTEGER NOT NULL, PRIMARY KEY(project, currency)) WITHOUT ROWID;"

    "CREATE TRIGGER spending_come AFTER INSERT ON environments WHEN new.price > 0"
    "  BEGIN " SPEND("new", "", "new.charge_from", "new.charge_until") " END;"
    "CREATE TRIGGER spending_move AFTER UPDATE OF state, desired, provisioning_at, expires_at,"
    "  unwanted_at ON environments WHEN new.price > 0"
    "    AND (new.charge_from <> old.charge_from OR new.charge_until <> old.charge_until)"
    "  BEGIN " SPEND("old", "-", "old.charge_from", "old.charge_until")
	SPEND("new", "", "new.charge_from", "new.charge_until") " END;"
    "CREATE TRIGGER spending_owe AFTER UPDATE OF desired ON environments"
    "  WHEN new.desired = 'absent' AND old.desired = 'present' AND new.price > 0"
    "    AND new.provisioning_at > 0"
    "  BEGIN INSERT INTO owed(environment, project, currency, template, price, since,"
    "    counted_until) VALUES(new.id, new.project, new.currency, new.template, new.price,"
    "    new.unwanted_at, new.unwanted_at); END;"
    "CREATE TRIGGER spending_paid AFTER UPDATE OF state ON environments"
    "  WHEN new.state = 'destroyed' AND new.price > 0 AND new.reason IS NOT 'acknowledged'"
    "  BEGIN UPDATE owed SET counted_until = max(counted_until, new.ended_at)"
    "    WHERE environment = new.id;"
    "  DELETE FROM owed WHERE environment = new.id; END;"
    "CREATE TRIGGER spending_acknowledged AFTER UPDATE OF state ON environments"
    "  WHEN new.state = 'destroyed' AND new.price > 0 AND new.reason IS 'acknowledged'"
    "  BEGIN UPDATE owed SET acknowledged = 1 WHERE environment = new.id; END;"
    "CREATE TRIGGER owed_come AFTER INSERT ON owed BEGIN " OWE("new", "") " END;"
    "CREATE TRIGGER owed_go AFTER DELETE ON owed WHEN old.settled_at = 0"
    "  BEGIN " OWE("old", "-") " END;"
    "CREATE TRIGGER owed_settled AFTER UPDATE OF settled_at ON owed"
    "  WHEN old.settled_at = 0 AND new.settled_at > 0 BEGIN " OWE("old", "-") " END;"
    "CREATE TRIGGER owed_counted_on AFTER UPDATE OF counted_until ON owed"
    "  WHEN new.counted_until > old.counted_until BEGIN " OWE("old", "-") OWE("new", "")
	SPEND("new", "", "old.counted_until", "new.counted_until") " END;"
    "CREATE TRIGGER owed_fixed BEFORE UPDATE ON owed"
    "  WHEN new.counted_until < old.counted_until OR old.settled_at > 0 OR new.price <> old.price"
    "    OR new.project <> old.project OR new.currency <> old.currency"
    "  BEGIN SELECT RAISE(ABORT, 'what was counted does not change'); END;"

    "INSERT INTO spending SELECT e.project, e.currency, m.month, e.template, sum("
	PART("e.price", "e.charge_from", "e.charge_until") ") FROM environments e, months m"
    "  WHERE e.price > 0 AND m.from_at < e.charge_until AND m.until_at > e.charge_from"
    "  GROUP BY 1, 2, 3, 4;"
    /* What destroying took. Acknowledged ones were taken on by somebody under another rule. */
    "INSERT INTO spending SELECT e.project, e.currency, m.month, e.template, sum("
	PART("e.price", "e.unwanted_at", "e.ended_at") ") FROM environments e, months m"
    "  WHERE e.price > 0 AND e.provisioning_at > 0 AND e.unwanted_at > 0"
    "    AND m.from_at < e.ended_at AND m.until_at > e.unwanted_at"
    "  GROUP BY 1, 2, 3, 4 ON CONFLICT DO UPDATE SET charged = charged + excluded.charged;"
    "INSERT INTO owed(environment, project, currency, template, price, since, counted_until)"
    "  SELECT id, project, currency, template, price, unwanted_at, unwanted_at FROM environments"
    "  WHERE desired = 'absent' AND state <> 'destroyed' AND price > 0 AND provisioning_at > 0;";
// clang-format on

/* Append only. A released entry is never edited: old files were made by it. */
static const struct migration {
	int64_t version;
	const char *title;
	const char *sql;
} migrations[] = {
	{ 1, "environments, jobs, history, proofs, checks", schema_1 },
	{ 2, "projects, tokens, audit history", schema_2 },
	{ 3, "kept when failed, evidence", schema_evidence },
	{ 4, "git source of an environment's template", schema_source },
	{ 5, "tallies and indexes: nothing grows faster than the work", schema_growth },
	{ 6, "a grace is a longer lease", schema_grace },
	{ 7, "targets and claims", schema_targets },
	{ 8, "money by month, debts, quotes", schema_money },
};

int64_t store_schema_version(void)
{
	return migrations[ARRAY_SIZE(migrations) - 1].version;
}

static bool execute(struct store *store, const char *sql, struct error *err)
{
	int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK || store_error(store, result, err, "migrating");
}

static bool run_one(struct store *store, const struct migration *migration, struct error *err)
{
	char version[64];

	snprintf(version, sizeof(version), "PRAGMA user_version = %lld",
		 (long long)migration->version);
	if (execute(store, "BEGIN IMMEDIATE", err) && execute(store, migration->sql, err) &&
	    execute(store, version, err) && execute(store, "COMMIT", err))
		return true;
	sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return error_wrap(err, "migration %lld (%s)", (long long)migration->version,
			  migration->title);
}

/* The file as it was, beside it, before anything is changed. */
static bool copy_before(struct store *store, int64_t version, struct error *err)
{
	AUTO(free)
	char *path = xasprintf("%s/store.db.before-%lld", store->folder, (long long)version);
	sqlite3 *copy = NULL;
	sqlite3_backup *backup;
	int result = sqlite3_open(path, &copy);

	if (result == SQLITE_OK) {
		backup = sqlite3_backup_init(copy, "main", store->db, "main");
		if (backup) {
			sqlite3_backup_step(backup, -1);
			sqlite3_backup_finish(backup);
		}
		result = sqlite3_errcode(copy);
	}
	sqlite3_close(copy);
	return result == SQLITE_OK ||
	       error_set(err, ERR_UNAVAILABLE,
			 "cannot copy the store to \"%s\" before migrating it", path);
}

bool store_schema_migrate(struct store *store, bool may_migrate, struct error *err)
{
	int64_t version;

	if (!statement_number(store, "PRAGMA user_version", &version, err, ""))
		return false;
	if (version > store_schema_version())
		return error_set_as(err, ERR_CORRUPT, "store_newer",
				    "the store in \"%s\" was made by a newer version (schema %lld, "
				    "this program knows "
				    "%lld)",
				    store->folder, (long long)version,
				    (long long)store_schema_version());
	if (version == store_schema_version())
		return true;
	if (!may_migrate)
		return error_set_as(err, ERR_UNAVAILABLE, "store_older",
				    "the store in \"%s\" has schema %lld and needs %lld: start "
				    "envd with nothing else "
				    "running on it",
				    store->folder, (long long)version,
				    (long long)store_schema_version());
	if (version > 0 && !copy_before(store, version, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(migrations); i++)
		if (migrations[i].version > version && !run_one(store, &migrations[i], err))
			return false;
	return true;
}
