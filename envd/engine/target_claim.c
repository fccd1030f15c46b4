#include "engine/target_claim.h"

#include "base/files.h"

bool target_claim_check(const struct engine_target *target, struct error *err)
{
	return !target->claim_file || file_exists(target->claim_file) ||
	       error_set_as(err, ERR_CONFLICT, "claim_lost",
			    "claim %lld of target \"%s\" has ended: it may be somebody else's now",
			    (long long)target->claim_number, target->name);
}
