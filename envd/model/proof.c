#include "model/proof.h"

#include <string.h>

static const struct {
	const char *kind, *words;
} proofs[] = {
	{ "destroy_ended", "the newest destroy job ended well" },
	{ "state_empty", "the engine's own state is empty" },
	{ "inventory_empty", "two complete inventories found nothing" },
	{ "no_process", "no process and no lock of it is left" },
	{ "never_started", "no job of it was ever started" },
	{ PROOF_ACKNOWLEDGED, "not proved: a person has taken on what may be left" },
};

const char *proof_words(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
		if (strcmp(proofs[i].kind, kind) == 0)
			return proofs[i].words;
	return kind;
}
