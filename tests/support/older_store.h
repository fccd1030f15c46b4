/*
 * older_store.h - for tests: takes back what migrations did to the store of a folder, so that they
 * can be seen to run on rows that are there.
 */
#ifndef TESTS_SUPPORT_OLDER_STORE_H
#define TESTS_SUPPORT_OLDER_STORE_H

/* Money by month, debts and quotes: as schema 7 had it. The store is closed. */
void older_store_without_money(const char *folder);

#endif
