/*
 * proof.h - the kinds of evidence that nothing is left of an environment, in words.
 *
 * The store keeps the kinds by name (store_schema.c checks them): never change a name.
 */
#ifndef ENVD_MODEL_PROOF_H
#define ENVD_MODEL_PROOF_H

#include "base/cleanup.h"

/* Not evidence: a person took on what may be left, so the environment is gone but not proved so. */
#define PROOF_ACKNOWLEDGED "acknowledged"

/* "two complete inventories found nothing"; the kind itself where it is not known. */
const char *proof_words(const char *kind);

#endif
